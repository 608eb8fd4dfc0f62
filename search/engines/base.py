"""What a search asks of an engine, and what it hears; each engine fills this interface.

An engine is told what may be found as data (`Within`), never as a mask of its own rows, so that one which
runs elsewhere can be asked the same. It decides nothing about who sees what: `search.engine` asks
`gallery.access` about whatever it answers.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gallery.access import Scope
from gallery.extraction.base import Description
from search.engines.explanation import Explained
from search.index.index import Index
from search.query.conditions import Condition
from search.query.query import Query
from search.query.resolve import ResolvedQuery


@dataclass(frozen=True)
class Within:
    """What may be found: whose pictures, which filters they pass, and which tags they carry or do not."""

    scope: Scope
    conditions: tuple[Condition, ...] = ()
    without_tags: frozenset[int] = frozenset()
    any_of_tags: frozenset[int] = frozenset()  # asked by tags alone, a picture with none is no answer

    def visible(self, index: Index) -> np.ndarray:
        """Bool (size,): the rows of an index that this person sees, whatever the filters say."""
        return index.visible(self.scope.owner_id, self.scope.album_ids)

    def rows(self, index: Index) -> np.ndarray:
        """Bool (size,): the rows of an index that may be found."""
        mask = self.visible(index)
        for condition in self.conditions:
            mask &= condition.rows(index)
        for tag_id in self.without_tags:
            mask[index.tag_rows(tag_id)] = False
        if self.any_of_tags:
            mask &= index.with_any_tag(self.any_of_tags)
        return mask


@dataclass(frozen=True)
class Question:
    """A query, with everything looked up, and what may be found."""

    query: Query
    resolved: ResolvedQuery
    within: Within

    @classmethod
    def of(cls, query: Query, resolved: ResolvedQuery, scope: Scope) -> "Question":
        """Put together what an engine is asked."""
        excluded = {resolved.tag_ids[name] for name in query.exclude_tags if name in resolved.tag_ids}
        by_tags = resolved.asked.components == ["tags"]
        # Tags that nobody ever gave are asked for, too: then there is nothing to find.
        any_of = frozenset(resolved.asked.tags or {0}) if by_tags else frozenset()
        without = frozenset({*excluded, *resolved.unwanted_tag_ids})
        return cls(query, resolved, Within(scope, tuple(resolved.limits), without, any_of))


@dataclass(frozen=True)
class Wanted:
    """Which of the results are asked for."""

    offset: int
    limit: int
    good_only: bool = False


# In an ordered list: what it is ordered by there, and the picture's number.
Place = tuple[int, int]


@dataclass(frozen=True)
class Piece:
    """Some pictures' numbers, the place behind which the list goes on (None at its end), how many in all."""

    ids: list[int]
    following: Place | None
    count: int


class Look(ABC):
    """A look at the library with one question in mind: all that it tells is of one moment."""

    @abstractmethod
    def best(self, wanted: Wanted) -> list[Explained]:
        """Return the results of a page, in the query's order, with their scores and why."""

    @abstractmethod
    def count(self) -> int:
        """Count what may be found."""

    @abstractmethod
    def reaching(self) -> int | None:
        """Count the good matches; None where that cannot be told."""

    @abstractmethod
    def known_tags(self, tag_ids: Iterable[int]) -> dict[int, int]:
        """Say how many visible pictures carry each of the tags; those that none carries are left out."""

    @abstractmethod
    def is_written(self, word: str) -> bool:
        """Whether a visible picture has this word of the query."""


class Engine(ABC):
    """Where pictures are searched: in this process, or in a service."""

    @abstractmethod
    def look(self, question: Question) -> AbstractContextManager[Look]:
        """Open a look; NotReadyError while everything is being made, EngineAwayError where nobody answers."""

    def ask(self, question: Question, answer: Callable[[Look], Any]) -> Any:
        """Return what `answer` makes of a look."""
        with self.look(question) as look:
            return answer(look)

    @abstractmethod
    def piece(self, within: Within, order: str, after: Place | None, limit: int) -> Piece:
        """List what may be found from behind a place on, in one of search.listing.ORDERS."""

    @abstractmethod
    def beside(self, within: Within, order: str, pk: int) -> tuple[int | None, int | None]:
        """Return the pictures before and after one in such a list; None where there is none."""

    @abstractmethod
    def apply(self, extractor: Description, changed: Sequence[int]) -> None:
        """Read these images again, from the database."""

    @abstractmethod
    def rebuild(self, extractor: Description) -> int:
        """Read everything again from the database; the number of pictures."""

    @abstractmethod
    def ids(self, extractor: Description) -> set[int]:
        """Return the numbers of all pictures that can be found."""

    @abstractmethod
    def lag(self) -> int | None:
        """Count the changes that searches do not see yet; None where nobody has looked yet."""

    def check(self) -> None:  # noqa: B027 - what is in this process is there
        """Raise EngineAwayError where nobody answers."""

    @abstractmethod
    def keep_up(self, stop: threading.Event) -> None:
        """Follow the log of changes, in a thread of a web process, until the event comes."""

    @abstractmethod
    def tidy_up(self, wanted: Sequence[Description]) -> str:
        """Do the worker's housekeeping; what is kept of extractors other than these goes. What was done."""

    @abstractmethod
    def forget(self) -> None:
        """Let go of everything that this process holds."""
