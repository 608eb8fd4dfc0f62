"""Pictures that guests of a share link send: they wait in a corner until the link's owner looked at them."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from gallery import album_filling, ingest, trash
from gallery.models import Album, GuestPicture, Image, ShareLink
from gallery.refusal import NoRoomError

MOST_WAITING = 200  # pictures of a link
AT_ONCE = 20  # files


def receive(link: ShareLink, file: Any, name: str = "") -> int:
    """Take a guest's file, which nobody but the link's owner sees; RefusedError where it is not taken.

    Gives the picture's number, the same for the same file. What the owner has already waits all the same,
    and the guest is not told.
    """
    if GuestPicture.objects.filter(link=link).count() >= MOST_WAITING:
        raise NoRoomError(_("Many pictures wait here already. Try again later."))
    try:
        added = ingest.add(link.owner, file, restore=False, hidden=True)
    except NoRoomError as error:  # how full it is, and how to make room, is the owner's business
        raise NoRoomError(_("There is no room for more pictures here.")) from error
    is_waiting = GuestPicture.objects.filter(image=added.image).exists()
    if added.was_trashed and not is_waiting:
        return added.image.pk  # its owner put it into the trash, where it stays
    inside = added.image.albums.filter(pk=link.album_id or 0).exists()
    if not inside or added.image.trashed_at is not None:
        values = {"link": link, "album": link.album, "name": name[:100]}
        GuestPicture.objects.get_or_create(image=added.image, defaults=values)
    return added.image.pk


def accept(pictures: Iterable[GuestPicture]) -> int:
    """Let the pictures into their owner's library, and into the albums they were sent to; how many."""
    count = 0
    for picture in pictures:
        with transaction.atomic():
            trash.restore(Image.objects.filter(pk=picture.image_id))
            if picture.album and Album.objects.filter(pk=picture.album.pk).exists():
                album_filling.put(picture.album, [picture.image_id], picture.image.owner)
            picture.delete()
        count += 1
    return count


def decline(pictures: Iterable[GuestPicture]) -> int:
    """Put the pictures into their owner's trash, from now on; how many. What was in the library stays."""
    found = list(pictures)
    with transaction.atomic():
        hidden = Image.objects.filter(pk__in=[own.image_id for own in found], trashed_at__isnull=False)
        trash.move(hidden)
        GuestPicture.objects.filter(pk__in=[own.pk for own in found]).delete()
    return len(found)
