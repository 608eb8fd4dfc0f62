"""Pictures that look alike: copies in other sizes or of other quality, and shots taken in the same moment."""

from collections.abc import Callable

import numpy as np
from django.core.cache import cache

from gallery import access
from gallery.access import AnyUser
from gallery.models import Image
from search.live_index import live_index
from search.models import KeptPair

MOST_BITS = (
    8  # of 64 that may differ between the hashes: copies differ in up to 6, other photos in 14 and more
)
LEAST_SIMILARITY = 0.9  # of the embeddings, besides: what a hash finds alike by chance shows other things
# Each of these takes 16 of the 64 bits; pictures are compared where they share all bits of one. Of pairs that
# differ in 2 bits one in a million is missed, in 4 one in a hundred, in 6 one in sixteen.
SELECTIONS = 16
CHUNK = 10_000  # pairs whose embeddings are compared at a time
NEIGHBOURS = 12  # how far apart two may stand in the order of one selection


def groups(user: AnyUser) -> list[list[Image]]:
    """Group the look-alikes among the pictures that `user` may delete.

    Largest pictures first in each, the groups with the newest pictures first. Pairs that are to be kept are
    not alike.
    """
    alike = _alike(user)
    alike -= set(KeptPair.objects.filter(first__owner=user.pk or 0).values_list("first_id", "second_id"))
    images = access.deletable_images(user).in_bulk({pk for pair in alike for pk in pair})
    connected = components([pair for pair in alike if pair[0] in images and pair[1] in images])
    shown = [
        sorted((images[pk] for pk in group), key=lambda i: (-i.width * i.height, i.pk)) for group in connected
    ]
    return sorted(shown, key=lambda group: -max(image.pk for image in group))


def _alike(user: AnyUser) -> set[tuple[int, int]]:
    """Return the ids of every two of `user`'s pictures that look alike, the lower one first.

    Kept until anything changes, for going through a large library takes a while.
    """
    with live_index.open() as index:
        key = f"look-alikes-{user.pk}-{live_index.version}"
        alike = cache.get(key)
        if alike is None:
            rows = np.flatnonzero(index.visible(user.pk or 0, ()))
            ids, vectors = index.take("ids", rows), lambda places: index.take("vectors", rows[places])
            found = ids[pairs(index.take("hashes", rows), vectors)].tolist()
            alike = {(int(min(pair)), int(max(pair))) for pair in found}
            cache.set(key, alike)
    return alike


def pairs(hashes: np.ndarray, vectors: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """int64 (n, 2): the places of pictures that look alike. hashes uint64 (size,), 0 where there is none.

    Vectors(places) float32 (m, dim) are unit-length embeddings.
    """
    known = np.flatnonzero(hashes)
    rng = np.random.default_rng(0)  # the same selections every time
    found = []
    for _ in range(SELECTIONS):
        bits = rng.choice(64, 16, replace=False).astype(np.uint64)
        mask = np.bitwise_or.reduce(np.uint64(1) << bits)
        order = known[np.lexsort((hashes[known], hashes[known] & mask))]
        own = hashes[order]
        for distance in range(1, min(NEIGHBOURS, len(order) - 1) + 1):
            apart = own[distance:] ^ own[:-distance]
            near = np.flatnonzero(((apart & mask) == 0) & (np.bitwise_count(apart) <= MOST_BITS))
            found.append(np.stack([order[near], order[near + distance]], axis=1))
    if not found:
        return np.zeros((0, 2), np.int64)
    alike = np.unique(np.sort(np.concatenate(found), axis=1), axis=0)
    pieces = [alike[start : start + CHUNK] for start in range(0, len(alike), CHUNK)]
    similarity = [(vectors(own[:, 0]) * vectors(own[:, 1])).sum(axis=1) for own in pieces]
    return alike[np.concatenate([np.zeros(0, np.float32), *similarity]) >= LEAST_SIMILARITY]


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
