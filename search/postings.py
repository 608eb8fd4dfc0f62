"""Posting lists: key -> the rows that carry it, in growing order."""

from collections import defaultdict

import numpy as np

_NONE = np.zeros(0, np.int64)


class Postings:
    """Rows by key (a tag, an album). Rows are appended in growing order and never taken out."""

    def __init__(self):
        self._lists: dict[int, np.ndarray] = {}
        # What came since the key was last read; joined on the next read, so that many small additions stay cheap.
        self._recent: defaultdict[int, list[np.ndarray]] = defaultdict(list)

    def extend(self, keys: np.ndarray, rows: np.ndarray) -> None:
        """Note that rows[i] carries keys[i]; both int64 (n,). No row comes before one that is there already."""
        order = np.lexsort((rows, keys))
        keys, rows = keys[order], rows[order]
        starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
        for start, group in zip(starts, np.split(rows, starts[1:]), strict=False):
            self._recent[int(keys[start])].append(group)

    def rows(self, key: int) -> np.ndarray:
        """int64 (n,): the rows that carry `key`, each once, in growing order."""
        recent = self._recent.pop(key, None)
        if recent:
            self._lists[key] = np.concatenate([self._lists.get(key, _NONE), *recent])
        return self._lists.get(key, _NONE)
