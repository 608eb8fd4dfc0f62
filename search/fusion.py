"""Component scores -> one score per image, and what each component gave to it. Pure functions on numpy arrays.

`mean` is the original program's scoring. With query tags T and an image's tags I the tag score is |T and I| / |T|; the
feature score is the dot product of the image's embedding with the query's, which for picture plus text is the mean of
the two, not made unit length again; where both scores are asked for, the result is their mean.

Components are float32 (size,) each, by name: 'image', 'text', 'tags'. A fusion looks at all of them once and returns a
function from component scores to parts, which add up to the score: the leaders' parts are computed again from scores in
float64, so that their order does not depend on rounding.
"""

from collections.abc import Callable, Collection, Mapping

import numpy as np

COMPONENTS = ("image", "text", "tags")
RRF_K = 60  # Cormack et al. 2009
# How much an unwanted example counts against a wanted one (Rocchio 1971 subtracts them likewise).
UNWANTED = 0.5

Scores = Mapping[str, np.ndarray]
# What a fusion makes of a query: component scores, of all rows or of some -> what each gives to the fused score.
Parts = Callable[[Scores], dict[str, np.ndarray]]


def shares(present: Collection[str], weights: Mapping[str, float]) -> dict[str, float]:
    """By how much each present component counts; they add up to 1. With equal weights these are the original's.

    Raises ValueError when every present component weighs nothing.
    """
    features = [name for name in ("image", "text") if name in present]
    base = {name: (0.5 if "tags" in present else 1.0) / len(features) for name in features}
    if "tags" in present:
        base["tags"] = 0.5 if features else 1.0
    weighted = {name: share * weights[name] for name, share in base.items()}
    total = sum(weighted.values())
    if weighted and not total:
        raise ValueError("every component that is asked for weighs nothing")
    return {name: share / total for name, share in weighted.items()}


def query_vector(wanted: list[np.ndarray], unwanted: list[np.ndarray]) -> np.ndarray | None:
    """The mean of the wanted vectors less UNWANTED times the mean of the unwanted; float32 (dim,), None for neither."""
    parts = [np.mean(wanted, axis=0)] if wanted else []
    if unwanted:
        parts.append(np.mean(unwanted, axis=0) * -UNWANTED)
    return np.sum(parts, axis=0, dtype=np.float32) if parts else None


def mean(components: Scores, share: Mapping[str, float], visible: np.ndarray) -> Parts:
    """The original's: each component's score times its share."""
    return lambda scores: {name: values * share[name] for name, values in scores.items()}


def calibrated(components: Scores, share: Mapping[str, float], visible: np.ndarray) -> Parts:
    """Each component in standard deviations from its mean over the visible rows (bool (size,)), times its share.

    A text's cosine of 0.3 is strong where a picture's is nothing: what counts is how far it stands out. The scores are
    not bound to 0..1.
    """
    middle, factor = {}, {}
    for name, scores in components.items():
        own = scores[visible]
        spread = float(own.std()) if len(own) else 0.0
        middle[name] = float(own.mean()) if len(own) else 0.0
        factor[name] = share[name] / (spread if spread > 1e-9 else 1.0)
    return lambda scores: {name: (values - middle[name]) * factor[name] for name, values in scores.items()}


def rrf(components: Scores, share: Mapping[str, float], visible: np.ndarray) -> Parts:
    """Reciprocal rank fusion (Cormack et al. 2009): share / (60 + rank), equal scores sharing the better rank.

    Ranks are among the visible rows. Scaled by 61, so that a picture that is first in everything scores 1.
    """
    descending = {name: np.sort(-scores[visible]) for name, scores in components.items()}

    def parts(scores: Scores) -> dict[str, np.ndarray]:
        # Ranks are of the scan's float32 scores, so a score of higher precision is brought to theirs.
        ranks = {name: np.searchsorted(descending[name], -values.astype(np.float32)) for name, values in scores.items()}
        return {name: share[name] * (RRF_K + 1) / (RRF_K + 1 + rank) for name, rank in ranks.items()}

    return parts


Fusion = Callable[[Scores, Mapping[str, float], np.ndarray], Parts]
FUSIONS: dict[str, Fusion] = {"mean": mean, "calibrated": calibrated, "rrf": rrf}


def total(parts: Scores, size: int) -> np.ndarray:
    """The score of each row (size,), in the type of the parts; zeros when nothing was asked that ranks."""
    return sum(parts.values(), start=np.zeros(size, np.float32))


def leaders(scores: np.ndarray, ids: np.ndarray, candidates: np.ndarray, count: int) -> np.ndarray:
    """The `count` best of the candidate rows, best first, equal scores newest (highest id) first.

    scores (size,), ids int64 (size,), candidates int64 (n,); returns int64 (min(count, n),). Every candidate
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
