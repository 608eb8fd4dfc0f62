"""Pictures that the filters leave, in the order of a date or a size, a piece at a time: the API's list.

A piece begins after the last picture of the one before, so that what arrives or goes meanwhile neither
repeats nor hides a picture.
"""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from gallery import access
from gallery.access import AnyUser
from gallery.models import Tag
from search.engines import engine
from search.engines.base import Place, Within
from search.query.errors import QueryError
from search.query.filters import Filters

ORDERS = ("-id", "id", "-taken", "taken", "-added", "added", "-size", "size")
MOST_ALBUMS = 200  # of which each is asked for its own
_CURSOR = re.compile(r"(-?\d{1,18})_(\d{1,16})", re.ASCII)


@dataclass(frozen=True)
class Listed:
    """Some pictures' numbers, what to ask with for those after them ('' at the end), and how many in all."""

    ids: list[int]
    next: str
    count: int


def piece(user: AnyUser, filters: Filters, tag: str, order: str, cursor: str, limit: int) -> Listed:
    """List what `user` may see, has been read and is left by the filters and the tag ('' for any).

    The order is one of ORDERS. QueryError for a filter or a cursor that cannot be.
    """
    after = None
    if cursor:
        key, pk = parse(cursor)
        after = _sign(order) * key, pk
    found = engine().piece(_within(user, filters, tag), order, after, limit)
    following = found.following
    return Listed(
        found.ids, f"{_sign(order) * following[0]}_{following[1]}" if following else "", found.count
    )


def around(user: AnyUser, filters: Filters, tag: str, order: str, pk: int) -> tuple[int | None, int | None]:
    """Return the numbers of the pictures before and after one in such a list; None where there is none.

    Of a picture that is not in the list both are None.
    """
    return engine().beside(_within(user, filters, tag), order, pk)


def by_number(allowed: access.Scope, oldest_first: bool, beyond: int | None, most: int) -> list[int]:
    """Return the numbers of the `most` visible pictures that come next behind the number `beyond`.

    Whoever shows them asks gallery.access for the pictures, as always: here are but their numbers. Each
    album is asked for as many of its own: going through all pictures takes long where few are visible.
    """
    if 0 < len(allowed.album_ids) <= MOST_ALBUMS:
        return access.next_numbers(allowed, oldest_first, beyond, most)
    visible = access.visible_within(allowed)
    if beyond is not None:
        visible = visible.filter(pk__gt=beyond) if oldest_first else visible.filter(pk__lt=beyond)
    order = "pk" if oldest_first else "-pk"
    return list(visible.order_by(order).values_list("pk", flat=True)[:most])


def _within(user: AnyUser, filters: Filters, tag: str) -> Within:
    tags = frozenset({Tag.objects.ids_of({tag}).get(tag, 0)} if tag else ())
    return Within(access.scope(user), tuple(filters.limits(user)), any_of_tags=tags)


def _sign(order: str) -> int:
    """Return what makes the keys of an order ascend, as they do in cursors."""
    return -1 if order.startswith("-") else 1


def parse(cursor: str) -> Place:
    """Read a cursor that `piece` gave: a key and a picture's number. QueryError for another text."""
    match = _CURSOR.fullmatch(cursor)
    if not match:
        raise QueryError("cursor", _("This is no cursor of ours."))
    return int(match[1]), int(match[2])
