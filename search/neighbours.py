"""The pictures before and after one, in the list that it was opened from.

A search's results, an album, or by date.
"""

from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse

from gallery import access
from gallery.access import AnyUser
from gallery.models import Album, Image
from gallery.views.paging import PICTURES, RESULTS
from search import browsing, engine
from search.errors import EngineAwayError, NotReadyError
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
    number: int | None = None  # the picture's place in the list, from 1 on
    count: int | None = None  # how many are in the list

    @property
    def after_deletion(self) -> str:
        """Where one is when this one was deleted: at the next one, or else the one before, or the list."""
        return self.following or self.next or self.previous or self.back


def around(image: Image, user: AnyUser, parameters: QueryDict) -> Neighbours:
    """Return the neighbours of the picture whose page has these parameters.

    `in` names the list, 'search' with the query and the picture's place `at`, 'album' with its number, or
    'dates' with the order and whose pictures. What cannot be read is passed over, and dates decide.
    """
    parameters = parameters.copy()
    parameters.pop("play", None)  # the slide show goes on by itself
    try:
        match parameters.get("in"):
            case "search":
                return _in_search(user, image, parameters)
            case "album":
                return _in_album(image, user, parameters)
    except (QueryError, Album.DoesNotExist, EngineAwayError, NotReadyError):
        pass  # the album is gone, say: the picture is still there to be seen
    return _by_date(image, user, parameters)


def _page(image_id: int | None, parameters: QueryDict | None = None) -> str | None:
    if image_id is None:
        return None
    return reverse("image", args=[image_id]) + (f"?{parameters.urlencode()}" if parameters else "")


def _list(address: str, query: str, place: int | None, per_page: int, image: Image) -> str:
    """Return a list's address, at the page and the tile of the picture that has this place in it."""
    page = [f"page={place // per_page + 1}"] if place is not None and place >= per_page else []
    whole = "&".join([*([query] if query else []), *page])
    return address + (f"?{whole}" if whole else "") + (f"#i{image.pk}" if place is not None else "")


def _by_date(image: Image, user: AnyUser, parameters: QueryDict) -> Neighbours:
    order, whose = parameters.get("order", ""), parameters.get("whose", "")
    order = order if order in browsing.ORDERS else browsing.ORDERS[0]
    whose = whose if whose in browsing.WHOSE else ""
    timeline = browsing.timeline(user, order, whose)
    place, previous, following = timeline.place(image.pk)
    own = QueryDict(mutable=True)
    own.update(
        {name: value for name, value in (("order", order), ("whose", whose)) if value not in ("", "newest")}
    )
    within = own.copy()
    if own:
        within["in"] = "dates"
    back = _list(reverse("browse"), own.urlencode(), place, PICTURES, image)
    number = None if place is None else place + 1
    return Neighbours(
        _page(previous, within), _page(following, within), back, number=number, count=len(timeline)
    )


def _in_search(user: AnyUser, image: Image, parameters: QueryDict) -> Neighbours:
    at = parse_id("at", parameters.get("at", ""))
    first = max(at - 1, 0)
    found = engine.search(from_address(parameters), user, first, 3, "all" not in parameters)

    def neighbour(place: int, moved_to: int | None = None) -> str | None:
        if not 0 <= place - first < len(found.results):
            return None
        own = parameters.copy()
        own["at"] = str(place if moved_to is None else moved_to)
        return _page(found.results[place - first].image.pk, own)

    query = parameters.copy()
    del query["in"], query["at"]
    count = found.shown("all" not in parameters)
    return Neighbours(
        neighbour(at - 1),
        neighbour(at + 1),
        _list(reverse("search"), query.urlencode(), at, RESULTS, image),
        neighbour(at + 1, at),
        number=at + 1 if at < count else None,
        count=count,
    )


def _in_album(image: Image, user: AnyUser, parameters: QueryDict) -> Neighbours:
    album = access.visible_albums(user).get(pk=parse_id("album", parameters.get("album", "")))
    ids = list(access.album_images(album).order_by(*album.order_of()).values_list("image_id", flat=True))
    at = ids.index(image.pk) if image.pk in ids else None
    previous = ids[at - 1] if at else None
    following = ids[at + 1] if at is not None and at + 1 < len(ids) else None
    return Neighbours(
        _page(previous, parameters),
        _page(following, parameters),
        _list(reverse("album", args=[album.pk]), "", at, PICTURES, image),
        number=None if at is None else at + 1,
        count=len(ids),
    )
