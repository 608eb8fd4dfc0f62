"""Switching extractors without a gap.

The old one's rows are searched until the new one has read every picture.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from gallery.extraction import registry
from gallery.extraction.base import Description
from gallery.models import ActiveExtractor, Embedding, Image

MAX_ATTEMPTS = 3


def current() -> Description:
    """Return the extractor whose rows are searched, which also embeds queries and reads new pictures.

    It is the setting's, except while that one is still reading the library: then it is the one before.
    """
    target = registry.target()
    key = ActiveExtractor.objects.values_list("key", flat=True).first()
    if key in (None, target.key):
        return target
    before = registry.describe_key(key)
    # Without its weights the old extractor cannot embed a query: better some results of the new one than
    # none.
    return before or target


def remember(description: Description) -> None:
    """Note that rows of this extractor are there to be searched, before the first of them is written."""
    ActiveExtractor.objects.get_or_create(pk=1, defaults={"key": description.key})


def unread(key: str) -> QuerySet[Image]:
    """Return the READY images that the extractor has not read, without those that it gave up on."""
    read = Embedding.objects.filter(image=OuterRef("pk"), extractor=key)
    return Image.objects.filter(~Exists(read), status=Image.Status.READY, attempts__lt=MAX_ATTEMPTS).order_by(
        "pk"
    )


def is_switching() -> bool:
    """Whether the setting's extractor has not taken over yet."""
    key = ActiveExtractor.objects.values_list("key", flat=True).first()
    return key is not None and key != registry.target().key


def unsuspicious(images: list[Image]) -> list[Image]:
    """Pick those of the images that may be processed together, which come with the fewest attempts first.

    Those that were never begun, or else a quarter of a batch of those that were begun once, or else one
    alone: if one of them kills workers, it takes few others with it.
    """
    least = min((image.attempts for image in images), default=0)
    alike = [image for image in images if image.attempts == least]
    return alike[: max(1, len(images) // 4**least)] if least < MAX_ATTEMPTS - 1 else alike[:1]


def claim_unread(target: Description, size: int) -> list[Image]:
    """Return the next images for the extractor to read, the attempt counted.

    The cursor moves past them, so that nobody else gets them, and comes back for those that were lost on the
    way.
    """
    with transaction.atomic():
        row = ActiveExtractor.objects.select_for_update().get(pk=1)
        if row.successor != target.key:
            row.successor, row.cursor = target.key, 0
        images = list(unread(target.key).filter(pk__gt=row.cursor)[:size])
        if not images and row.cursor:
            images = list(unread(target.key)[:size])
        images = unsuspicious(images)
        row.cursor = images[-1].pk if images else row.cursor
        row.save()
        Image.objects.filter(pk__in=[image.pk for image in images]).update(attempts=F("attempts") + 1)
    return images


def switch_if_complete() -> bool:
    """Search the setting's extractor from now on, if it has read everything; whether it is searched now.

    What it could not read in MAX_ATTEMPTS is FAILED, as it cannot be found any more.
    """
    target = registry.target()
    with transaction.atomic():
        row = ActiveExtractor.objects.select_for_update().filter(pk=1).first()
        if row is None or row.key == target.key:
            return True
        if unread(target.key).exists():
            return False
        read = Embedding.objects.filter(image=OuterRef("pk"), extractor=target.key)
        lost = Image.objects.filter(~Exists(read), status=Image.Status.READY)
        lost.filter(error="").update(error=Image.Failure.CRASHED)
        lost.update(status=Image.Status.FAILED)
        ActiveExtractor.objects.filter(pk=1).update(key=target.key, successor="", cursor=0)
    return True


@dataclass(frozen=True)
class Progress:
    """How far a switch is: images read by the target extractor, of all that are searchable."""

    serving: str
    target: str
    done: int
    total: int

    @property
    def is_switching(self) -> bool:
        return self.serving != self.target


def progress() -> Progress:
    """Return the state of a switch, for people; counts the library, so not for every request."""
    serving, target = current(), registry.target()
    total = Image.objects.filter(status=Image.Status.READY).count()
    return Progress(serving.key, target.key, total - unread(target.key).count(), total)
