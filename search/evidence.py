"""What answers a text besides its embedding: tags that it names, colours, and what people wrote."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gallery.access import Scope
from search.index import kernels, words
from search.index.fusion import NAMED_COLOR, NAMED_TAG
from search.index.index import Index
from search.index.ranking import Gain

_NONE = np.zeros(0, np.uint32)
FEW = 2000  # rows that are sorted sooner than marked


@dataclass(frozen=True)
class Meaning:
    """What a text asks for in tags and colours."""

    tags: Mapping[int, str]  # that mean what the words do: names by number
    colors: list[str]
    is_told: bool  # whether the extractor can say which tags those are; a text of colours alone needs none
    asks_more: bool  # than colours
    weight: float = 1.0  # of the text among all of them

    def find(self, index: Index) -> "Found":
        """Look it up."""
        tagged = index.with_any_tag(list(self.tags))
        colored = [index.word_rows(f"color:{color}") for color in self.colors]
        masks = [tagged] if self.asks_more or not self.colors else []
        masks += [_as_mask(index.size, rows) for rows in colored]
        shown = np.logical_and.reduce(masks) if self.is_told or not self.asks_more else None
        return Found(shown, np.flatnonzero(tagged).astype(np.uint32), colored, self.weight)


@dataclass(frozen=True)
class WantedWord:
    """A word of a text, and how much that text counts."""

    forms: tuple[str, ...]  # the word itself first
    weight: float = 1.0

    def places(self, index: Index, allowed: Scope) -> dict[str, np.ndarray]:
        """Say where it is found: rows uint32 (n,), dead ones too, by field."""
        found = {
            field: joined((index.word_rows(f"{field}:{form}") for form in self.forms), index.size)
            for field in words.FIELDS
        }
        if len(found["place"]):  # where a picture was taken is not told to everybody who sees it
            told = index.visible(allowed.owner_id, allowed.telling_album_ids)
            found["place"] = found["place"][told[found["place"]]]
        called = allowed.albums_called(set(self.forms), words.in_text)
        found["album"] = joined((index.album_rows(album_id) for album_id in called), index.size)
        return {field: rows for field, rows in found.items() if len(rows)}


@dataclass(frozen=True)
class MatchedWord:
    """A word of the query that was found in what people wrote."""

    word: str
    where: list[str]  # name, caption, keyword, place, text, album


@dataclass(frozen=True)
class Frequencies:
    """How many visible pictures there are, and how many of them have each wanted word."""

    pictures: int
    words: Sequence[int]


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
    rows: np.ndarray  # uint32 (n,): those that have it anywhere
    weight: float


@dataclass(frozen=True)
class Evidence:
    """What the index says of a query's texts."""

    texts: list[Found]
    words: list[Written]
    visible: np.ndarray  # bool (size,)
    frequencies: Frequencies | None = None  # where the index does not hold every picture

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
        weights = [word.weight for word in self.words]
        if self.frequencies:
            return rarity(self.frequencies.pictures, self.frequencies.words, weights)
        count = int(np.count_nonzero(self.visible))
        sees_all = count == len(self.visible)
        had = [len(own) if sees_all else int(np.count_nonzero(self.visible[own])) for own in rows]
        return rarity(count, had, weights)

    def with_every_word(self) -> np.ndarray:
        """Bool (size,): the rows in which every word of the texts is written."""
        mask = np.zeros(len(self.visible), bool)
        lists = sorted((word.rows for word in self.words), key=len)
        if lists:
            rows = lists[0]
            for own in lists[1:]:
                rows = rows[_as_mask(len(mask), own)[rows] if len(rows) > FEW else among(rows, own)]
            mask[rows] = True
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
            has = {field: among(rows.astype(np.uint32), own) for field, own in written.places.items()}
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
    frequencies: Frequencies | None = None,
) -> Evidence:
    """Look everything up in the index, for a person who sees the rows of the mask bool (size,)."""
    found = []
    for word in wanted:
        places = word.places(index, allowed)
        found.append(Written(word.forms[0], places, joined(places.values(), index.size), word.weight))
    return Evidence([meaning.find(index) for meaning in meanings], found, visible, frequencies)


def rarity(pictures: int, having: Sequence[int], weights: Sequence[float]) -> list[float]:
    """Say what share of a match each word is: the fewer of the pictures have it, the more. They sum to 1."""
    found = np.log(1 + pictures / np.maximum(having, 1)) * weights
    return [float(share) for share in found / max(found.sum(), 1e-12)]


def joined(lists: Iterable[np.ndarray], size: int) -> np.ndarray:
    """uint32 (n,): what is in any of the lists of rows below `size`, each once, in growing order."""
    filled = [own for own in lists if len(own)]
    if len(filled) < 2:
        return filled[0] if filled else _NONE
    if sum(map(len, filled)) < FEW:
        return np.unique(np.concatenate(filled))
    mask = np.zeros(size, bool)  # sorting many takes longer
    for own in filled:
        kernels.mark(mask, own)
    return np.flatnonzero(mask).astype(np.uint32)


def among(rows: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Bool (len(rows),): whether each row is in the list, which is in growing order and not empty."""
    if not len(own):
        return np.zeros(len(rows), bool)
    found: np.ndarray = own[np.minimum(np.searchsorted(own, rows), len(own) - 1)] == rows
    return found


def _as_mask(size: int, rows: np.ndarray) -> np.ndarray:
    mask = np.zeros(size, bool)
    kernels.mark(mask, rows)
    return mask
