"""Component scores -> one score per image, and what each component gave to it. Pure functions on numpy arrays.

This is the original program's scoring. With query tags T and an image's tags I the tag score is |T and I| / |T|; the
feature score is the dot product of the image's embedding with the query's, which for picture plus text is the mean
of the two, not made unit length again; where both scores are asked for, the result is their mean.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Shares:
    """By how much each component's own score counts in the fused score; 0 for what was not asked."""

    image: float
    text: float
    tags: float


def shares(image: bool, text: bool, tags: bool) -> Shares:
    """The shares under the original's scoring, by which components are present."""
    feature_share = (0.5 if tags else 1.0) / max(image + text, 1)
    return Shares(
        image=feature_share if image else 0.0,
        text=feature_share if text else 0.0,
        tags=(0.5 if image or text else 1.0) if tags else 0.0,
    )


def query_vector(share: Shares, image: np.ndarray | None, text: np.ndarray | None) -> np.ndarray | None:
    """The one vector whose dot product with an embedding is the features' part of the score; float32 (dim,).

    A dot product is linear, so the shares can be applied to the query instead of to every image.
    """
    parts = [(share.image, image), (share.text, text)]
    present = [factor * vector for factor, vector in parts if vector is not None]
    return np.sum(present, axis=0, dtype=np.float32) if present else None


def leaders(scores: np.ndarray, ids: np.ndarray, candidates: np.ndarray, count: int) -> np.ndarray:
    """The `count` best of the candidate rows, best first, equal scores newest (highest id) first.

    scores float32 (size,), ids int64 (size,), candidates int64 (n,); returns int64 (min(count, n),). Every candidate
    that ties with the last one taken is compared by id, so the answer is exact.
    """
    if count <= 0:
        return candidates[:0]
    own = scores[candidates]
    if count < len(candidates):
        threshold = np.partition(own, len(own) - count)[len(own) - count]
        keep = own >= threshold
        candidates, own = candidates[keep], own[keep]
    return candidates[np.lexsort((-ids[candidates], -own))][:count]
