"""Deciding about tags for everybody, and carrying it out on the pictures that are here."""

import csv
import io
import math
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from gallery.models import ImageTag, Tag, TagDecision

AT_A_TIME = 1000  # rows in one transaction
COLUMNS = ["tag", "instead", "hidden", "threshold"]
Source = ImageTag.Source


def decide(
    name: str, instead: str = "", is_hidden: bool = False, threshold: float | None = None
) -> TagDecision:
    """Decide about a tag, in the place of what was decided before; ValidationError for what cannot be.

    The worker carries it out. What was called by this name so far is called by the new one, too.
    """
    if threshold is not None and not math.isfinite(threshold):
        raise ValidationError(_("A confidence is a number from 0 to 1."))
    said = {"instead": instead, "is_hidden": is_hidden, "threshold": threshold}
    decision = TagDecision(name=name, **said)
    decision.full_clean(validate_unique=False)
    with transaction.atomic():
        before = TagDecision.objects.filter(name=decision.name).first()
        decision.pk = before.pk if before else None
        decision.save()
        follow(decision)
    return decision


def follow(decision: TagDecision) -> None:
    """Let synonyms of the tag follow it to its new name, and have the worker carry the decision out."""
    if decision.instead:
        TagDecision.objects.filter(instead=decision.name).update(instead=decision.instead)
    _ask(decision.name)


def forget(names: Iterable[str]) -> None:
    """Undecide: what was hidden is seen again; what was merged stays so until it is read again."""
    for name in names:
        with transaction.atomic():
            TagDecision.objects.filter(name=name).delete()
            _ask(name)


def _ask(name: str) -> None:
    async_task("gallery.tag_decisions.carry_out", name, group="tags")


def carry_out(name: str) -> str:
    """Bring the pictures' tags in line with what is decided about this one; the worker's part."""
    tag = Tag.objects.filter(name=name).first()
    decision = TagDecision.objects.filter(name=name).first()
    if tag is None:
        return "no picture carries it"
    if decision and decision.instead:
        return f"{_merge(tag, decision.instead)} pictures' tags are called {decision.instead}"
    given = ImageTag.objects.filter(tag=tag)
    limit = 0.0 if decision is None else 2.0 if decision.is_hidden else decision.threshold or 0.0
    count = _mark(given.filter(source=Source.EXTRACTOR, confidence__lt=limit), Source.HIDDEN)
    count += _mark(given.filter(source=Source.HIDDEN, confidence__gte=limit), Source.EXTRACTOR)
    return f"{count} pictures' tags changed"


def _mark(rows: QuerySet[ImageTag], source: str) -> int:
    count = 0
    while ids := list(rows.values_list("pk", flat=True)[:AT_A_TIME]):
        count += ImageTag.objects.filter(pk__in=ids).update(source=source)
    return count


def _merge(tag: Tag, instead: str) -> int:
    """Move every row of a tag to another one: the surer machine and what people said of either stay."""
    target = Tag.objects.ids_for({instead})[instead]
    count = 0
    while ids := list(ImageTag.objects.filter(tag=tag).values_list("image_id", flat=True)[:AT_A_TIME]):
        with transaction.atomic():
            moving = list(ImageTag.objects.filter(tag=tag, image_id__in=ids))
            there = {
                (row.image_id, row.extractor): row
                for row in ImageTag.objects.filter(tag_id=target, image_id__in=ids)
            }
            _move(moving, there, target)
            count += len({row.image_id for row in moving})
    return count


def _move(moving: list[ImageTag], there: dict[tuple[int, str], ImageTag], target: int) -> None:
    decided = {image for image, extractor in there if not extractor}
    said = {row.image_id for row in moving if not row.extractor}
    # Where a person spoke of either, no machine's row stays beside it.
    gone = [row.pk for row in moving if (row.image_id, row.extractor) in there]
    gone += [row.pk for row in moving if row.extractor and row.image_id in decided | said]
    gone += [row.pk for (image, extractor), row in there.items() if extractor and image in said]
    surer = {
        there[row.image_id, row.extractor].pk: row.confidence
        for row in moving
        if row.extractor
        and (row.image_id, row.extractor) in there
        and row.confidence > there[row.image_id, row.extractor].confidence
    }
    # That somebody gave one of the two counts more than that somebody took the other away.
    given = [
        there[row.image_id, ""].pk
        for row in moving
        if row.source == Source.PERSON and (row.image_id, "") in there
    ]
    ImageTag.objects.filter(pk__in=gone).delete()
    ImageTag.objects.filter(pk__in=[row.pk for row in moving]).update(tag_id=target)
    ImageTag.objects.filter(pk__in=given).update(source=Source.PERSON, confidence=1.0)
    if surer:
        cases = [When(pk=pk, then=Value(confidence)) for pk, confidence in surer.items()]
        ImageTag.objects.filter(pk__in=surer).update(confidence=Case(*cases, default=F("confidence")))


def carriers(name: str, extractor: str, threshold: float) -> QuerySet[ImageTag]:
    """Return the machine's tags of this name that a threshold would leave, the least sure first."""
    sources = [Source.EXTRACTOR, Source.HIDDEN]
    given = ImageTag.objects.filter(tag__name=name, extractor=extractor, source__in=sources)
    return given.filter(confidence__gte=threshold).order_by("confidence")


def unused() -> QuerySet[Tag]:
    """Return the tags that no picture carries, hidden or removed by a person or otherwise."""
    return Tag.objects.filter(~Q(pk__in=ImageTag.objects.values("tag")))


def to_csv() -> str:
    """Write every decision as lines of COLUMNS."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for own in TagDecision.objects.all():
        hidden = "yes" if own.is_hidden else ""
        rows.writerow([own.name, own.instead, hidden, "" if own.threshold is None else own.threshold])
    return text.getvalue()


def from_csv(text: str) -> int:
    """Decide what the lines say, all or nothing; how many. ValidationError names the line that cannot be."""
    try:
        return _from_rows(csv.DictReader(io.StringIO(text)))
    except csv.Error as error:  # a field that is longer than a book
        raise ValidationError(_("This is no table of tags: %(reason)s.") % {"reason": error}) from error


def _from_rows(rows: csv.DictReader) -> int:
    if not rows.fieldnames or "tag" not in rows.fieldnames or set(rows.fieldnames) - set(COLUMNS):
        raise ValidationError(_("The first line must be: %(columns)s.") % {"columns": ",".join(COLUMNS)})
    count = 0
    with transaction.atomic():
        for row in rows:
            try:
                limit = row.get("threshold") or ""
                hidden = (row.get("hidden") or "").strip().lower() in ("yes", "true", "1", "on")
                decide(row["tag"] or "", row.get("instead") or "", hidden, float(limit) if limit else None)
            except (ValidationError, ValueError) as error:
                said = error.messages[0] if isinstance(error, ValidationError) else str(error)
                raise ValidationError(
                    _("Line %(number)s: %(reason)s") % {"number": rows.line_num, "reason": said}
                ) from error
            count += 1
    return count
