"""The best rows, exactly: a scan of the codes says which can be among them, and those are scored in float64.

Nothing is left to chance: a row's score from its codes is off by no more than the bound that was kept with it
(`search/index/quantization.py`), so a row that is below the last place by more than that cannot be among the
best.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from search.index.index import Index, Scan
from search.index.snapshot import DamagedError

COMPONENTS = ("image", "text", "tags", "words")
# Leaders beyond those asked for that are scored at once: rounding moves a row by few places.
MARGIN = 64
STEP = 64  # of so many scores a sample takes one

Scores = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Gain:
    """What some rows have more of a component than its own score.

    Rows are uint32 (n,) in growing order, each once.
    """

    component: str
    rows: np.ndarray
    amount: float

    def at(self, rows: np.ndarray) -> np.ndarray:
        """float64 (len(rows),): what each of these rows gains."""
        if not len(self.rows):
            return np.zeros(len(rows))
        place = np.minimum(np.searchsorted(self.rows, rows.astype(np.uint32)), len(self.rows) - 1)
        return np.where(self.rows[place] == rows, self.amount, 0.0)


@dataclass(frozen=True)
class Asked:
    """What rows are scored by: a vector float64 (dim,) for each feature, and tags with what each counts.

    `unfindable` is the weight of tags that no row carries: they count in the whole, as in the original.
    `gains` are what the fusion `best` adds: to 'text' where a row carries a tag that the text names, and the
    component 'words', which they are all of.
    """

    vectors: dict[str, np.ndarray]
    tags: dict[int, float]
    unfindable: float = 0.0
    gains: tuple[Gain, ...] = ()
    has_words: bool = False

    @property
    def components(self) -> list[str]:
        tags = ["tags"] if self.tags or self.unfindable else []
        return [*self.vectors, *tags, *(["words"] if self.has_words else [])]

    @property
    def tag_total(self) -> float:
        """The weight of all tags asked for.

        A row's tag score is the weight of those it carries in this: with equal weights |T and I| / |T|.
        """
        return sum(self.tags.values()) + self.unfindable


@dataclass(frozen=True)
class Best:
    """The best rows, best first.

    int64 (n,), and what each component gave to each row's score, float64 (n,).
    """

    rows: np.ndarray
    parts: dict[str, np.ndarray]
    # float32 (size,): every row's dot product with the one vector that was asked for, -inf where it is not
    # visible; None where several were, or the fusion does not work it out.
    dots: np.ndarray | None = None

    def first(self, count: int) -> "Best":
        """Return the first `count` of these."""
        return replace(
            self, rows=self.rows[:count], parts={part: own[:count] for part, own in self.parts.items()}
        )

    @property
    def scores(self) -> np.ndarray:
        return total(self.parts, len(self.rows))


@dataclass(frozen=True)
class Linear:
    """A weighted sum: each component's distance from `middle`, times `factor`."""

    factor: Mapping[str, float]
    middle: Mapping[str, float]

    def parts(self, scores: Scores) -> dict[str, np.ndarray]:
        """Return what each component gives to the score, float64, of the rows whose scores these are."""
        return {
            name: (values.astype(np.float64) - self.middle[name]) * self.factor[name]
            for name, values in scores.items()
        }


def best_linear(index: Index, asked: Asked, linear: Linear, visible: np.ndarray, count: int) -> Best:
    """Rank by a weighted sum of components: one dot product and a few posting lists, one pass over the codes.

    The answer is that of float64, of equal scores the newest first. Raises DamagedError when codes and
    vectors contradict each other.
    """
    if not asked.vectors:
        return _best_by_tags(index, asked, linear, visible, count)
    scores = np.zeros(index.size, np.float32)
    tags = {tag_id: weight / asked.tag_total * linear.factor["tags"] for tag_id, weight in asked.tags.items()}
    index.add_tags(tags, scores)
    for gain in asked.gains:
        index.add_at(gain.rows, gain.amount * linear.factor[gain.component], scores)
    sparse = scores.copy()
    combined = np.sum([vector * linear.factor[part] for part, vector in asked.vectors.items()], axis=0)
    scan = index.scan(combined, scores, visible)
    added = [*tags.values(), *(gain.amount * linear.factor[gain.component] for gain in asked.gains)]
    slack = scan.slack + 1e-6 * sum(map(abs, added))
    rows = largest(scores, min(count + MARGIN, int(np.count_nonzero(visible))))
    parts = linear.parts(exact_scores(index, asked, rows))
    middle = sum(linear.middle[part] * linear.factor[part] for part in parts)  # the scan leaves it out
    exact = total(parts, len(rows)) + middle
    if not (np.abs(scores[rows] - exact) <= scan.length * index.take("errors", rows) + slack).all():
        raise DamagedError("codes and vectors of the index contradict each other")
    more = _possible(index, scan, rows, exact, count, slack)
    if len(more):
        rows = np.concatenate([rows, more])
        parts = linear.parts(exact_scores(index, asked, rows))
    best = ordered(index, rows, parts, count)
    [factor, *others] = [linear.factor[part] for part in asked.vectors]
    if others or not factor:
        return best
    return replace(best, dots=(scores - sparse) / np.float32(factor))


def component_scores(index: Index, asked: Asked, visible: np.ndarray) -> dict[str, np.ndarray]:
    """float32 (size,) for each component, from the codes; of no meaning where rows are not visible."""
    scores = {part: index.dots(vector, visible) for part, vector in asked.vectors.items()}
    if "tags" in asked.components:
        scores["tags"] = np.zeros(index.size, np.float32)
        index.add_tags(asked.tags, scores["tags"])
        scores["tags"] /= np.float32(asked.tag_total)
    return scores


def exact_scores(index: Index, asked: Asked, rows: np.ndarray) -> dict[str, np.ndarray]:
    """float64 (len(rows),) for each component."""
    scores = {part: index.exact_dots(vector, rows) for part, vector in asked.vectors.items()}
    if "tags" in asked.components:
        scores["tags"] = np.zeros(len(rows))
        for tag_id, weight in asked.tags.items():
            scores["tags"][index.carries(tag_id, rows)] += weight
        scores["tags"] /= asked.tag_total
    if asked.has_words:
        scores["words"] = np.zeros(len(rows))
    for gain in asked.gains:
        scores[gain.component] = scores[gain.component] + gain.at(rows)
    return scores


def ordered(index: Index, rows: np.ndarray, parts: dict[str, np.ndarray], count: int) -> Best:
    """Order rows by the sum of their parts, best first, of equal sums the newest first; the first `count`."""
    order = np.lexsort((-index.take("ids", rows), -total(parts, len(rows))))[:count]
    return Best(rows[order], {part: values[order] for part, values in parts.items()})


def _possible(
    index: Index, scan: Scan, rows: np.ndarray, exact: np.ndarray, count: int, slack: float
) -> np.ndarray:
    """Return the visible rows besides `rows` whose exact score can reach the count-th best of these."""
    if not 0 < count <= len(rows):
        return rows[:0]
    threshold = np.partition(exact, len(exact) - count)[len(exact) - count] - slack
    near = np.flatnonzero(scan.scores >= threshold - scan.length * index.largest_error)
    near = near[scan.scores[near] + scan.length * index.take("errors", near) >= threshold]
    return np.setdiff1d(near, rows, assume_unique=True)


def _best_by_tags(index: Index, asked: Asked, linear: Linear, visible: np.ndarray, count: int) -> Best:
    """By the sum of the carried tags' weights, which for weights like 1, 2 or 0.5 is exact.

    Many rows are equal.
    """
    scores = np.zeros(index.size, np.float32)
    index.add_tags(asked.tags, scores)
    scores[~visible] = -np.inf
    count = min(count, int(np.count_nonzero(visible)))
    rows = _newest_of_equals(index, scores, largest(scores, count), count)
    return ordered(index, rows, linear.parts(exact_scores(index, asked, rows)), count)


def _newest_of_equals(index: Index, scores: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Pick `count` of `rows`, which are the largest and all that equal the last of them.

    Of the equals the newest.
    """
    if len(rows) <= count:
        return rows
    last = scores[rows].min()
    above, equal = rows[scores[rows] > last], rows[scores[rows] == last]
    free = count - len(above)
    ids = index.take("ids", equal)
    return np.concatenate([above, equal[np.argpartition(ids, len(ids) - free)[len(ids) - free :]]])


def total(parts: Scores, size: int) -> np.ndarray:
    """Return the score of each row, float64 (size,); zeros when nothing was asked that ranks."""
    return sum(parts.values(), start=np.zeros(size))


def largest(scores: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of the `count` largest scores and of all that equal the last of them, in no order.

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
    largest: np.ndarray = rows[own >= np.partition(own, len(own) - count)[len(own) - count]]
    return largest
