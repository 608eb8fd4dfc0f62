"""Pictures in the order of their dates: when each was taken, the months, and a picture's place."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.utils import timezone

from gallery.models import Image
from search.index.columns import UNKNOWN

Names = Callable[[list[int]], dict[int, str]]
MOST_TIED = (
    2000  # pictures of one moment whose names are looked at: more are a folder of scans, in order of ids
)


@dataclass(frozen=True)
class Month:
    """A month in which pictures were taken (or came here, where they do not say), and how many."""

    year: int
    number: int  # 1 to 12
    count: int

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)


class Timeline:
    """The visible, searchable pictures in the order of their dates, newest first or oldest first.

    Newest first, of one moment the last by name; of one name, the latest added.
    """

    def __init__(
        self, ids: np.ndarray, moments: np.ndarray, names: Names | None = None, oldest_first: bool = False
    ) -> None:
        """int64 (n,) each: the pictures' ids and when they were taken.

        By the clock of the place, in milliseconds since 1970 as if that were UTC. `names` gives the file
        names of pictures by their ids; left out, the database does.
        """
        self._ids, self._moments, self._names = ids, moments, names or _stored_names
        self._oldest_first = oldest_first
        self._months: list[Month] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    def months(self) -> list[Month]:
        """Every month that has pictures, in this order."""
        if self._months is None:
            self._months = self._counted()
        return self._months

    def _counted(self) -> list[Month]:
        if not len(self):
            return []
        first, last = (
            datetime.fromtimestamp(int(moment) // 1000, UTC)
            for moment in (self._moments.min(), self._moments.max())
        )
        numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        starts = [datetime(n // 12, n % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000 for n in numbers]
        counts = np.bincount(np.searchsorted(starts, self._moments, side="right") - 1, minlength=len(numbers))
        found = zip(numbers, counts.tolist(), strict=True)
        months = [Month(n // 12, n % 12 + 1, count) for n, count in found if count]
        return months if self._oldest_first else months[::-1]

    def __getitem__(self, wanted: slice) -> list[int]:
        """Return the ids of the pictures from `start` to `stop`: only those are sorted."""
        start, stop = wanted.start or 0, min(wanted.stop, len(self))
        if stop <= start:
            return []
        if self._oldest_first:
            return self._newest(len(self) - stop, len(self) - start)[::-1]
        return self._newest(start, stop)

    def _newest(self, start: int, stop: int) -> list[int]:
        least = np.partition(self._moments, len(self) - stop)[len(self) - stop]
        reach = np.flatnonzero(self._moments >= least)
        ordered = reach[np.lexsort((self._ids[reach], self._moments[reach]))[::-1]]
        # Those of one moment that are on this page, and those beside it, are told apart by their names.
        moments = -self._moments[ordered]
        first, last = np.searchsorted(moments, [moments[start], moments[stop - 1]], side="left")
        last = int(np.searchsorted(moments, moments[stop - 1], side="right"))
        named = self._by_name(ordered[first:last])
        return self._ids[named[start - first : stop - first]].tolist()

    def _by_name(self, rows: np.ndarray) -> np.ndarray:
        """Put rows in order of moment, which have the order of ids among the same ones, in that of names."""
        moments = self._moments[rows]
        _, of, counts = np.unique(moments, return_inverse=True, return_counts=True)
        is_tied = (counts[of] > 1) & (counts[of] <= MOST_TIED)
        tied = np.flatnonzero(is_tied)
        if not len(tied):
            return rows
        ids = self._ids[rows]
        names = self._names(ids[tied].tolist())
        keys = [natural(names.get(ids[i], "")) if is_tied[i] else [] for i in range(len(rows))]
        order = sorted(range(len(rows)), key=lambda i: (moments[i], keys[i], ids[i]), reverse=True)
        return rows[np.array(order)]

    def around(self, image_id: int) -> tuple[int | None, int | None]:
        """Give the ids of the pictures before and after this one.

        None at the ends, or where it is not among them.
        """
        return self.place(image_id)[1:]

    def place(self, image_id: int) -> tuple[int | None, int | None, int | None]:
        """Give a picture's place, from 0 on, and the ids of the pictures before and after it.

        None at the ends, or where it is not among them.
        """
        at = np.flatnonzero(self._ids == image_id)
        if not len(at):
            return None, None, None
        moment = self._moments[at[0]]
        newer, older = np.flatnonzero(self._moments > moment), np.flatnonzero(self._moments < moment)
        # The moment's own, and those of the next moments on both sides, in order.
        near = [np.flatnonzero(self._moments == moment)]
        near += [self._nearest(newer, np.min), self._nearest(older, np.max)]
        rows = np.concatenate(near)
        ordered = rows[np.lexsort((self._ids[rows], self._moments[rows]))[::-1]]
        ids = self._ids[self._by_name(ordered)].tolist()
        place = ids.index(image_id)
        number = len(newer) - len(near[1]) + place
        before, after = (
            (ids[place - 1] if place else None),
            (ids[place + 1] if place + 1 < len(ids) else None),
        )
        return (len(self) - 1 - number, after, before) if self._oldest_first else (number, before, after)

    def _nearest(self, rows: np.ndarray, extreme: Callable) -> np.ndarray:
        """Of these rows those of the first (np.min) or the last (np.max) moment."""
        if not len(rows):
            return rows
        moments = self._moments[rows]
        return rows[moments == extreme(moments)]


def _stored_names(ids: list[int]) -> dict[int, str]:
    return dict(Image.objects.filter(pk__in=ids).values_list("pk", "filename"))


def natural(name: str) -> list[tuple[int, str]]:
    """What to sort a file's name by so that 'img 10' comes behind 'img 9'."""
    parts = re.split(r"([0-9]+)", name.casefold())  # every second one is a number
    return [(int(part[:18]) if i % 2 else -1, part) for i, part in enumerate(parts)]


def moments(taken: np.ndarray, added: np.ndarray, by_added: bool = False) -> np.ndarray:
    """Return when pictures were taken, or, where they do not say or if `by_added`, came here.

    int64 (n,) each, from the index -> milliseconds since 1970 by the clock, as if that were UTC.
    """
    here = _on_the_sites_clock(added)
    return here if by_added else np.where(taken == UNKNOWN, here, taken)


def _on_the_sites_clock(added: np.ndarray) -> np.ndarray:
    """Seconds since 1970, int64 (n,) -> what the site's clock showed, in milliseconds as if that were UTC."""
    zone = timezone.get_default_timezone()
    days, of = np.unique(added // 86400, return_inverse=True)
    offsets = [
        (datetime.fromtimestamp(day * 86400, zone).utcoffset() or timedelta()).total_seconds()
        for day in days.tolist()
    ]
    return (added + np.array(offsets, np.int64)[of]) * 1000
