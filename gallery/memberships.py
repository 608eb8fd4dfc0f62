"""Who takes part in an album."""

from django.contrib.auth.models import User
from django_q.tasks import async_task

from gallery.models import Album, AlbumMember


def invite(album: Album, person: User, role: str, address: str) -> tuple[AlbumMember, bool]:
    """Make a person a member of the album, or give them another role; also whether they are new.

    Who is new is told by a letter, which has the album's `address`.
    """
    member, is_new = AlbumMember.objects.update_or_create(album=album, user=person, defaults={"role": role})
    if is_new:
        async_task("gallery.letters.tell_of_album", person.pk, album.pk, address, group="letters")
    return member, is_new
