"""Pictures without a question: by date, newest first, and by tag.

From the index, so that a million are no trouble.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from django.utils import timezone

from gallery import access
from gallery.access import AnyUser
from gallery.models import Image, Tag
from search.index.columns import UNKNOWN
from search.live_index import live_index


@dataclass(frozen=True)
class Month:
    """A month in which pictures were taken (or came here, where they do not say), and how many."""

    year: int
    number: int  # 1 to 12
    count: int

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)


@dataclass(frozen=True)
class TagCount:
    """A tag, how many visible pictures carry it, and the latest of these."""

    name: str
    count: int
    cover: int


class Timeline:
    """The visible, searchable pictures in the order of their dates, newest first.

    Of one moment, latest added first.
    """

    def __init__(self, ids: np.ndarray, moments: np.ndarray) -> None:
        """int64 (n,) each: the pictures' ids and when they were taken, in seconds since 1970."""
        self._ids, self._moments = ids, moments

    def __len__(self) -> int:
        return len(self._ids)

    def months(self) -> list[Month]:
        """Every month that has pictures, newest first."""
        if not len(self):
            return []
        zone = timezone.get_default_timezone()
        first = datetime.fromtimestamp(int(self._moments.min()), zone)
        last = datetime.fromtimestamp(int(self._moments.max()), zone)
        numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        starts = [datetime(n // 12, n % 12 + 1, 1, tzinfo=zone).timestamp() for n in numbers]
        counts = np.bincount(np.searchsorted(starts, self._moments, side="right") - 1, minlength=len(numbers))
        found = zip(numbers, counts.tolist(), strict=True)
        return [Month(n // 12, n % 12 + 1, count) for n, count in found if count][::-1]

    def __getitem__(self, wanted: slice) -> list[int]:
        """Return the ids of the pictures from `start` to `stop`: only those are sorted."""
        stop = min(wanted.stop, len(self))
        if not stop:
            return []
        least = np.partition(self._moments, len(self) - stop)[len(self) - stop]
        reach = np.flatnonzero(self._moments >= least)
        ordered = reach[np.lexsort((self._ids[reach], self._moments[reach]))[::-1]]
        return self._ids[ordered[wanted.start or 0 : stop]].tolist()

    def around(self, image_id: int) -> tuple[int | None, int | None]:
        """Give the ids of the pictures before and after this one.

        None at the ends, or where it is not among them.
        """
        at = np.flatnonzero(self._ids == image_id)
        if not len(at):
            return None, None
        moment = self._moments[at[0]]
        same = self._moments == moment
        newer = np.flatnonzero((self._moments > moment) | (same & (self._ids > image_id)))
        older = np.flatnonzero((self._moments < moment) | (same & (self._ids < image_id)))
        return self._end(newer, np.min), self._end(older, np.max)

    def _end(self, rows: np.ndarray, extreme: Callable) -> int | None:
        """Return the id of the first (np.min) or the last (np.max) of the rows in time.

        None where there are none.
        """
        if not len(rows):
            return None
        moments = self._moments[rows]
        return int(extreme(self._ids[rows[moments == extreme(moments)]]))


def timeline(user: AnyUser) -> Timeline:
    """Everything that `user` may see, as of now."""
    allowed = access.scope(user)
    with live_index.open() as index:
        rows = np.flatnonzero(index.visible(allowed.owner_id, allowed.album_ids))
        ids, taken, added = (index.take(name, rows) for name in ("ids", "taken", "added"))
    return Timeline(ids, np.where(taken == UNKNOWN, added, taken))


def latest(user: AnyUser, count: int) -> list[Image]:
    """Return the `count` visible pictures that came here last.

    First those of the person's own that are not searchable yet.
    """
    allowed = access.scope(user)
    with live_index.open() as index:
        rows = np.flatnonzero(index.visible(allowed.owner_id, allowed.album_ids))
        ids = np.sort(index.take("ids", rows))[::-1][:count]
    unread = list(access.unread_images(user)[:count])
    return [*unread, *images_of(ids.tolist())][:count]


def images_of(ids: list[int]) -> list[Image]:
    """Return the pictures with these ids, in this order; those that are gone meanwhile are left out."""
    found = Image.objects.in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def tags(user: AnyUser) -> list[TagCount]:
    """Every tag that visible pictures carry, most frequent first."""
    names = dict(Tag.objects.values_list("id", "name"))
    allowed = access.scope(user)
    found = []
    with live_index.open() as index:
        visible = index.visible(allowed.owner_id, allowed.album_ids)
        for tag_id in index.tag_ids():
            rows = index.tag_rows(tag_id)
            rows = rows[visible[rows]]
            if len(rows) and tag_id in names:
                found.append((names[tag_id], len(rows), rows[-1]))
        covers = index.take("ids", np.array([row for *_, row in found], np.int64)).tolist()
    counted = [TagCount(name, count, cover) for (name, count, _), cover in zip(found, covers, strict=True)]
    return sorted(counted, key=lambda own: (-own.count, own.name))
