"""What people say of pictures that their files do not, or say wrongly: it stays, whatever is read again."""

import re
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from gallery import tasks
from gallery.imaging import dates, places
from gallery.imaging.dates import Moment
from gallery.models import Image, TextInImage
from gallery.models.image import MAX_PLACE, Corrected

_COORDINATES = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d+)?)\s*[,;\s]\s*([+-]?\d{1,3}(?:\.\d+)?)\s*")


def parse_date(text: str) -> Moment | None:
    """Read a date as people write it: 1987, 1987-06, 2024-05-17 or 2024-05-17 10:00; None for ''.

    ValidationError for anything else.
    """
    if not text.strip():
        return None
    moment = dates.parse(text.strip())
    if moment is None:
        raise ValidationError(_("Write a date like 1987, 1987-06, 2024-05-17 or 2024-05-17 10:00."))
    return moment


def set_date(images: QuerySet[Image], moment: Moment | None) -> int:
    """Say when the pictures were taken, by the clock of the place, or that it is not known; how many."""
    return images.update(
        taken_local=moment.local.replace(tzinfo=UTC) if moment else None,
        taken_at=moment.at(timezone.get_default_timezone()) if moment else None,
        taken_offset=moment.offset if moment else None,
        taken_precision=moment.precision if moment else "",
        taken_is_guess=False,
        corrected=F("corrected").bitor(Corrected.DATE),
    )


def shift_dates(images: QuerySet[Image], by: timedelta) -> int:
    """Put right what a clock that was wrong wrote; how many.

    Pictures without a date, or of which the year or the month alone is known, are passed over; those of
    which the day is known, if the clock was not wrong by whole days.
    """
    known = ["", dates.DAY] if by % timedelta(days=1) == timedelta(0) else [""]
    with transaction.atomic():
        dated = list(images.filter(taken_precision__in=known).exclude(taken_local=None))
        for image in dated:
            if image.taken_local and image.taken_at:
                image.taken_local, image.taken_at = image.taken_local + by, image.taken_at + by
                image.corrected |= Corrected.DATE
        Image.objects.bulk_update(dated, ["taken_local", "taken_at", "corrected"])
    return len(dated)


def parse_place(text: str) -> tuple[tuple[float, float] | None, str]:
    """Read a place as people write it: degrees ('48.85, 2.35'), or its name. ValidationError for neither."""
    if match := _COORDINATES.fullmatch(text):
        location = places.on_earth(float(match[1]), float(match[2]))
        if location is None:
            raise ValidationError(_("Degrees north are from -90 to 90, degrees east from -180 to 180."))
        return location, ""
    name = " ".join(text.split())
    if len(name) > MAX_PLACE or not name.isprintable():
        raise ValidationError(_("A place has at most %(most)s characters.") % {"most": MAX_PLACE})
    return None, name


def set_place(images: QuerySet[Image], location: tuple[float, float] | None, name: str) -> int:
    """Say where the pictures were taken: degrees, a name, both, or that it is not known; how many.

    Degrees without a name get one from the worker.
    """
    ids = list(images.values_list("pk", flat=True))
    with transaction.atomic():
        Image.objects.filter(pk__in=ids).update(
            latitude=location[0] if location else None,
            longitude=location[1] if location else None,
            place=name,
            corrected=F("corrected").bitor(Corrected.PLACE),
        )
        if location and not name:
            async_task("gallery.rereading.name_places_of", ids, group="places")
    return len(ids)


def set_caption(images: QuerySet[Image], caption: str) -> int:
    """Say what the pictures show; how many."""
    return images.update(caption=caption, corrected=F("corrected").bitor(Corrected.CAPTION))


def turn(images: QuerySet[Image], quarters: int) -> int:
    """Turn the pictures clockwise, for thumbnails and search; how many. The originals stay as they are.

    Those that are searchable stay so while they are read again.
    """
    quarters %= 4
    if not quarters:
        return images.count()
    turned = Case(*(When(turn=own, then=(own + quarters) % 4) for own in range(4)), default=quarters)
    sides = {"width": F("height"), "height": F("width")} if quarters % 2 else {}
    again = {"attempts": 0, "lease_expires_at": None, "is_text_read": False}
    ids = list(images.values_list("pk", flat=True))
    with transaction.atomic():
        TextInImage.objects.filter(image__in=ids).delete()
        unread = Image.objects.filter(pk__in=ids).exclude(status=Image.Status.READY)
        unread.update(status=Image.Status.PENDING, lease_expires_at=None)
        Image.objects.filter(pk__in=ids).update(turn=turned, **sides, **again)
        async_task("gallery.tasks.read_turned", ids, group="extraction")
        tasks.enqueue()
    return len(ids)


def local_text(moment: datetime | None, precision: str) -> str:
    """Write a local time as parse_date reads it: as much of it as is known."""
    if moment is None:
        return ""
    return moment.strftime(dates.FORMS.get(precision, "%Y-%m-%d %H:%M:%S"))
