"""Pictures that look alike: copies in other sizes or of other quality, and shots taken in the same moment."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet

from gallery import access
from gallery.access import AnyUser
from gallery.models import Image
from search.models import Comparison, KeptPair, LookAlikes

MOST_BITS = (
    8  # of 64 that may differ between the hashes: copies differ in up to 6, other photos in 14 and more
)
LEAST_SIMILARITY = 0.9  # of the embeddings, besides: what a hash finds alike by chance shows other things
# Each of these takes 16 of the 64 bits; pictures are compared where they share all bits of one. Of pairs that
# differ in 2 bits one in a million is missed, in 4 one in a hundred, in 6 one in sixteen.
SELECTIONS = 16
CHUNK = 10_000  # pairs whose embeddings are compared at a time
NEIGHBOURS = 12  # how far apart two may stand in the order of one selection


class Groups(Sequence[list[Image]]):
    """Groups of pictures; only those of a page are fetched."""

    def __init__(self, numbers: list[list[int]], images: QuerySet[Image]) -> None:
        self._numbers, self._images = numbers, images

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, wanted: Any) -> Any:
        if not isinstance(wanted, slice):
            return self[wanted : wanted + 1][0]
        numbers = self._numbers[wanted]
        images = self._images.in_bulk([pk for group in numbers for pk in group])
        shown = [[images[pk] for pk in group if pk in images] for group in numbers]
        return [sorted(group, key=lambda own: (-own.width * own.height, own.pk)) for group in shown]


def groups(user: AnyUser) -> Groups:
    """Group the look-alikes among the pictures that `user` may delete, as the worker found them.

    Largest pictures first in each, the groups with the newest pictures first. Pairs that are to be kept are
    not alike.
    """
    own = access.deletable_images(user)
    kept = KeptPair.objects.filter(first=OuterRef("first"), second=OuterRef("second"))
    # Each of the few pairs is looked up, rather than the many pictures listed.
    both = Exists(own.filter(pk=OuterRef("first"))), Exists(own.filter(pk=OuterRef("second")))
    alike = LookAlikes.objects.filter(~Exists(kept), *both, first__owner=user.pk or 0)
    connected = components(list(alike.values_list("first_id", "second_id")))
    return Groups([sorted(group) for group in sorted(connected, key=lambda group: -max(group))], own)


def are_compared(user: AnyUser) -> bool:
    """Whether the worker has compared all of this person's pictures since any of them changed."""
    newest = access.own_images(user).order_by("-pk").values_list("created_at", flat=True).first()
    comparison = Comparison.objects.filter(owner=user.pk or 0).first()
    if newest is None or comparison is None:
        return newest is None
    began, done = comparison.began_at, comparison.done_at
    return bool(began and done and done >= began > max(comparison.due_at, newest))


def pairs(
    hashes: np.ndarray, vectors: Callable[[np.ndarray], np.ndarray], kept: np.ndarray | None = None
) -> np.ndarray:
    """int64 (n, 2): the places of pictures that look alike, fewer pairs than pictures.

    Of a group that is connected by what looks alike just what connects it: of a thousand shots of one scene
    the other pairs would be half a million. hashes uint64 (size,), 0 where there is none. vectors(places)
    float32 (m, dim) are unit-length embeddings. Pairs `kept` int64 (k, 2), the earlier place first, are not
    alike: what they would connect something else connects, or nothing.
    """
    known = np.flatnonzero(hashes)
    rng = np.random.default_rng(0)  # the same selections every time
    group_of, found = np.arange(len(hashes)), [np.zeros((0, 2), np.int64)]
    for _ in range(SELECTIONS):
        bits = rng.choice(64, 16, replace=False).astype(np.uint64)
        mask = np.bitwise_or.reduce(np.uint64(1) << bits)
        order = known[np.lexsort((hashes[known], hashes[known] & mask))]
        own = hashes[order]
        for distance in range(1, min(NEIGHBOURS, len(order) - 1) + 1):
            apart = own[distance:] ^ own[:-distance]
            near = np.flatnonzero(((apart & mask) == 0) & (np.bitwise_count(apart) <= MOST_BITS))
            first, second = order[near], order[near + distance]
            apart_still = group_of[first] != group_of[second]
            if kept is not None:
                codes = np.minimum(first, second) * len(hashes) + np.maximum(first, second)
                apart_still &= ~np.isin(codes, kept[:, 0] * len(hashes) + kept[:, 1])
            alike = _alike(np.stack([first[apart_still], second[apart_still]], axis=1), vectors)
            joining, group_of = _join(alike, group_of)
            found.append(joining)
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _alike(near: np.ndarray, vectors: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Those of the pairs int64 (n, 2) that show the same things, too."""
    pieces = [near[start : start + CHUNK] for start in range(0, len(near), CHUNK)]
    similarity = [(vectors(own[:, 0]) * vectors(own[:, 1])).sum(axis=1) for own in pieces]
    return near[np.concatenate([np.zeros(0, np.float32), *similarity]) >= LEAST_SIMILARITY]


def _join(pairs: np.ndarray, group_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs int64 (n, 2) that join groups, and the groups int64 (size,) that they make.

    A picture is of the group of the first one in it. Each round joins every group that can be joined to one
    before it, by one pair (as Borůvka's algorithm), so that no pair joins what is one group already.
    """
    joining = [pairs[:0]]
    while len(pairs):
        groups = group_of[pairs]
        pairs, groups = pairs[groups[:, 0] != groups[:, 1]], groups[groups[:, 0] != groups[:, 1]]
        later, one_each = np.unique(groups.max(axis=1), return_index=True)
        joining.append(pairs[one_each])
        earlier = np.arange(len(group_of))
        earlier[later] = groups.min(axis=1)[one_each]
        while (earlier[earlier] != earlier).any():
            earlier = earlier[earlier]
        group_of = earlier[group_of]
    return np.concatenate(joining), group_of


def components(links: list[tuple[int, int]]) -> list[set[int]]:
    """Return the connected components of a graph given by its edges."""
    group_of: dict[int, set[int]] = {}
    for a, b in links:
        first, second = group_of.setdefault(a, {a}), group_of.setdefault(b, {b})
        if first is not second:
            small, large = sorted((first, second), key=len)
            large |= small
            group_of.update(dict.fromkeys(small, large))
    return list({id(group): group for group in group_of.values()}.values())


def keep_all(images: list[Image]) -> None:
    """Show these pictures as duplicates of each other no more."""
    ids = sorted(image.pk for image in images)
    every = [KeptPair(first_id=a, second_id=b) for i, a in enumerate(ids) for b in ids[i + 1 :]]
    KeptPair.objects.bulk_create(every, ignore_conflicts=True)
