"""The pictures before and after one, in the list that it was opened from.

A search's results, an album, or by date.
"""

from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse

from gallery import access
from gallery.access import AnyUser
from gallery.models import Album, Image
from search import browsing, engine
from search.query.address import from_address
from search.query.errors import QueryError
from search.query.query import parse_id


@dataclass(frozen=True)
class Neighbours:
    """Addresses: of the picture before, of the one after, and of the list; None where there is none."""

    previous: str | None
    next: str | None
    back: str
    following: str | None = None  # of the next one, once this one is gone: results move up

    @property
    def after_deletion(self) -> str:
        """Where one is when this one was deleted: at the next one, or else the one before, or the list."""
        return self.following or self.next or self.previous or self.back


def around(image: Image, user: AnyUser, parameters: QueryDict) -> Neighbours:
    """Return the neighbours of the picture whose page has these parameters.

    `in` names the list, 'search' with the query and the picture's place `at`, or 'album' with its number.
    What cannot be read is passed over, and dates decide.
    """
    try:
        match parameters.get("in"):
            case "search":
                return _in_search(user, parameters)
            case "album":
                return _in_album(image, user, parameters)
    except (QueryError, Album.DoesNotExist):
        pass  # the album is gone, say: the picture is still there to be seen
    previous, following = browsing.timeline(user).around(image.pk)
    return Neighbours(_page(previous), _page(following), reverse("browse"))


def _page(image_id: int | None, parameters: QueryDict | None = None) -> str | None:
    if image_id is None:
        return None
    return reverse("image", args=[image_id]) + (f"?{parameters.urlencode()}" if parameters else "")


def _in_search(user: AnyUser, parameters: QueryDict) -> Neighbours:
    at = parse_id("at", parameters.get("at", ""))
    first = max(at - 1, 0)
    results = engine.search(from_address(parameters), user, first, 3, "all" not in parameters).results

    def neighbour(place: int, moved_to: int | None = None) -> str | None:
        if not 0 <= place - first < len(results):
            return None
        own = parameters.copy()
        own["at"] = str(place if moved_to is None else moved_to)
        return _page(results[place - first].image.pk, own)

    query = parameters.copy()
    del query["in"], query["at"]
    back = f"{reverse('search')}?{query.urlencode()}"
    return Neighbours(neighbour(at - 1), neighbour(at + 1), back, neighbour(at + 1, at))


def _in_album(image: Image, user: AnyUser, parameters: QueryDict) -> Neighbours:
    album = access.visible_albums(user).get(pk=parse_id("album", parameters.get("album", "")))
    ids = list(access.album_images(album).order_by(*album.order_of()).values_list("image_id", flat=True))
    at = ids.index(image.pk) if image.pk in ids else len(ids)
    previous = ids[at - 1] if 0 < at < len(ids) else None
    following = ids[at + 1] if at + 1 < len(ids) else None
    return Neighbours(
        _page(previous, parameters), _page(following, parameters), reverse("album", args=[album.pk])
    )
