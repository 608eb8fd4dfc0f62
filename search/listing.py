"""Pictures that the filters leave, in the order of a date or a size, a piece at a time: the API's list.

A piece begins after the last picture of the one before, so that what arrives or goes meanwhile neither
repeats nor hides a picture.
"""

import re
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from gallery import access
from gallery.access import AnyUser
from gallery.models import Tag
from search import browsing
from search.index.index import Index
from search.live_index import live_index
from search.query.errors import QueryError
from search.query.filters import Filters

ORDERS = ("-id", "id", "-taken", "taken", "-added", "added", "-size", "size")
_CURSOR = re.compile(r"(-?\d{1,18})_(\d{1,16})", re.ASCII)


@dataclass(frozen=True)
class Piece:
    """Some pictures' numbers, what to ask with for those after them ('' at the end), and how many in all."""

    ids: list[int]
    next: str
    count: int


def piece(user: AnyUser, filters: Filters, tag: str, order: str, cursor: str, limit: int) -> Piece:
    """List what `user` may see, has been read and is left by the filters and the tag ('' for any).

    The order is one of ORDERS. QueryError for a filter or a cursor that cannot be.
    """
    ids, keys, sign = _left(user, filters, tag, order)
    count = len(ids)
    if cursor:
        key, pk = parse(cursor)
        rest = (keys > key) | ((keys == key) & (ids > sign * pk))
        ids, keys = ids[rest], keys[rest]
    if len(ids) > limit:  # only these are sorted
        reach = keys <= np.partition(keys, limit - 1)[limit - 1]
        first = np.flatnonzero(reach)[np.lexsort((ids[reach], keys[reach]))[:limit]]
        after = f"{keys[first[-1]]}_{abs(ids[first[-1]])}"
    else:
        first, after = np.lexsort((ids, keys)), ""
    return Piece(np.abs(ids[first]).tolist(), after, count)


def around(user: AnyUser, filters: Filters, tag: str, order: str, pk: int) -> tuple[int | None, int | None]:
    """Return the numbers of the pictures before and after one in such a list; None where there is none.

    Of a picture that is not in the list both are None.
    """
    ids, keys, sign = _left(user, filters, tag, order)
    own = np.flatnonzero(ids == sign * pk)
    if not len(own):
        return None, None
    key = keys[own[0]]
    before = np.flatnonzero((keys < key) | ((keys == key) & (ids < sign * pk)))
    after = np.flatnonzero((keys > key) | ((keys == key) & (ids > sign * pk)))
    last = before[np.lexsort((ids[before], keys[before]))[-1]] if len(before) else None
    first = after[np.lexsort((ids[after], keys[after]))[0]] if len(after) else None
    return (
        None if last is None else abs(int(ids[last])),
        None if first is None else abs(int(ids[first])),
    )


def _left(user: AnyUser, filters: Filters, tag: str, order: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Return ids and keys, int64 (n,) each, of what a list has, so signed that they ascend; and the sign."""
    scope = access.scope(user)
    tag_id = Tag.objects.ids_of({tag}).get(tag, 0)
    limits = filters.limits(user)
    with live_index.open() as index:
        seen = index.visible(scope.owner_id, scope.album_ids).copy()
        for own in limits:
            seen &= own.rows(index)
        if tag:
            carrying = np.zeros_like(seen)
            carrying[index.tag_rows(tag_id)] = True
            seen &= carrying
        rows = np.flatnonzero(seen)
        ids, keys = index.take("ids", rows).astype(np.int64), _keys(index, order.strip("-"), rows)
    sign = -1 if order.startswith("-") else 1
    return sign * ids, sign * keys, sign


def _keys(index: Index, order: str, rows: np.ndarray) -> np.ndarray:
    """Return what rows int64 (n,) are sorted by, ascending, int64 (n,)."""
    if order == "id":
        return index.take("ids", rows).astype(np.int64)
    if order == "size":
        return index.take("sides", rows).astype(np.int64)
    taken, added = index.take("taken", rows), index.take("added", rows)
    return browsing.moments(taken, added, by_added=order == "added")


def parse(cursor: str) -> tuple[int, int]:
    """Read a cursor that `piece` gave: a key and a picture's number. QueryError for another text."""
    match = _CURSOR.fullmatch(cursor)
    if not match:
        raise QueryError("cursor", _("This is no cursor of ours."))
    return int(match[1]), int(match[2])
