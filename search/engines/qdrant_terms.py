"""What may be found, and what raises a score, in Qdrant's terms; and a picture as a point of it."""

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from qdrant_client import models

from gallery.access import Scope
from search.engines.base import Question, Within
from search.evidence import Meaning, WantedWord
from search.index import words
from search.index.columns import UNKNOWN, Rows
from search.query import conditions
from search.timeline import moments

Condition = models.Condition

# What filters and orders ask for. The owner is Qdrant's tenant: one person's pictures lie side by side.
INDEXES: dict[str, Any] = {
    "owners": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    **dict.fromkeys(("tags", "albums", "ids", "taken", "added", "moments", "sides"), "integer"),
    **dict.fromkeys(("formats", "tagged"), "integer"),
    "words": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, on_disk=True),
}
# Lists of candidates in one request: one for each number of tags that a row may carry.
MOST_LISTS = 16
ASKED_FROM = (
    5  # bonuses that are alike, as the tags of a picture: of so many it is worth asking how many have them
)

NOTHING = models.HasIdCondition(has_id=[])


def points(rows: Rows) -> list[models.PointStruct]:
    """Make a point of each row: what the index's columns hold is its payload, under the same names."""
    columns = {
        name: rows.columns[name].tolist() for name in ("ids", "owners", "taken", "added", "sides", "formats")
    }
    columns |= {name: rows.columns[name].tolist() for name in ("tagged", "log_sums")}
    columns["moments"] = moments(rows.columns["taken"], rows.columns["added"]).tolist()
    vocabulary = rows.words.vocabulary
    lists = {
        "tags": _by_row(rows.tags, len(rows), int),
        "albums": _by_row(rows.albums, len(rows), int),
        "words": _by_row(rows.words.pairs, len(rows), vocabulary.__getitem__),
    }
    found = []
    for i, vector in enumerate(rows.vectors):
        payload = {name: own[i] for name, own in (columns | lists).items()}
        payload["owners"] = str(payload["owners"])
        if payload["taken"] == UNKNOWN:
            del payload["taken"]
        if not np.isfinite(payload["log_sums"]):
            del payload["log_sums"]
        payload["vector"] = hashlib.sha256(vector.tobytes()).hexdigest()[:16]  # tells whether it changed
        found.append(models.PointStruct(id=payload["ids"], vector=vector.tolist(), payload=payload))
    return found


def _by_row(pairs: np.ndarray, count: int, of: Callable[[int], Any]) -> list[list[Any]]:
    found: list[list[Any]] = [[] for _ in range(count)]
    for row, key in pairs.tolist():
        found[row].append(of(key))
    return found


def any_of(key: str, values: Iterable[Any]) -> Condition:
    """Say that one of the values is there; of none nothing is found."""
    wanted = list(values)
    return models.FieldCondition(key=key, match=models.MatchAny(any=wanted)) if wanted else NOTHING


def all_of(*wanted: Condition | None) -> models.Filter:
    """Say that each of these holds."""
    return models.Filter(must=[own for own in wanted if own is not None])


def one_of(*wanted: Condition) -> models.Filter:
    """Say that one of these holds."""
    return models.Filter(should=list(wanted) or [NOTHING])


def equals(key: str, value: Any) -> Condition:
    """Say that it has this value."""
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def seen_by(owner_id: int, album_ids: Iterable[int]) -> models.Filter:
    """Say that this person owns it, or that it is in one of these albums."""
    return one_of(equals("owners", str(owner_id)), any_of("albums", album_ids))


def visible(scope: Scope) -> models.Filter:
    """Say that this person sees it."""
    return seen_by(scope.owner_id, scope.album_ids)


def within(wanted: Within) -> models.Filter:
    """Say that it may be found."""
    must: list[Condition] = [visible(wanted.scope), *map(condition, wanted.conditions)]
    if wanted.any_of_tags:
        must.append(any_of("tags", wanted.any_of_tags))
    without = [any_of("tags", wanted.without_tags)] if wanted.without_tags else None
    return models.Filter(must=must, must_not=without)


def condition(wanted: conditions.Condition) -> Condition:
    """Say what a filter asks for."""
    match wanted:
        case conditions.Limit(column="owners"):
            own = equals("owners", str(wanted.least))
            return models.Filter(must_not=[own]) if wanted.outside else own
        case conditions.Limit():
            limits = models.Range(gte=wanted.least, lte=wanted.most)
            inside = models.FieldCondition(key=wanted.column, range=limits)
            return models.Filter(must_not=[inside]) if wanted.outside else inside
        case conditions.InAlbums():
            return any_of("albums", wanted.album_ids)
        case conditions.HasWords():
            told = seen_by(wanted.told.owner_id, wanted.told.telling_album_ids) if wanted.told else None
            return all_of(*(any_of("words", forms) for forms in wanted.words or [()]), told)
        case conditions.Among():
            return models.HasIdCondition(has_id=list(wanted.image_ids))
    raise TypeError(f"{wanted} cannot be asked of Qdrant")


def written(word: WantedWord, scope: Scope) -> models.Filter:
    """Say that a word is written about it, where this person may know."""
    anywhere = [f"{field}:{form}" for field in words.FIELDS if field != "place" for form in word.forms]
    told = seen_by(scope.owner_id, scope.telling_album_ids)
    place = all_of(any_of("words", [f"place:{form}" for form in word.forms]), told)
    called = scope.albums_called(set(word.forms), words.in_text)
    return one_of(any_of("words", anywhere), place, any_of("albums", called))


def colored(color: str) -> Condition:
    """Say that a colour covers much of it."""
    return any_of("words", [f"color:{color}"])


def shown(meaning: Meaning) -> models.Filter | None:
    """Say that it shows what a text means; None where the extractor cannot tell. As evidence.Meaning.find."""
    if meaning.asks_more and not meaning.is_told:
        return None
    tagged = [any_of("tags", list(meaning.tags))] if meaning.asks_more or not meaning.colors else []
    return all_of(*tagged, *map(colored, meaning.colors))


def every_word(question: Question) -> Condition:
    """Say that all words of the query's texts are written about it."""
    wanted = question.resolved.words.written
    return all_of(*(written(word, question.within.scope) for word in wanted)) if wanted else NOTHING


@dataclass(frozen=True)
class Bonus:
    """What a score gains where something holds."""

    holds: Condition
    amount: float


@dataclass(frozen=True)
class Level:
    """Pictures with at least so many of the bonuses of each amount, and what these add up to."""

    counts: tuple[tuple[float, int], ...]
    total: float


class Levels:
    """The numbers of bonuses that pictures may have, by amount.

    Whatever is among the best K of all is among the K nearest of those that have at least as many bonuses of
    each amount: those before it there have no fewer and are no farther. So a list of K for each combination
    of numbers holds the best, exactly. Where there are more than MOST_LISTS combinations, numbers are left
    out, the smallest amounts' first: docs/scale.md has what that costs.
    """

    def __init__(
        self,
        bonuses: Iterable[Bonus],
        most: int = MOST_LISTS,
        few: Callable[[list[Condition], int], bool] | None = None,
    ) -> None:
        """Say by `few` whether so few have at least so many of some bonuses that one list holds them all.

        Higher numbers of these need no lists of their own then.
        """
        self.bonuses = [bonus for bonus in bonuses if bonus.amount > 0]
        self._having: dict[float, list[Condition]] = {}
        for bonus in self.bonuses:
            self._having.setdefault(round(bonus.amount, 9), []).append(bonus.holds)
        numbers = {amount: self._numbers(own, few) for amount, own in self._having.items()}
        while math.prod(len(own) for own in numbers.values()) > most:
            longest = max(numbers, key=lambda amount: (len(numbers[amount]), -amount))
            kept = numbers[longest]
            numbers[longest] = [*kept[:-1:2], kept[-1]] if len(kept) > 3 else kept[:-1]
        self.is_whole = all(len(own) == len(self._having[amount]) + 1 for amount, own in numbers.items())
        self.all = sorted(
            (
                Level(counts, sum(amount * number for amount, number in counts))
                for counts in (tuple(zip(numbers, own, strict=True)) for own in product(*numbers.values()))
            ),
            key=lambda level: -level.total,
        )

    @staticmethod
    def _numbers(having: list[Condition], few: Callable[[list[Condition], int], bool] | None) -> list[int]:
        """List the numbers of these bonuses that need a list: all, or those up to the first that few have."""
        least, most = 1, len(having)
        while few and len(having) >= ASKED_FROM and least < most:
            middle = (least + most) // 2
            least, most = (least, middle) if few(having, middle) else (middle + 1, most)
        return list(range(most + 1))

    def at_least(self, level: Level) -> list[Condition]:
        """Say that it has as many bonuses, or more."""
        return [self._having_more(amount, number) for amount, number in level.counts if number]

    def exactly(self, level: Level) -> models.Filter:
        """Say that it has as many bonuses, and no more."""
        more = [
            self._having_more(amount, number + 1)
            for amount, number in level.counts
            if number < len(self._having[amount])
        ]
        return models.Filter(must=self.at_least(level), must_not=more)

    def _having_more(self, amount: float, number: int) -> Condition:
        return having(self._having[amount], number)


def having(conditions: list[Condition], number: int) -> models.Filter:
    """Say that at least so many of these hold."""
    return models.Filter(min_should=models.MinShould(conditions=conditions, min_count=number))
