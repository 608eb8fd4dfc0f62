"""The best rows, exactly: a scan of the codes says which can be among them, and those are scored in float64.

Nothing is left to chance: a row's score from its codes is off by no more than the bound that was kept with it
(`search/quantization.py`), so a row that is below the last place by more than that cannot be among the best.
"""

from dataclasses import dataclass, replace

import numpy as np

from search.index import fusion
from search.index.index import Index, Scan
from search.index.snapshot import DamagedError

# Leaders beyond those asked for that are scored at once: rounding moves a row by few places.
MARGIN = 64


@dataclass(frozen=True)
class Asked:
    """What rows are scored by: a vector float64 (dim,) for each feature, and tags with what each counts.

    `unfindable` is the weight of tags that no row carries: they count in the whole, as in the original.
    """

    vectors: dict[str, np.ndarray]
    tags: dict[int, float]
    unfindable: float = 0.0

    @property
    def components(self) -> list[str]:
        return [*self.vectors, *(["tags"] if self.tags or self.unfindable else [])]

    @property
    def tag_total(self) -> float:
        """The weight of all tags asked for. A row's tag score is the weight of those it carries in this: with
        equal weights |T and I| / |T|."""
        return sum(self.tags.values()) + self.unfindable


@dataclass(frozen=True)
class Best:
    """The best rows, best first: int64 (n,), and what each component gave to each row's score, float64
    (n,)."""

    rows: np.ndarray
    parts: dict[str, np.ndarray]
    scan: Scan | None = None  # of all rows, where the fusion is `mean`

    def first(self, count: int) -> "Best":
        """The first `count` of these."""
        return replace(
            self, rows=self.rows[:count], parts={part: own[:count] for part, own in self.parts.items()}
        )

    @property
    def scores(self) -> np.ndarray:
        return fusion.total(self.parts, len(self.rows))


def best(
    index: Index, asked: Asked, share: dict[str, float], name: str, visible: np.ndarray, count: int
) -> Best:
    """The `count` best of the visible rows (bool (size,)) by the fusion of this name, equal scores newest
    first.

    Under `mean` the answer is that of float64; under `calibrated` it is that given the means and deviations
    of the scan, which are right to about four digits; `rrf` ranks by the scan. DamagedError when codes and
    vectors disagree.
    """
    if name == "mean":
        fused = fusion.mean(share)
    else:
        scores = component_scores(index, asked, visible)
        fused = fusion.FUSIONS[name](scores, share, visible)
    if isinstance(fused, fusion.Linear):
        found = _best_linear(index, asked, fused, visible, count)
        return found if name == "mean" else replace(found, scan=None)
    return _best_by_rank(index, fused, scores, visible, count)


def component_scores(index: Index, asked: Asked, visible: np.ndarray) -> dict[str, np.ndarray]:
    """float32 (size,) for each component, from the codes; of no meaning where rows are not visible."""
    scores = {part: index.dots(vector, visible) for part, vector in asked.vectors.items()}
    if "tags" in asked.components:
        scores["tags"] = np.zeros(index.size, np.float32)
        index.add_tags(asked.tags, scores["tags"])
        scores["tags"] /= np.float32(asked.tag_total)
    return scores


def _best_linear(index: Index, asked: Asked, fused: fusion.Linear, visible: np.ndarray, count: int) -> Best:
    """A weighted sum of components is one dot product and a few posting lists: one pass over the codes."""
    if not asked.vectors:
        return _best_by_tags(index, asked, fused, visible, count)
    scores = np.zeros(index.size, np.float32)
    tags = {tag_id: weight / asked.tag_total * fused.factor["tags"] for tag_id, weight in asked.tags.items()}
    index.add_tags(tags, scores)
    combined = sum(vector * fused.factor[part] for part, vector in asked.vectors.items())
    scan = index.scan(combined, scores, visible)
    slack = scan.slack + 1e-6 * sum(map(abs, tags.values()))
    rows = fusion.largest(scores, min(count + MARGIN, np.count_nonzero(visible)))
    parts = fused.parts(exact_scores(index, asked, rows))
    middle = sum(fused.middle[part] * fused.factor[part] for part in parts)  # the scan leaves it out
    exact = fusion.total(parts, len(rows)) + middle
    if not (np.abs(scores[rows] - exact) <= scan.length * index.take("errors", rows) + slack).all():
        raise DamagedError("codes and vectors of the index contradict each other")
    more = _possible(index, scan, rows, exact, count, slack)
    if len(more):
        rows = np.concatenate([rows, more])
        parts = fused.parts(exact_scores(index, asked, rows))
    return replace(_ordered(index, rows, parts, count), scan=scan)


def reaching(index: Index, asked: Asked, share: dict[str, float], scan: Scan, threshold: float) -> int:
    """How many of the visible rows score at least `threshold` by `mean`: exactly, from the scan that found
    the best."""
    slack = scan.slack + 1e-6
    near = np.flatnonzero(scan.scores >= threshold - slack - scan.length * index.largest_error)
    off = np.abs(scan.scores[near] - threshold) - slack - scan.length * index.take("errors", near)
    doubtful = near[off <= 0]
    exact = fusion.total(fusion.mean(share).parts(exact_scores(index, asked, doubtful)), len(doubtful))
    return int(
        np.count_nonzero((off > 0) & (scan.scores[near] > threshold)) + np.count_nonzero(exact >= threshold)
    )


def _best_by_rank(
    index: Index, fused: fusion.ByRank, scores: dict[str, np.ndarray], visible: np.ndarray, count: int
) -> Best:
    """A row that is not among the first n of any component scores less than one that is n-th in all of them:
    so the first few of each are compared, and more of them only where that leaves a doubt."""
    reach = 4 * max(count, MARGIN)
    seen = [np.where(visible, values, -np.inf) for values in scores.values()]
    while True:
        rows = np.unique(np.concatenate([fusion.largest(values, reach) for values in seen]))
        rows = rows[visible[rows]]
        parts = fused.parts({part: values[rows] for part, values in scores.items()})
        found = _ordered(index, rows, parts, count)
        if reach >= index.size or (
            len(found.rows) == count and found.scores[-1:].sum() > fused.at_rank(reach)
        ):
            return found
        reach *= 4


def _possible(
    index: Index, scan: Scan, rows: np.ndarray, exact: np.ndarray, count: int, slack: float
) -> np.ndarray:
    """The visible rows besides `rows` whose exact score can reach that of the count-th best of these."""
    if not 0 < count <= len(rows):
        return rows[:0]
    threshold = np.partition(exact, len(exact) - count)[len(exact) - count] - slack
    near = np.flatnonzero(scan.scores >= threshold - scan.length * index.largest_error)
    near = near[scan.scores[near] + scan.length * index.take("errors", near) >= threshold]
    return np.setdiff1d(near, rows, assume_unique=True)


def _best_by_tags(index: Index, asked: Asked, fused: fusion.Linear, visible: np.ndarray, count: int) -> Best:
    """By the sum of the carried tags' weights, which for weights like 1, 2 or 0.5 is exact; many rows are
    equal."""
    scores = np.zeros(index.size, np.float32)
    index.add_tags(asked.tags, scores)
    scores[~visible] = -np.inf
    count = min(count, np.count_nonzero(visible))
    rows = _newest_of_equals(index, scores, fusion.largest(scores, count), count)
    return _ordered(index, rows, fused.parts(exact_scores(index, asked, rows)), count)


def _newest_of_equals(index: Index, scores: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """`count` of `rows`, which are the largest and all that equal the last of them: of the equals the
    newest."""
    if len(rows) <= count:
        return rows
    last = scores[rows].min()
    above, equal = rows[scores[rows] > last], rows[scores[rows] == last]
    free = count - len(above)
    ids = index.take("ids", equal)
    return np.concatenate([above, equal[np.argpartition(ids, len(ids) - free)[len(ids) - free :]]])


def exact_scores(index: Index, asked: Asked, rows: np.ndarray) -> dict[str, np.ndarray]:
    """float64 (len(rows),) for each component."""
    scores = {part: index.exact_dots(vector, rows) for part, vector in asked.vectors.items()}
    if "tags" in asked.components:
        scores["tags"] = np.zeros(len(rows))
        for tag_id, weight in asked.tags.items():
            scores["tags"][index.carries(tag_id, rows)] += weight
        scores["tags"] /= asked.tag_total
    return scores


def _ordered(index: Index, rows: np.ndarray, parts: dict[str, np.ndarray], count: int) -> Best:
    order = np.lexsort((-index.take("ids", rows), -fusion.total(parts, len(rows))))[:count]
    return Best(rows[order], {part: values[order] for part, values in parts.items()})
