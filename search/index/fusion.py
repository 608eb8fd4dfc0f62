"""Fusions: component scores -> one score per image, and the rows that score best by it.

`mean` is the original program's scoring. With query tags T and an image's tags I the tag score is |T and I| /
|T|; the feature score is the dot product of the image's embedding with the query's, which for picture plus
text is the mean of the two, not made unit length again; where both scores are asked for, the result is their
mean.

`best` is that and two things more: what people wrote about a picture (`words`), and the tags that a text
names.

Components are arrays by name: 'image', 'text', 'tags', 'words'. A fusion turns them into parts, which add up
to the score.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from search.index.index import Index
from search.index.ranking import (
    COMPONENTS,
    MARGIN,
    Asked,
    Best,
    Linear,
    Scores,
    best_linear,
    component_scores,
    largest,
    ordered,
)

EQUAL_WEIGHTS = dict.fromkeys(COMPONENTS, 1.0)
RRF_K = 60  # Cormack et al. 2009
# What somebody wrote about a picture counts by half of everything else.
WORDS = 0.5
# What a tag that the text names adds to the text's score: measured, 0.1 to 0.6 are alike.
NAMED_TAG = 0.2
NAMED_COLOR = 0.3  # the same for a colour: "something blue" has nothing else to go by
# How much an unwanted example counts against a wanted one (Rocchio 1971 subtracts them likewise).
UNWANTED = 0.5


def shares(present: Collection[str], weights: Mapping[str, float]) -> dict[str, float]:
    """By how much each present component counts; but for `words`, which come on top, they add up to 1.

    With equal weights these are the original's.

    Raises ValueError when every present component weighs nothing.
    """
    features = [name for name in ("image", "text") if name in present]
    base = {name: (0.5 if "tags" in present else 1.0) / len(features) for name in features}
    if "tags" in present:
        base["tags"] = 0.5 if features else 1.0
    weighted = {name: share * weights.get(name, 1.0) for name, share in base.items()}
    total = sum(weighted.values())
    if weighted and not total:
        raise ValueError("every component that is asked for weighs nothing")
    found = {name: share / total for name, share in weighted.items()}
    return found | ({"words": WORDS * weights.get("words", 1.0)} if "words" in present else {})


def query_vector(
    wanted: Sequence[np.ndarray], unwanted: Sequence[np.ndarray], weights: Sequence[float] | None = None
) -> np.ndarray | None:
    """Give the mean of the wanted vectors, less UNWANTED times the mean of the unwanted: float64 (dim,).

    The wanted are weighed where weights are given. None for neither.
    """
    parts = [np.average(np.asarray(wanted, np.float64), axis=0, weights=weights)] if wanted else []
    if unwanted:
        parts.append(np.mean(np.asarray(unwanted, np.float64), axis=0) * -UNWANTED)
    return np.sum(parts, axis=0) if parts else None


class Fusion(ABC):
    """A way to score pictures by several components at once."""

    @abstractmethod
    def parts(self, scores: Scores, share: Mapping[str, float], visible: np.ndarray) -> dict[str, np.ndarray]:
        """Give what each component contributes to each row's score: float64 (size,), from all rows' scores.

        visible bool (size,) says which rows means, deviations and ranks are taken over.
        """

    @abstractmethod
    def rank(
        self, index: Index, asked: Asked, share: Mapping[str, float], visible: np.ndarray, count: int
    ) -> Best:
        """Find the `count` best of the visible rows (bool (size,)), of equal scores the newest first.

        Raises DamagedError when the index's codes and vectors contradict each other.
        """


class Mean(Fusion):
    """The original's: each component's score times its share. The ranking is that of float64."""

    @staticmethod
    def linear(share: Mapping[str, float]) -> Linear:
        """Give the weighted sum that this is."""
        return Linear(share, dict.fromkeys(share, 0.0))

    def parts(self, scores: Scores, share: Mapping[str, float], visible: np.ndarray) -> dict[str, np.ndarray]:
        return self.linear(share).parts(scores)

    def rank(
        self, index: Index, asked: Asked, share: Mapping[str, float], visible: np.ndarray, count: int
    ) -> Best:
        return best_linear(index, asked, self.linear(share), visible, count)


class BestMeasured(Mean):
    """`mean` with `words` as one component more, and `Asked.gains`: what is measured best."""


class Calibrated(Fusion):
    """Each component in standard deviations from its mean over the visible rows, times its share.

    A text's cosine of 0.3 is strong where a picture's is nothing: what counts is how far it stands out.
    Scores are not bound to 0..1. The ranking is exact given means and deviations of the scan, right to about
    four digits.
    """

    @staticmethod
    def linear(scores: Scores, share: Mapping[str, float], visible: np.ndarray) -> Linear:
        """Give the weighted sum that these scores lead to."""
        middle, factor = {}, {}
        for name, values in scores.items():
            seen = values[visible]
            spread = float(seen.std(dtype=np.float64)) if len(seen) else 0.0
            middle[name] = float(seen.mean(dtype=np.float64)) if len(seen) else 0.0
            factor[name] = share[name] / (spread if spread > 1e-9 else 1.0)
        return Linear(factor, middle)

    def parts(self, scores: Scores, share: Mapping[str, float], visible: np.ndarray) -> dict[str, np.ndarray]:
        return self.linear(scores, share, visible).parts(scores)

    def rank(
        self, index: Index, asked: Asked, share: Mapping[str, float], visible: np.ndarray, count: int
    ) -> Best:
        linear = self.linear(component_scores(index, asked, visible), share, visible)
        return best_linear(index, asked, linear, visible, count)


class ReciprocalRank(Fusion):
    """Reciprocal rank fusion: share / (60 + rank), equal scores sharing the better rank.

    Cormack et al. 2009. Ranks are among the visible rows, by the scan. Scaled by 61, so that a picture that
    is first in everything scores 1.

    Ranks are among the visible rows, by the scan. Scaled by 61, so that a picture that is first in everything
    scores 1.
    """

    @staticmethod
    def at_rank(rank: int | np.ndarray) -> float | np.ndarray:
        """Give the score of a row that has this rank, counted from 0, in every component."""
        return (RRF_K + 1) / (RRF_K + 1 + rank)

    def parts(self, scores: Scores, share: Mapping[str, float], visible: np.ndarray) -> dict[str, np.ndarray]:
        descending = {name: np.sort(-values[visible]) for name, values in scores.items()}
        return self._parts_among(descending, scores, share)

    def rank(
        self, index: Index, asked: Asked, share: Mapping[str, float], visible: np.ndarray, count: int
    ) -> Best:
        """Compare the first few of each component, and more of them only where that leaves a doubt.

        A row that is not among the first n of any component scores less than one that is n-th in all of them.
        """
        scores = component_scores(index, asked, visible)
        descending = {name: np.sort(-values[visible]) for name, values in scores.items()}
        seen = [np.where(visible, values, -np.inf) for values in scores.values()]
        reach = 4 * max(count, MARGIN)
        while True:
            rows = np.unique(np.concatenate([largest(values, reach) for values in seen]))
            rows = rows[visible[rows]]
            parts = self._parts_among(descending, {name: own[rows] for name, own in scores.items()}, share)
            best = ordered(index, rows, parts, count)
            full = len(best.rows) == count
            if reach >= index.size or not count or (full and best.scores[-1] > self.at_rank(reach)):
                return best
            reach *= 4

    def _parts_among(
        self, descending: Scores, scores: Scores, share: Mapping[str, float]
    ) -> dict[str, np.ndarray]:
        """Return the parts of these scores' rows among the negated, sorted scores `descending`."""
        ranks = {name: np.searchsorted(descending[name], -values) for name, values in scores.items()}
        return {name: np.asarray(share[name] * self.at_rank(rank)) for name, rank in ranks.items()}


MEASURED_BEST = "best"
FUSIONS: dict[str, Fusion] = {
    MEASURED_BEST: BestMeasured(),
    "mean": Mean(),
    "calibrated": Calibrated(),
    "rrf": ReciprocalRank(),
}
