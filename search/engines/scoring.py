"""A question asked of the rows of an index: their scores, and why.

The index may be that of everything, or a few rows that another engine took for the best ones, read from the
database for the purpose: whoever proposes, the scores are these.
"""

from dataclasses import replace

import numpy as np

from search import evidence
from search.engines.base import Question
from search.engines.explanation import Explained, explain
from search.index import ranking
from search.index.fusion import FUSIONS
from search.index.index import Index


class Scoring:
    """Scores rows of an index by what is asked."""

    def __init__(
        self, index: Index, question: Question, frequencies: evidence.Frequencies | None = None
    ) -> None:
        """Say by `frequencies` how common words are, where the index does not hold every picture."""
        self.index, self.question = index, question
        words, allowed = question.resolved.words, question.within.scope
        self.seen = question.within.visible(index)
        self.evidence = evidence.gather(index, self.seen, allowed, words.meanings, words.written, frequencies)
        asked = question.resolved.asked
        if asked.has_words:
            by_tags = not question.resolved.unwanted
            asked = replace(asked, gains=self.evidence.gains(by_tags=by_tags))
        self.asked = asked

    def rank(self, rows: np.ndarray, count: int) -> ranking.Best:
        """Return the best of the rows of a mask, bool (size,)."""
        fusion = FUSIONS[self.question.query.fusion]
        return fusion.rank(self.index, self.asked, self.question.resolved.share, rows, count)

    def in_order(self, rows: np.ndarray) -> ranking.Best:
        """Score these rows int64 (n,), and leave them in their order."""
        mask = np.zeros(self.index.size, bool)
        mask[rows] = True
        best = self.rank(mask, len(rows))
        place = {row: i for i, row in enumerate(best.rows.tolist())}
        at = np.array([place[row] for row in rows.tolist() if row in place], np.int64)
        return ranking.Best(best.rows[at], {part: own[at] for part, own in best.parts.items()})

    def explain(self, best: ranking.Best, offset: int = 0) -> list[Explained]:
        """Say why, of the best rows from `offset` on."""
        return explain(self.index, best, offset, self.question.resolved, self.evidence)
