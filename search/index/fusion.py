"""Component scores -> one score per image, and what each component gave to it. Pure functions on numpy
arrays.

`mean` is the original program's scoring. With query tags T and an image's tags I the tag score is |T and I| /
|T|; the feature score is the dot product of the image's embedding with the query's, which for picture plus
text is the mean of the two, not made unit length again; where both scores are asked for, the result is their
mean.

Components are arrays by name: 'image', 'text', 'tags'. A fusion turns them into parts, which add up to the
score.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

COMPONENTS = ("image", "text", "tags")
RRF_K = 60  # Cormack et al. 2009
# How much an unwanted example counts against a wanted one (Rocchio 1971 subtracts them likewise).
UNWANTED = 0.5
STEP = 64  # of so many scores a sample takes one

Scores = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Linear:
    """A fusion that is a weighted sum: each component's distance from `middle`, times `factor`."""

    factor: Mapping[str, float]
    middle: Mapping[str, float]

    def parts(self, scores: Scores) -> dict[str, np.ndarray]:
        """What each component gives to the score, float64, of the rows whose scores these are."""
        return {
            name: (values.astype(np.float64) - self.middle[name]) * self.factor[name]
            for name, values in scores.items()
        }


@dataclass(frozen=True)
class ByRank:
    """A fusion of ranks: `descending` are the components' scores that a row is ranked among, negated and
    sorted."""

    share: Mapping[str, float]
    descending: Mapping[str, np.ndarray]

    def parts(self, scores: Scores) -> dict[str, np.ndarray]:
        """What each component gives to the score, float64, of the rows whose scores these are."""
        ranks = {name: np.searchsorted(self.descending[name], -values) for name, values in scores.items()}
        return {name: self.share[name] * self.at_rank(rank) for name, rank in ranks.items()}

    def at_rank(self, rank: int | np.ndarray) -> float | np.ndarray:
        """What a row of this rank, counted from 0, in every component scores."""
        return (RRF_K + 1) / (RRF_K + 1 + rank)


def shares(present: Collection[str], weights: Mapping[str, float]) -> dict[str, float]:
    """By how much each present component counts; they add up to 1. With equal weights these are the
    original's.

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


def query_vector(
    wanted: Sequence[np.ndarray], unwanted: Sequence[np.ndarray], weights: Sequence[float] | None = None
) -> np.ndarray | None:
    """The mean of the wanted vectors, by their weights where given, less UNWANTED times the mean of the
    unwanted: float64 (dim,), None for neither."""
    parts = [np.average(np.asarray(wanted, np.float64), axis=0, weights=weights)] if wanted else []
    if unwanted:
        parts.append(np.mean(np.asarray(unwanted, np.float64), axis=0) * -UNWANTED)
    return np.sum(parts, axis=0) if parts else None


def mean(share: Mapping[str, float]) -> Linear:
    """The original's: each component's score times its share."""
    return Linear(share, dict.fromkeys(share, 0.0))


def calibrated(components: Scores, share: Mapping[str, float], visible: np.ndarray) -> Linear:
    """Each component in standard deviations from its mean over the visible rows (bool (size,)), times its
    share.

    A text's cosine of 0.3 is strong where a picture's is nothing: what counts is how far it stands out. The
    scores are not bound to 0..1.
    """
    middle, factor = {}, {}
    for name, scores in components.items():
        own = scores[visible]
        spread = float(own.std(dtype=np.float64)) if len(own) else 0.0
        middle[name] = float(own.mean(dtype=np.float64)) if len(own) else 0.0
        factor[name] = share[name] / (spread if spread > 1e-9 else 1.0)
    return Linear(factor, middle)


def rrf(components: Scores, share: Mapping[str, float], visible: np.ndarray) -> ByRank:
    """Reciprocal rank fusion (Cormack et al. 2009): share / (60 + rank), equal scores sharing the better
    rank.

    Ranks are among the visible rows. Scaled by 61, so that a picture that is first in everything scores 1.
    """
    return ByRank(share, {name: np.sort(-scores[visible]) for name, scores in components.items()})


Fusion = Callable[[Scores, Mapping[str, float], np.ndarray], Linear | ByRank]
FUSIONS: dict[str, Fusion] = {
    "mean": lambda components, share, visible: mean(share),
    "calibrated": calibrated,
    "rrf": rrf,
}


def total(parts: Scores, size: int) -> np.ndarray:
    """The score of each row, float64 (size,); zeros when nothing was asked that ranks."""
    return sum(parts.values(), start=np.zeros(size))


def largest(scores: np.ndarray, count: int) -> np.ndarray:
    """The rows of the `count` largest scores and of every one that equals the last of them, in no order.

    scores float32 or float64 (size,). A sample tells where the last place is about, so that few of many
    scores are compared with each other; when it told wrong, all are.
    """
    if not 0 < count < len(scores):
        return np.arange(len(scores) if count > 0 else 0)
    rows = np.arange(0)
    if len(scores) > 64 * STEP:
        sample = scores[::STEP]
        place = min(len(sample), 4 * count // STEP + 16)
        rows = np.flatnonzero(scores >= np.partition(sample, len(sample) - place)[len(sample) - place])
    if len(rows) < count:
        rows = np.arange(len(scores))
    own = scores[rows]
    return rows[own >= np.partition(own, len(own) - count)[len(own) - count]]
