"""Following the log of changes: where a reader stands, what came since, and thinning it out.

A reader keeps a position, one number. On SQLite it is the number of the last change: writers queue, so that
changes appear in order. On PostgreSQL it is a transaction: every one before it had ended, so that nothing of
theirs can still appear. What comes at or after it is read, some of it twice, which does no harm: whoever
learns that an image changed reads the image as it is now.
"""

from collections.abc import Iterable
from functools import cache

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from gallery.models import Change

THINNED = 20_000  # changes looked at in one transaction

Place = tuple[int, int]  # (transaction, seq) of a change: the log's order, in which clients read it


@cache
def identity() -> str:
    """Name the database whose log it is, '' for SQLite's: positions in another's mean nothing.

    A number that is lower than was read before tells of another SQLite file; a PostgreSQL server counts on.
    """
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_hex(system_identifier) || '-' || (SELECT oid FROM pg_database "
            "WHERE datname = current_database()) FROM pg_control_system()"
        )
        return str(cursor.fetchone()[0])


def position() -> int:
    """Return where a reader stands that has read everything that is committed now."""
    if connection.vendor == "postgresql":
        return _oldest_running_transaction()
    return Change.objects.aggregate(last=Max("seq"))["last"] or 0


def since(position: int) -> QuerySet[Change]:
    """Return the changes that a reader who stands there has to apply."""
    if connection.vendor == "postgresql":
        return Change.objects.filter(transaction__gte=position)
    return Change.objects.filter(seq__gt=position)


def images_since(position: int) -> list[int]:
    """Return the numbers of the images that changed since, each once."""
    return list(since(position).order_by().values_list("image_id", flat=True).distinct())


def count_since(position: int) -> int:
    """Count the images that changed since."""
    return since(position).order_by().values("image_id").distinct().count()


class Reader:
    """What one process has read of the log."""

    def __init__(self, position: int) -> None:
        self.position = position
        self._early: frozenset[int] = frozenset()  # changes read already that come at or after the position

    def news(self) -> list[int]:
        """Return the images that changed since the last call, each once; one statement where there are none.

        ValueError where the log ends before this reader's position: it is another database's, or restored.
        """
        if connection.vendor != "postgresql":
            last = position()
            if last < self.position:
                raise ValueError("the log of changes is shorter than it was")
            changed = images_since(self.position) if last > self.position else []
            self.position = last
            return changed
        now, rows = self._visible()
        if now < self.position:
            raise ValueError("transactions have lower numbers than before")
        # While the same transactions run, only what was not there before is new. Once one has ended
        # everything is read again: what it wrote may have been thinned out, by a change that was read early.
        fresh = [image for seq, image in rows if now > self.position or seq not in self._early]
        self._early = frozenset(seq for seq, _image in rows)
        self.position = now
        return list(dict.fromkeys(fresh))

    def _visible(self) -> tuple[int, list[tuple[int, int]]]:
        """Read the oldest transaction that runs, and (seq, image) since the position, at one moment."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT oldest, seq, image_id FROM "
                "(SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest) AS now "
                "LEFT JOIN gallery_change ON transaction >= %s ORDER BY seq",
                [self.position],
            )
            rows = cursor.fetchall()
        return rows[0][0], [(seq, image) for _oldest, seq, image in rows if seq is not None]


def end() -> Place:
    """Return the place in the log up to which no change can appear any more."""
    now = position()
    return (now, 0) if connection.vendor == "postgresql" else (0, now)


def settled_after(place: Place) -> QuerySet[Change]:
    """Return the changes after the place in the log's order, as far as none can appear between them."""
    writer, seq = place
    following = Q(transaction__gt=writer) | Q(transaction=writer, seq__gt=seq)
    return _settled().filter(following, transaction__gte=writer).order_by("transaction", "seq")


def thin_out() -> str:
    """Remove changes of images that changed again later: a reader who was before them reads the later one.

    Only changes that are settled count, the later ones, too, so that no reader can have read the later one
    before the earlier appeared.
    """
    removed, at, last = 0, 0, Change.objects.aggregate(last=Max("seq"))["last"] or 0
    while at < last:
        later = _settled().filter(
            Q(transaction__gt=OuterRef("transaction"))
            | Q(transaction=OuterRef("transaction"), seq__gt=OuterRef("seq")),
            image_id=OuterRef("image_id"),
        )
        batch = _settled().filter(Exists(later), seq__gt=at, seq__lte=at + THINNED)
        removed += _delete(batch.values_list("seq", flat=True))
        at += THINNED
    return f"{removed} changes removed"


def _delete(numbers: Iterable[int]) -> int:
    # By number: SQLite would look at the table while it deletes from it.
    found, removed = list(numbers), 0
    with transaction.atomic():
        for start in range(0, len(found), 500):
            removed += Change.objects.filter(seq__in=found[start : start + 500]).delete()[0]
    return removed


def _settled() -> QuerySet[Change]:
    if connection.vendor == "postgresql":
        return Change.objects.filter(transaction__lt=_oldest_running_transaction())
    return Change.objects.all()


def _oldest_running_transaction() -> int:
    """Return the number below which every transaction has ended: pg_snapshot_xmin, as 64 bits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])
