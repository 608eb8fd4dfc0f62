"""The trash.

Deleted pictures wait there for thirty days, with their tags and albums, and can be restored.
"""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from gallery import access, audit
from gallery.access import AnyUser
from gallery.models import GuestPicture, Image

KEPT = timedelta(days=30)
NAMED = 3  # pictures whose names the audit trail tells
AT_A_TIME = 200  # pictures deleted for good in one transaction


def move(images: QuerySet[Image]) -> int:
    """Put the pictures into the trash; how many there were. Of those from guests, that is the answer."""
    GuestPicture.objects.filter(image__in=images.values("pk")).delete()
    named = _named(images)
    if count := images.update(trashed_at=timezone.now()):
        audit.note("moved to the trash", f"{count}: {named}")
    return count


def restore(images: QuerySet[Image]) -> int:
    """Bring the pictures back; how many there were."""
    trashed = images.filter(trashed_at__isnull=False)
    named = _named(trashed)
    if count := trashed.update(trashed_at=None):
        audit.note("restored", f"{count}: {named}")
    return count


def _named(images: QuerySet[Image]) -> str:
    """Name the first of the pictures, for the audit trail."""
    names = list(images.order_by("pk").values_list("filename", "pk")[: NAMED + 1])
    said = ", ".join(f"{name} ({pk})" for name, pk in names[:NAMED])
    return f"{said} …" if len(names) > NAMED else said


def purge() -> str:
    """Delete for good what has been in the trash for thirty days. The worker does it every hour."""
    old = Image.objects.filter(trashed_at__lt=timezone.now() - KEPT)
    count = delete_for_good(old.exclude(pk__in=GuestPicture.objects.values("image")))
    return f"{count} pictures deleted for good"


def empty(person: AnyUser) -> tuple[int, bool]:
    """Delete for good what is in the person's trash: how many pictures, and whether the worker still does it.

    More than AT_A_TIME would hold up the request.
    """
    images = access.trashed_images(person)
    count = images.count()
    if count <= AT_A_TIME:
        return delete_for_good(images), False
    async_task("gallery.trash.empty_until", person.pk, timezone.now().isoformat(), group="trash")
    return count, True


def empty_until(person_id: int, moment: str) -> str:
    """Delete for good what lay in the person's trash at a moment (ISO 8601); the worker's part of `empty`."""
    count = 0
    for person in User.objects.filter(pk=person_id):  # none, where the account went meanwhile
        old = access.trashed_images(person).filter(trashed_at__lte=datetime.fromisoformat(moment))
        count = delete_for_good(old)
    return f"{count} pictures deleted for good"


def delete_for_good(images: QuerySet[Image]) -> int:
    """Delete the pictures and their files; how many there were."""
    count, named = 0, _named(images)
    while chunk := list(images.order_by("pk")[:AT_A_TIME]):
        for image in chunk:  # one by one, for each has files that its deletion takes along
            image.delete()
        count += len(chunk)
    if count:
        audit.note("deleted for good", f"{count}: {named}")
    return count
