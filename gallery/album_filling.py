"""Pictures go into albums, and the album remembers who put them there."""

from collections.abc import Iterable

from gallery.access import AnyUser
from gallery.models import Album, AlbumImage


def put(album: Album, image_ids: Iterable[int], by: AnyUser) -> set[int]:
    """Put pictures into an album, the later numbers on top; return those that were not in it."""
    wanted = set(image_ids)
    there = AlbumImage.objects.filter(album=album, image__in=wanted).values_list("image_id", flat=True)
    new = wanted - set(there)
    AlbumImage.objects.bulk_create(
        [AlbumImage(album=album, image_id=pk, added_by_id=by.pk) for pk in sorted(new)], ignore_conflicts=True
    )
    return new
