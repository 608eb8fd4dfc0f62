"""The order of an album's pictures by hand."""

from collections.abc import Iterable

from django.db import connection, transaction
from django.utils.translation import gettext as _

from gallery import access
from gallery.models import Album

PLACES = ("first", "earlier", "later", "last")


def place(album: Album, image_ids: Iterable[int], where: str | int) -> None:
    """Move these of the album's pictures together to one of PLACES, or before the picture of this number.

    The order is by hand from then on.

    ValueError if none of them, or not the picture that they are to stand before, is in the album.
    """
    with transaction.atomic():
        Album.objects.select_for_update().filter(pk=album.pk).first()  # one after the other
        links = list(access.album_images(album).order_by(*album.order_of()).values_list("pk", "image_id"))
        chosen = set(image_ids)
        moved = [link for link in links if link[1] in chosen]
        if not moved:
            raise ValueError(_("These pictures are not in the album."))
        rest = [link for link in links if link[1] not in chosen]
        at = _target(links, moved, rest, where)
        ordered = [*rest[:at], *moved, *rest[at:]]
        with connection.cursor() as cursor:  # ten thousand rows in one statement that is prepared once
            cursor.executemany(
                "UPDATE gallery_albumimage SET position = %s WHERE id = %s",
                [(position, pk) for position, (pk, _) in enumerate(ordered)],
            )
        Album.objects.filter(pk=album.pk).update(order=Album.Order.HAND)


def _target(links: list[tuple], moved: list[tuple], rest: list[tuple], where: str | int) -> int:
    """How many of the rest stand before the moved ones."""
    first = links.index(moved[0])
    match where:
        case "first":
            return 0
        case "last":
            return len(rest)
        case "earlier":
            return max(first - 1, 0)
        case "later":
            return min(first + 1, len(rest))
    others = [image_id for _, image_id in rest]
    if where in others:
        return others.index(where)
    raise ValueError(_("The picture to place them before is not in the album."))
