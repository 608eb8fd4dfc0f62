"""The rows that came since the snapshot was written: arrays in this process's memory that grow."""

import numpy as np

from search.index.columns import COLUMNS, Rows
from search.index.postings import Postings, WordPostings
from search.index.quantization import quantize


class Tail:
    """Rows that are only ever appended. What it holds reads as a snapshot does."""

    def __init__(self, centre: np.ndarray) -> None:
        """Centre float32 (dim,): what the rows' codes are about."""
        self.centre = centre
        self.size = 0
        self.tags = Postings()
        self.albums = Postings()
        self.words = WordPostings()
        dim = len(centre)
        self._arrays = {name: np.zeros(0, dtype) for name, dtype in COLUMNS.items()} | {
            "vectors": np.zeros((0, dim), np.float32),
            "codes": np.zeros((0, dim), np.int8),
            "scales": np.zeros(0, np.float32),
            "errors": np.zeros(0, np.float32),
        }

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column or 'vectors', 'codes', 'scales', 'errors' of all rows, read-only."""
        view = self._arrays[name][: self.size]
        view.flags.writeable = False
        return view

    def append(self, rows: Rows) -> None:
        """Add rows behind those that are there."""
        quantized = quantize(rows.vectors, self.centre)
        new = rows.columns | {"vectors": rows.vectors} | vars(quantized)
        stop = self.size + len(rows)
        for name, values in new.items():
            array = self._arrays[name]
            if stop > len(array):
                array = np.zeros((max(stop, 2 * len(array), 1024), *array.shape[1:]), array.dtype)
                array[: self.size] = self._arrays[name][: self.size]
                self._arrays[name] = array
            array[self.size : stop] = values
        for postings, pairs in ((self.tags, rows.tags), (self.albums, rows.albums)):
            postings.extend(pairs + np.array([self.size, 0]))
        self.words.extend(rows.words.vocabulary, rows.words.pairs + np.array([self.size, 0]))
        self.size = stop
