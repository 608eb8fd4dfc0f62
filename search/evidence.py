"""What answers a text besides its embedding: tags that it names, colours, and what people wrote."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gallery.access import Scope
from search.index import words
from search.index.fusion import NAMED_COLOR, NAMED_TAG
from search.index.index import Index
from search.index.ranking import Gain

_NONE = np.zeros(0, np.uint32)


@dataclass(frozen=True)
class Meaning:
    """What a text asks for in tags and colours."""

    tag_ids: list[int]  # of tags that mean what the words do
    colors: list[str]
    is_told: bool  # whether the extractor can say which tags those are; a text of colours alone needs none
    asks_more: bool  # than colours
    weight: float = 1.0  # of the text among all of them

    def rows(self, index: Index) -> np.ndarray | None:
        """Bool (size,): the rows, dead ones too, that show it; None where that cannot be told."""
        if not self.is_told and (self.asks_more or not self.colors):
            return None
        mask = index.with_any_tag(self.tag_ids) if self.asks_more else np.ones(index.size, bool)
        for color in self.colors:
            mask &= _as_mask(index, index.word_rows(f"color:{color}"))
        return mask


@dataclass(frozen=True)
class WantedWord:
    """A word of a text, and how much that text counts."""

    forms: tuple[str, ...]  # the word itself first
    weight: float = 1.0

    def places(self, index: Index, allowed: Scope) -> dict[str, np.ndarray]:
        """Say where it is found: rows uint32 (n,), dead ones too, by field."""
        found = {
            field: joined(index.word_rows(f"{field}:{form}") for form in self.forms) for field in words.FIELDS
        }
        if len(found["place"]):  # where a picture was taken is not told to everybody who sees it
            told = index.visible(allowed.owner_id, allowed.telling_album_ids)
            found["place"] = found["place"][told[found["place"]]]
        called = allowed.albums_called(set(self.forms), words.in_text)
        found["album"] = joined(index.album_rows(album_id) for album_id in called)
        return {field: rows for field, rows in found.items() if len(rows)}


@dataclass(frozen=True)
class MatchedWord:
    """A word of the query that was found in what people wrote."""

    word: str
    where: list[str]  # name, caption, keyword, place, text, album


@dataclass(frozen=True)
class Found:
    """What the index has of one text's meaning."""

    shown: np.ndarray | None  # bool (size,): the rows that show it; None where that cannot be told
    tagged: np.ndarray  # uint32: those that carry a tag that means it
    colored: list[np.ndarray]  # uint32 for each of its colours
    weight: float


@dataclass(frozen=True)
class Written:
    """Where one word of the query is written."""

    word: str
    places: dict[str, np.ndarray]  # uint32 rows by field
    weight: float

    @property
    def rows(self) -> np.ndarray:
        """uint32 (n,): the rows that have it anywhere."""
        return joined(self.places.values())


@dataclass(frozen=True)
class Evidence:
    """What the index says of a query's texts."""

    texts: list[Found]
    words: list[Written]
    visible: np.ndarray  # bool (size,)

    def gains(self, by_tags: bool) -> tuple[Gain, ...]:
        """Return what `best` adds to the scores; without tags where some are unwanted by example."""
        gains = []
        total = sum(text.weight for text in self.texts)
        for text in self.texts:
            share = text.weight / total
            gains += [Gain("text", text.tagged, NAMED_TAG * share)] if by_tags else []
            gains += [Gain("text", rows, NAMED_COLOR * share) for rows in text.colored]
        rows = [word.rows for word in self.words]
        weights = self._rarity(rows)
        gains += [Gain("words", own, weight) for own, weight in zip(rows, weights, strict=True)]
        return tuple(gain for gain in gains if len(gain.rows) and gain.amount)

    def _rarity(self, rows: Sequence[np.ndarray]) -> list[float]:
        """What share of a match each word is: the fewer visible rows have it, the more. They sum to 1."""
        count = int(np.count_nonzero(self.visible))
        had = [int(np.count_nonzero(self.visible[own])) for own in rows]
        rarity = np.log(1 + count / np.maximum(had, 1)) * [word.weight for word in self.words]
        return [float(share) for share in rarity / max(rarity.sum(), 1e-12)]

    def with_every_word(self) -> np.ndarray:
        """Bool (size,): the rows in which every word of the texts is written."""
        mask = np.full(len(self.visible), bool(self.words))
        for word in self.words:
            own = np.zeros(len(mask), bool)
            own[word.rows] = True
            mask &= own
        return mask

    def good(self) -> np.ndarray | None:
        """Bool (size,): the rows that answer the texts well; None where that cannot be told."""
        told = [text.shown for text in self.texts if text.shown is not None]
        if not told or len(told) < len(self.texts):
            return None
        return np.logical_or.reduce([*told, self.with_every_word()])

    def is_written(self, word: str) -> bool:
        """Whether a visible picture has this word of the query."""
        form = words.fold(word)
        return any(self.visible[own.rows].any() for own in self.words if own.word == form)

    def matched(self, rows: np.ndarray) -> list[list[MatchedWord]]:
        """For each row the words that are written about it, and where."""
        found: list[list[MatchedWord]] = [[] for _ in rows]
        for written in self.words:
            has = {field: np.isin(rows, own) for field, own in written.places.items()}
            for i in range(len(rows)):
                if where := [field for field, own in has.items() if own[i]]:
                    found[i].append(MatchedWord(written.word, where))
        return found


def gather(
    index: Index,
    visible: np.ndarray,
    allowed: Scope,
    meanings: Sequence[Meaning],
    wanted: Sequence[WantedWord],
) -> Evidence:
    """Look everything up in the index, for a person who sees the rows of the mask bool (size,)."""
    texts = [
        Found(
            meaning.rows(index),
            np.flatnonzero(index.with_any_tag(meaning.tag_ids)).astype(np.uint32),
            [index.word_rows(f"color:{color}") for color in meaning.colors],
            meaning.weight,
        )
        for meaning in meanings
    ]
    words = [Written(word.forms[0], word.places(index, allowed), word.weight) for word in wanted]
    return Evidence(texts, words, visible)


def joined(lists: Iterable[np.ndarray]) -> np.ndarray:
    """uint32 (n,): what is in any of the lists, each once, in growing order."""
    filled = [own for own in lists if len(own)]
    if len(filled) < 2:
        return filled[0] if filled else _NONE
    return np.unique(np.concatenate(filled))


def _as_mask(index: Index, rows: np.ndarray) -> np.ndarray:
    mask = np.zeros(index.size, bool)
    mask[rows] = True
    return mask
