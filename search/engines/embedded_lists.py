"""Ordered lists from an index in memory."""

import numpy as np

from search import timeline
from search.engines.base import Piece, Place, Within
from search.index.index import Index


class OrderedList:
    """What may be found, in one of search.listing.ORDERS."""

    def __init__(self, index: Index, within: Within, order: str) -> None:
        self._sign = -1 if order.startswith("-") else 1
        rows = np.flatnonzero(within.rows(index))
        # So signed that both ascend: int64 (n,) each.
        self._ids = self._sign * index.take("ids", rows).astype(np.int64)
        self._keys = self._sign * _keys(index, order.strip("-"), rows)

    def piece(self, after: Place | None, limit: int) -> Piece:
        """Return what comes behind a place."""
        ids, keys = self._ids, self._keys
        if after:
            rest = self._behind(self._sign * after[0], self._sign * after[1])
            ids, keys = ids[rest], keys[rest]
        if len(ids) <= limit:
            return Piece(np.abs(ids[np.lexsort((ids, keys))]).tolist(), None, len(self._ids))
        reach = keys <= np.partition(keys, limit - 1)[limit - 1]  # only these are sorted
        first = np.flatnonzero(reach)[np.lexsort((ids[reach], keys[reach]))[:limit]]
        following = self._sign * int(keys[first[-1]]), abs(int(ids[first[-1]]))
        return Piece(np.abs(ids[first]).tolist(), following, len(self._ids))

    def beside(self, pk: int) -> tuple[int | None, int | None]:
        """Return the numbers of the pictures before and after one."""
        own = np.flatnonzero(self._ids == self._sign * pk)
        if not len(own):
            return None, None
        key, place = self._keys[own[0]], self._sign * pk
        after = np.flatnonzero(self._behind(key, place))
        before = np.flatnonzero((self._keys < key) | ((self._keys == key) & (self._ids < place)))
        return self._number(before, -1), self._number(after, 0)

    def _behind(self, key: int, place: int) -> np.ndarray:
        rest: np.ndarray = (self._keys > key) | ((self._keys == key) & (self._ids > place))
        return rest

    def _number(self, rows: np.ndarray, at: int) -> int | None:
        if not len(rows):
            return None
        ordered = rows[np.lexsort((self._ids[rows], self._keys[rows]))]
        return abs(int(self._ids[ordered[at]]))


def _keys(index: Index, order: str, rows: np.ndarray) -> np.ndarray:
    """Return what rows int64 (n,) are sorted by, ascending, int64 (n,)."""
    if order == "id":
        return index.take("ids", rows).astype(np.int64)
    if order == "size":
        return index.take("sides", rows).astype(np.int64)
    taken, added = index.take("taken", rows), index.take("added", rows)
    return timeline.moments(taken, added, by_added=order == "added")
