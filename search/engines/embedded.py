"""The engine that needs no server: the index of this process, exact."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gallery.extraction.base import Description
from search import good_matches, live_index, sorting
from search.engines.base import Engine, Look, Piece, Place, Question, Wanted, Within
from search.engines.embedded_lists import OrderedList
from search.engines.explanation import Explained
from search.engines.scoring import Scoring
from search.index.index import Index
from search.index.ranking import Best
from search.index.snapshot import DamagedError
from search.suggestions import count_tags


class EmbeddedLook(Look):
    """A look at an index in memory."""

    def __init__(self, index: Index, question: Question) -> None:
        self._index, self._question = index, question
        self._scoring = Scoring(index, question)
        self._found = question.within.rows(index)
        self._ranked: tuple[int, Best] | None = None  # of everything, for how many places
        self._good: np.ndarray | None = None
        self._good_is_known = False

    def best(self, wanted: Wanted) -> list[Explained]:
        reach = wanted.offset + wanted.limit
        good = self._good_rows(reach)
        only_good = good is not None and wanted.good_only
        if self._question.query.order != "best":
            among = good if good is not None and only_good and good.any() else self._found
            rows = sorting.page_of_rows(
                self._index, self._question.query.order, np.flatnonzero(among), wanted.offset, wanted.limit
            )
            return self._scoring.explain(self._scoring.in_order(rows))
        if good is None or not only_good:
            best = self._best_of_all(reach)
        elif good.any():
            best = self._scoring.rank(good, reach)
        else:
            best = self._best_of_all(reach).first(good_matches.CLOSEST)
        return self._scoring.explain(best, wanted.offset)

    def count(self) -> int:
        return int(np.count_nonzero(self._found))

    def reaching(self) -> int | None:
        good = self._good_rows(good_matches.CLOSEST)
        return None if good is None else int(np.count_nonzero(good))

    def known_tags(self, tag_ids: Iterable[int]) -> dict[int, int]:
        return count_tags(self._index, self._scoring.seen, tag_ids)

    def is_written(self, word: str) -> bool:
        return self._scoring.evidence.is_written(word)

    def _good_rows(self, reach: int) -> np.ndarray | None:
        """Bool (size,): the good matches; None where that cannot be told."""
        if self._good_is_known:
            return self._good
        query, resolved = self._question.query, self._question.resolved
        good = good_matches.by_words_and_tags(self._index, query, resolved, self._scoring.evidence)
        if good is not None:
            good &= self._found
            if resolved.wanted or resolved.unwanted:
                good = good_matches.by_pictures(self._index, resolved, self._best_of_all(reach), good)
        self._good, self._good_is_known = good, True
        return good

    def _best_of_all(self, reach: int) -> Best:
        if self._ranked is None or self._ranked[0] < reach:
            self._ranked = reach, self._scoring.rank(self._found, reach)
        known, best = self._ranked
        return best if known == reach else best.first(reach)


class EmbeddedEngine(Engine):
    """Today's snapshot and the rows that came since, in the memory of each process."""

    @contextmanager
    def look(self, question: Question) -> Iterator[Look]:
        with live_index.live_index.open() as index:
            yield EmbeddedLook(index, question)

    def ask(self, question: Question, answer: Callable[[Look], Any]) -> Any:
        """Return what `answer` makes of a look; a snapshot found to be damaged is rebuilt first."""
        try:
            return super().ask(question, answer)
        except DamagedError:
            live_index.live_index.discard()
            return super().ask(question, answer)

    def piece(self, within: Within, order: str, after: Place | None, limit: int) -> Piece:
        with live_index.live_index.open() as index:
            return OrderedList(index, within, order).piece(after, limit)

    def beside(self, within: Within, order: str, pk: int) -> tuple[int | None, int | None]:
        with live_index.live_index.open() as index:
            return OrderedList(index, within, order).beside(pk)

    def apply(self, extractor: Description, changed: Sequence[int]) -> None:
        """Do nothing: every look reads the log of changes first."""

    def rebuild(self, extractor: Description) -> int:
        live_index.rebuild(extractor)
        return len(self.ids(extractor))

    def ids(self, extractor: Description) -> set[int]:
        with live_index.live_index.open() as index:
            return set(index.take("ids", index.alive_rows()).tolist())

    def lag(self) -> int | None:
        return live_index.live_index.lag()

    def keep_up(self, stop: threading.Event) -> None:
        from search.index import kernels

        kernels.prepare()
        live_index.live_index.keep_up(stop)

    def tidy_up(self, wanted: Sequence[Description]) -> str:
        """Write new snapshots where many changes came since."""
        written = [own.key for own in wanted if live_index.compact(own)]
        live_index.remove_others({own.key for own in wanted})
        return f"written: {', '.join(written) or 'nothing'}"

    def forget(self) -> None:
        live_index.live_index.forget()
