"""The worker's job of finding look-alikes: whose pictures changed is compared again, in the background."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from gallery import access, change_log, extractor_switch
from gallery.models import Embedding, Image
from search.duplicates import pairs
from search.models import Comparison, Follower, KeptPair, LookAlikes

logger = logging.getLogger(__name__)

NAME = "look-alikes"
REST = 20  # times as long as comparing took, it is not done again: an import goes on for hours
LOST = timedelta(minutes=30)  # after which another worker takes over
AT_ONCE = 500  # rows in a statement, and in a transaction


def compare_changed() -> str:
    """Compare the pictures of everybody of whom any changed since; what was done."""
    _note_changes()
    done = [_compare(comparison) for comparison in _due()]
    return f"the pictures of {sum(done)} people compared"


def _note_changes() -> None:
    """Note who owns what the log of changes tells of."""
    follower, _ = Follower.objects.get_or_create(name=NAME)
    now = change_log.position()  # before what came is read: a change in between is noted twice
    changed = change_log.since(follower.position).order_by().values("image_id")
    owners = set(Image.objects.filter(pk__in=changed).values_list("owner", flat=True).distinct())
    known = set(Comparison.objects.filter(owner__in=owners).values_list("owner", flat=True))
    Comparison.objects.filter(owner__in=owners).update(due_at=timezone.now())
    Comparison.objects.bulk_create(
        [Comparison(owner_id=pk, due_at=timezone.now()) for pk in owners - known], ignore_conflicts=True
    )
    if now != follower.position:
        Follower.objects.filter(name=NAME).update(position=now)


def _due() -> Iterator[Comparison]:
    """Yield what has to be compared, claimed: those that were done longest ago first."""
    was_lost = Q(began_at__gt=F("done_at"))
    due = Q(began_at=None) | Q(done_at=None) | Q(due_at__gte=F("began_at")) | was_lost
    for comparison in Comparison.objects.filter(due).order_by(F("done_at").asc(nulls_first=True)):
        began, done, now = comparison.began_at, comparison.done_at, timezone.now()
        if began and done and now < done + REST * (done - began):
            continue
        unclaimed = Q(began_at=None) | Q(began_at__lte=F("done_at")) | Q(began_at__lt=now - LOST)
        if Comparison.objects.filter(unclaimed, pk=comparison.pk).update(began_at=now):
            comparison.began_at = now
            yield comparison


def _compare(comparison: Comparison) -> bool:
    """Bring the table of look-alikes up to date with one person's pictures; whether that was possible."""
    own = Image.objects.filter(access.untrashed(), owner=comparison.owner_id, status=Image.Status.READY)
    hashed = own.exclude(perceptual_hash=None).order_by("pk").values_list("pk", "perceptual_hash")
    numbers = np.fromiter(hashed.iterator(chunk_size=10_000), np.dtype([("id", "<i8"), ("hash", "<i8")]))
    ids, hashes = numbers["id"], np.ascontiguousarray(numbers["hash"]).view(np.uint64)
    connected = pairs(hashes, lambda places: _vectors(ids[places]), _kept(comparison.owner_id, ids))
    found = {(int(first), int(second)) for first, second in ids[connected].tolist()}
    known = {
        (first, second): pk
        for pk, first, second in LookAlikes.objects.filter(first__owner=comparison.owner_id).values_list(
            "pk", "first", "second"
        )
    }
    try:
        _write(found - known.keys(), [pk for pair, pk in known.items() if pair not in found])
    except IntegrityError:  # a picture was deleted meanwhile: the log tells of it, and it is done again
        logger.info("A picture went while it was compared")
        Comparison.objects.filter(pk=comparison.pk).update(began_at=None)
        return False
    Comparison.objects.filter(pk=comparison.pk).update(done_at=timezone.now())
    return True


def _kept(owner_id: int, ids: np.ndarray) -> np.ndarray:
    """int64 (k, 2): the places of pairs that a person wants to keep, both."""
    rows = KeptPair.objects.filter(first__owner=owner_id).values_list("first", "second")
    numbers = np.array(list(rows), np.int64).reshape(-1, 2)
    numbers = np.sort(numbers[np.isin(numbers, ids).all(axis=1)], axis=1)
    return np.searchsorted(ids, numbers)


def _write(new: set[tuple[int, int]], gone: list[int]) -> None:
    for start in range(0, len(gone), AT_ONCE):
        LookAlikes.objects.filter(pk__in=gone[start : start + AT_ONCE]).delete()
    rows = [LookAlikes(first_id=first, second_id=second) for first, second in sorted(new)]
    for start in range(0, len(rows), AT_ONCE):
        with transaction.atomic():
            LookAlikes.objects.bulk_create(rows[start : start + AT_ONCE], ignore_conflicts=True)


def _vectors(ids: np.ndarray) -> np.ndarray:
    """float32 (len(ids), dim): the pictures' embeddings; zeros where one has none."""
    extractor = extractor_switch.current()
    unique, places = np.unique(ids, return_inverse=True)
    vectors = np.zeros((len(unique), extractor.dim), np.float32)
    for start in range(0, len(unique), AT_ONCE):
        some = unique[start : start + AT_ONCE].tolist()
        rows = Embedding.objects.filter(image__in=some, extractor=extractor.key, dim=extractor.dim)
        for pk, vector in rows.values_list("image_id", "vector"):
            vectors[np.searchsorted(unique, pk)] = np.frombuffer(vector, "<f4")
    return vectors[places]
