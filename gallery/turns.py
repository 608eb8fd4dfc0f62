"""Whose pictures are read next: a few of each person's in turn, however many wait."""

import random
from itertools import zip_longest

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from gallery.models import Image

# Written out, for SQLite takes the indexes of those that wait only where it can see that they hold them all.
WAIT = ["gallery_image.status IN ('pending', 'processing')"]


def claimable() -> QuerySet[Image]:
    """Images waiting to be read, and those whose worker's lease ran out."""
    dead = Q(status=Image.Status.PROCESSING, lease_expires_at__lt=timezone.now())
    return Image.objects.filter(Q(status=Image.Status.PENDING) | dead)


def given_up(attempts: int) -> QuerySet[Image]:
    """Return those that were begun so often and never came back."""
    begun = claimable().extra(where=WAIT).filter(attempts__gte=attempts)
    # Listed first: what is written out above names the table, and in a statement inside another it would
    # mean the outer one.
    return Image.objects.filter(pk__in=list(begun.order_by().values_list("pk", flat=True)))


def in_turns(size: int) -> list[Image]:
    """Pick up to `size` claimable images, as many of each person's as of another's, the newest first.

    Nobody's five pictures wait for another one's hundred thousand.
    """
    waiting = claimable().extra(where=WAIT)
    # Two workers would else claim the same; on SQLite, where writers queue, Django leaves the lock out.
    free = waiting.select_for_update(skip_locked=True)
    own = [iter(free.filter(owner=pk).order_by("attempts", "-id")[:size]) for pk in _people(size)]
    turns = zip_longest(*own)
    return [image for turn in turns for image in turn if image is not None][:size]


def _people(most: int) -> list[int]:
    """Pick up to `most` of those who wait, from anybody on: each is one look at the index."""
    last = _owner("DESC")
    if last is None:
        return []
    at = random.randint(0, last)
    found: list[int] = []
    while len(found) < most:
        following = _owner("ASC", beyond=at)
        if following is None:
            at, following = 0, _owner("ASC")
        if following is None or following in found:
            break
        found.append(following)
        at = following
    return found


def _owner(order: str, beyond: int = 0) -> int | None:
    """Return the first owner, in this order of numbers, of a claimable image, behind the number `beyond`.

    SQLite is told the index: without statistics it takes one by status, and sorts everything that waits.
    """
    index = "INDEXED BY image_in_turn" if connection.vendor == "sqlite" else ""
    sql = f"""
        SELECT owner_id FROM gallery_image {index}
        WHERE status IN ('pending', 'processing') AND (status = 'pending' OR lease_expires_at < %s)
        AND owner_id > %s ORDER BY owner_id {order} LIMIT 1
    """
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(sql, [now, beyond])
        row = cursor.fetchone()
    return row[0] if row else None
