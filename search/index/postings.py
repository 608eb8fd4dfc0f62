"""Posting lists: key (a tag, an album, a word) -> the rows that carry it, in growing order."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

MOST_AT_HAND = 20_000  # keys that are in a dictionary, too
_NONE = np.zeros(0, np.uint32)


class Postings:
    """Lists that grow: rows are appended in growing order and never taken out."""

    def __init__(self) -> None:
        self._lists: dict[int, np.ndarray] = {}
        # What came since the key was last read; joined on the next read, so that many small additions stay
        # cheap.
        self._recent: defaultdict[int, list[np.ndarray]] = defaultdict(list)

    def extend(self, pairs: np.ndarray) -> None:
        """Note (row, key) pairs, int64 (n, 2). No row comes before one that is there already."""
        keys, starts, rows = grouped(pairs[:, 0], pairs[:, 1])
        for key, start, stop in zip(keys.tolist(), starts[:-1], starts[1:], strict=True):
            self._recent[key].append(rows[start:stop])

    def rows(self, key: int) -> np.ndarray:
        """uint32 (n,): the rows that carry `key`, each once, in growing order."""
        recent = self._recent.pop(key, None)
        if recent:
            self._lists[key] = np.concatenate([self._lists.get(key, _NONE), *recent])
        return self._lists.get(key, _NONE)

    def keys(self) -> np.ndarray:
        """int64 (k,): every key that any row carries, in growing order."""
        return np.array(sorted(self._lists.keys() | self._recent.keys()), np.int64)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Give every row, uint32 (n,), and the key that it carries, int32 or int64 (n,)."""
        keys = self.keys()
        lists = [self.rows(key) for key in keys.tolist()]
        return np.concatenate([_NONE, *lists]), np.repeat(narrow(keys), [len(own) for own in lists])


class StoredPostings:
    """Lists that are complete, in three arrays: the rows of keys[i] are rows[starts[i] : starts[i + 1]]."""

    def __init__(self, keys: np.ndarray, starts: np.ndarray, rows: np.ndarray) -> None:
        self._keys, self._starts, self._rows = keys, starts, rows
        self._places: dict[int, int] = {}  # of the keys, from their first use on

    def rows(self, key: int) -> np.ndarray:
        """uint32 (n,): the rows that carry `key`, each once, in growing order."""
        i = self._place(key)
        if i is None:
            return _NONE
        return self._rows[self._starts[i] : self._starts[i + 1]]

    def _place(self, key: int) -> int | None:
        """Where the key is. A text may mean hundreds of tags, so theirs are kept at hand, unlike words'."""
        if len(self._keys) > MOST_AT_HAND:
            i = int(np.searchsorted(self._keys, key))
            return i if i < len(self._keys) and self._keys[i] == key else None
        if not self._places:
            self._places = {own: place for place, own in enumerate(self._keys.tolist())}
        return self._places.get(key)

    def keys(self) -> np.ndarray:
        """int64 (k,): every key that any row carries, in growing order."""
        return self._keys

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Give every row, uint32 (n,), and the key that it carries, int32 or int64 (n,)."""
        return self._rows, np.repeat(narrow(self._keys), np.diff(self._starts))


class WordPostings:
    """Posting lists of words, which grow."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._postings = Postings()

    def extend(self, vocabulary: list[str], pairs: np.ndarray) -> None:
        """Note (row, place in the vocabulary) pairs, int64 (n, 2), as Postings.extend does."""
        numbers = [self._numbers.setdefault(word, len(self._numbers)) for word in vocabulary]
        places = np.asarray(numbers, np.int64)[pairs[:, 1]]
        self._postings.extend(np.stack([pairs[:, 0], places], axis=1))

    def rows(self, word: str) -> np.ndarray:
        """uint32 (n,): the rows that have the word, in growing order."""
        number = self._numbers.get(word)
        return _NONE if number is None else self._postings.rows(number)

    def vocabulary(self) -> list[str]:
        """List every word; its place is its number in `pairs`."""
        return list(self._numbers)

    def spoken(self) -> list[str]:
        """List the words that are made of letters alone, without their fields."""
        return _spoken(self._numbers)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Give every row, uint32 (n,), and the number of its word, int32 or int64 (n,)."""
        return self._postings.pairs()


class StoredWords:
    """Posting lists of words that are complete.

    `text` uint8 holds the words in UTF-8, one behind the other in growing order, `ends` int64 (k,) says where
    each ends.
    """

    def __init__(self, text: np.ndarray, ends: np.ndarray, postings: StoredPostings) -> None:
        self._text, self._ends, self._postings = text, ends, postings
        self._spoken: list[str] | None = None

    def rows(self, word: str) -> np.ndarray:
        """uint32 (n,): the rows that have the word, in growing order."""
        wanted = word.encode()
        low, high = 0, len(self._ends)
        while low < high:
            middle = (low + high) // 2
            if self._word(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        found = low < len(self._ends) and self._word(low) == wanted
        return self._postings.rows(low) if found else _NONE

    def vocabulary(self) -> list[str]:
        """List every word; its place is its number in `pairs`."""
        text, ends = self._text.tobytes(), self._ends.tolist()
        return [text[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]

    def spoken(self) -> list[str]:
        """List the words that are made of letters alone, without their fields; worked out once."""
        if self._spoken is None:
            self._spoken = _spoken(self.vocabulary())
        return self._spoken

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Give every row, uint32 (n,), and the number of its word, int32 or int64 (n,)."""
        return self._postings.pairs()

    def _word(self, number: int) -> bytes:
        start = int(self._ends[number - 1]) if number else 0
        return self._text[start : int(self._ends[number])].tobytes()


def _spoken(keys: Iterable[str]) -> list[str]:
    return sorted({word for key in keys if (word := key.partition(":")[2]).isalpha()})


def stored_vocabulary(words: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Write words in growing order as StoredWords takes them: text uint8 (n,), ends int64 (k,)."""
    encoded = [word.encode() for word in words]
    lengths = np.array([len(word) for word in encoded], np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), np.cumsum(lengths)


def grouped(rows: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group rows (n,), which grow, by their keys, integers (n,).

    Gives keys int64 (k,), starts int64 (k+1,), rows uint32 (n,), as StoredPostings takes them.
    """
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    is_first = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    starts = np.flatnonzero(is_first)
    return keys[starts].astype(np.int64), np.append(starts, len(keys)), rows.astype(np.uint32)[order]


def narrow(keys: np.ndarray) -> np.ndarray:
    """Return keys, none of them negative, in half their bytes if that holds them."""
    return keys.astype(np.int32) if keys.max(initial=0) < 2**31 else keys
