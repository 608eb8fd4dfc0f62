"""Where an upload goes besides the library: into an album, and under tags."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from gallery import access, album_filling, tagging
from gallery.access import AnyUser
from gallery.models import Album, Image
from gallery.models.tag import normalize

MOST_TAGS = 20
MOST_TITLE = 200  # characters


@dataclass(frozen=True)
class Destination:
    """An album or none, and tags, that every picture of an upload gets."""

    album: Album | None = None
    tags: tuple[str, ...] = ()

    def receive(self, image: Image) -> None:
        """Put the uploader's own picture where it goes; there twice is there once."""
        if self.album:
            album_filling.put(self.album, [image.pk], image.owner)
        for tag in self.tags:
            tagging.add(image, tag)


def destination(user: AnyUser, album_id: int | None, title: str, tags: Iterable[str]) -> Destination:
    """Look up where `user` wants their pictures; an album that they have not yet is made.

    ValidationError, by the name of the field, for what cannot be.
    """
    try:
        names = tuple(dict.fromkeys(normalize(tag) for tag in tags if tag.strip()))
    except ValidationError as error:
        raise ValidationError({"tags": error.messages}) from error
    if len(names) > MOST_TAGS:
        raise ValidationError({"tags": [_("Use at most %(max_tags)s tags.") % {"max_tags": MOST_TAGS}]})
    return Destination(_album(user, album_id, " ".join(title.split())), names)


def _album(user: AnyUser, album_id: int | None, title: str) -> Album | None:
    if album_id is not None and title:
        raise ValidationError({"album": [_("Choose an album, or name a new one: one of both.")]})
    if album_id is not None:
        album = access.fillable_albums(user).filter(pk=album_id).first()
        if album is None:
            raise ValidationError({"album_id": [_("You can't add pictures to this album.")]})
        return album
    if not title:
        return None
    if len(title) > MOST_TITLE or not title.isprintable():
        raise ValidationError(
            {"album": [_("A title has at most %(most)s characters.") % {"most": MOST_TITLE}]}
        )
    return Album.objects.get_or_create(owner_id=user.pk, title=title)[0]
