"""Results in another order than that of their scores: by date, by name or by size."""

import numpy as np
from django.utils.translation import gettext as _

from gallery.models import Image
from search import timeline
from search.index.index import Index
from search.query.errors import QueryError

MOST_NAMED = 50_000  # pictures that are sorted by name, for the database is asked for each of the names

AT_ONCE = 10_000  # numbers in one statement


def page_of_rows(index: Index, order: str, rows: np.ndarray, offset: int, limit: int) -> np.ndarray:
    """Return the rows int64 (n,) from `offset` on, `limit` at most, in this order of query.ORDERS.

    QueryError for too many to be sorted by name.
    """
    if order == "name":
        return rows[by_name(index.take("ids", rows))[offset : offset + limit]]
    ids = index.take("ids", rows)
    if order == "size":
        keys = -index.take("sides", rows).astype(np.int64)
    else:
        taken, added = index.take("taken", rows), index.take("added", rows)
        keys = timeline.moments(taken, added, by_added=order == "added")
        keys = keys if order == "oldest" else -keys
    last = min(offset + limit, len(rows))
    if last <= offset:
        return rows[:0]
    # Only those up to the page's end are sorted.
    reach = np.flatnonzero(keys <= np.partition(keys, last - 1)[last - 1])
    return rows[reach[np.lexsort((-ids[reach], keys[reach]))[offset:last]]]


def refuse_many(count: int) -> None:
    """Raise QueryError for more pictures than can be sorted by name."""
    if count > MOST_NAMED:
        raise QueryError(
            "sort", _("Only up to %(most)s pictures can be sorted by name.") % {"most": MOST_NAMED}
        )


def by_name(ids: np.ndarray) -> np.ndarray:
    """Return the order of pictures with these ids by their files' names, int64 (n,).

    QueryError for too many.
    """
    refuse_many(len(ids))
    names: dict[int, str] = {}
    for start in range(0, len(ids), AT_ONCE):
        some = Image.objects.filter(pk__in=ids[start : start + AT_ONCE].tolist())
        names |= dict(some.values_list("pk", "filename"))
    keys = [(timeline.natural(names.get(pk, "")), -pk) for pk in ids.tolist()]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
