"""Posting lists: key (a tag, an album) -> the rows that carry it, in growing order."""

from collections import defaultdict

import numpy as np

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
        keys, starts, rows = grouped(pairs)
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


class StoredPostings:
    """Lists that are complete, in three arrays: the rows of keys[i] are rows[starts[i] : starts[i + 1]]."""

    def __init__(self, keys: np.ndarray, starts: np.ndarray, rows: np.ndarray) -> None:
        self._keys, self._starts, self._rows = keys, starts, rows

    def rows(self, key: int) -> np.ndarray:
        """uint32 (n,): the rows that carry `key`, each once, in growing order."""
        i = int(np.searchsorted(self._keys, key))
        if i == len(self._keys) or self._keys[i] != key:
            return _NONE
        return self._rows[self._starts[i] : self._starts[i + 1]]

    def keys(self) -> np.ndarray:
        """int64 (k,): every key that any row carries, in growing order."""
        return self._keys


def grouped(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group (row, key) pairs, int64 (n, 2) in growing order of row, by key.

    Gives keys int64 (k,), starts int64 (k+1,), rows uint32 (n,), as StoredPostings takes them.
    """
    order = np.argsort(pairs[:, 1], kind="stable")
    keys, starts = np.unique(pairs[order, 1], return_index=True)
    return keys, np.append(starts, len(pairs)), pairs[order, 0].astype(np.uint32)
