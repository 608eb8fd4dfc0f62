"""Pictures without a question: by date, newest first, and by tag.

From the index, so that a million are no trouble; from the database where a service has it.
"""

from dataclasses import dataclass

import numpy as np

from gallery import access
from gallery.access import AnyUser
from gallery.models import Image, Tag
from search import browsing_by_sql
from search.engines import has_index
from search.index.index import Index
from search.live_index import live_index
from search.timeline import Timeline, moments

ORDERS = ("newest", "oldest", "added", "added-oldest")
WHOSE = ("", "mine", "shared")


@dataclass(frozen=True)
class TagCount:
    """A tag, how many visible pictures carry it, and the latest of these."""

    name: str
    count: int
    cover: int


def timeline(user: AnyUser, order: str = "newest", whose: str = "") -> "Timeline | browsing_by_sql.Timeline":
    """Everything that `user` may see, as of now, in one of ORDERS; of it what is 'mine' or 'shared'."""
    allowed = access.scope(user)
    if not has_index():
        return browsing_by_sql.Timeline(allowed, order, whose)
    with live_index.open() as index:
        key = (allowed.owner_id, frozenset(allowed.album_ids), order, whose)
        found: Timeline = index.remembered("timeline", key, lambda: _timeline(index, allowed, order, whose))
    return found


def _timeline(index: Index, allowed: access.Scope, order: str, whose: str) -> Timeline:
    rows = np.flatnonzero(index.visible(allowed.owner_id, allowed.album_ids))
    if whose:
        rows = rows[(index.take("owners", rows) == allowed.owner_id) == (whose == "mine")]
    ids, taken, added = (index.take(name, rows) for name in ("ids", "taken", "added"))
    by_added = order.startswith("added")
    return Timeline(ids, moments(taken, added, by_added), oldest_first=order in ("oldest", "added-oldest"))


def count(user: AnyUser) -> int:
    """Count the visible pictures, those of the person's own that are not searchable yet among them."""
    allowed = access.scope(user)
    if not has_index():
        return browsing_by_sql.searchable(allowed).count() + access.unread_images(user).count()
    with live_index.open() as index:
        searchable = int(np.count_nonzero(index.visible(allowed.owner_id, allowed.album_ids)))
    return searchable + access.unread_images(user).count()


def latest(user: AnyUser, count: int) -> list[Image]:
    """Return the `count` visible pictures that came here last.

    First those of the person's own that are not searchable yet.
    """
    allowed = access.scope(user)
    unread = list(access.unread_images(user)[:count])
    return [*unread, *images_of(allowed, _latest_searchable(allowed, count))][:count]


def _latest_searchable(allowed: access.Scope, count: int) -> list[int]:
    if not has_index():
        newest = browsing_by_sql.searchable(allowed).order_by("-pk")
        return list(newest.values_list("pk", flat=True)[:count])
    with live_index.open() as index:
        rows = np.flatnonzero(index.visible(allowed.owner_id, allowed.album_ids))
        ids: list[int] = index.newest(rows, count).tolist()
    return ids


def images_of(allowed: access.Scope, ids: list[int]) -> list[Image]:
    """Return the pictures with these ids, in this order, without those that went or were hidden meanwhile."""
    found = access.visible_within(allowed).in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def tags(user: AnyUser) -> list[TagCount]:
    """Every tag that visible pictures carry, most frequent first."""
    names = dict(Tag.objects.values_list("id", "name"))
    counts = _count_tags(access.scope(user))
    counted = [TagCount(names[pk], *own) for pk, own in counts.items() if pk in names]
    return sorted(counted, key=lambda own: (-own.count, own.name))


def _count_tags(allowed: access.Scope) -> dict[int, tuple[int, int]]:
    """Say of each tag how many visible pictures carry it, and the number of the latest."""
    if not has_index():
        return browsing_by_sql.count_tags(allowed)
    counts, latest, appended = {}, {}, {}
    with live_index.open() as index:
        visible = index.visible(allowed.owner_id, allowed.album_ids)
        for tag_id in index.tag_ids():
            rows = index.tag_rows(tag_id)
            rows = rows[visible[rows]]
            if not len(rows):
                continue
            counts[tag_id] = len(rows)
            if rows[-1] < index.size - index.appended:
                latest[tag_id] = rows[-1]  # the snapshot's rows are in order
            else:
                appended[tag_id] = int(index.newest(rows.astype(np.int64), 1)[0])
        ids = index.take("ids", np.array([*latest.values()], np.int64)).tolist()
    covers = dict(zip(latest, ids, strict=True)) | appended
    return {tag_id: (count, covers[tag_id]) for tag_id, count in counts.items()}
