"""The trash.

Deleted pictures wait there for thirty days, with their tags and albums, and can be restored.
"""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from gallery.models import GuestPicture, Image

KEPT = timedelta(days=30)
AT_A_TIME = 200  # pictures deleted for good in one transaction


def move(images: QuerySet[Image]) -> int:
    """Put the pictures into the trash; how many there were. Of those from guests, that is the answer."""
    GuestPicture.objects.filter(image__in=images.values("pk")).delete()
    return images.update(trashed_at=timezone.now())


def restore(images: QuerySet[Image]) -> int:
    """Bring the pictures back; how many there were."""
    return images.filter(trashed_at__isnull=False).update(trashed_at=None)


def purge() -> str:
    """Delete for good what has been in the trash for thirty days. The worker does it every hour."""
    old = Image.objects.filter(trashed_at__lt=timezone.now() - KEPT)
    count = delete_for_good(old.exclude(pk__in=GuestPicture.objects.values("image")))
    return f"{count} pictures deleted for good"


def delete_for_good(images: QuerySet[Image]) -> int:
    """Delete the pictures and their files; how many there were."""
    count = 0
    while chunk := list(images.order_by("pk")[:AT_A_TIME]):
        for image in chunk:  # one by one, for each has files that its deletion takes along
            image.delete()
        count += len(chunk)
    return count
