"""Rows that are like a library's, for measuring.

Vectors in clusters, about twelve tags an image from 4,585.
"""

from collections.abc import Iterator

import numpy as np

from search.index.columns import COLUMNS, Rows

VOCABULARY = 4585
CLUSTERS = 2000
CHUNK = 50_000
OWNERS = 20  # of 5% of the images each


def chunks(count: int, dim: int, seed: int = 7) -> Iterator[Rows]:
    """`count` images, numbered from 1, with tags from 1 on whose frequency falls as 1 / rank (Zipf's law)."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((CLUSTERS, dim), dtype=np.float32)
    common = rng.standard_normal(dim, dtype=np.float32) / 2  # what all pictures share, as with every encoder
    often = np.cumsum(1 / np.arange(1, VOCABULARY + 1))
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        vectors = centres[rng.integers(0, CLUSTERS, size)] + 0.7 * rng.standard_normal(
            (size, dim), dtype=np.float32
        )
        vectors += common
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        # Drawn fourteen times, some twice: about twelve different ones.
        drawn = 1 + np.searchsorted(often / often[-1], rng.random((size, 14)))
        pairs = np.unique(np.stack([np.repeat(np.arange(size), 14), drawn.reshape(-1)], axis=1), axis=0)
        columns = {name: np.zeros(size, dtype) for name, dtype in COLUMNS.items()}
        columns["ids"] += np.arange(start + 1, start + size + 1)
        columns["owners"] += rng.integers(1, OWNERS + 1, size)
        yield Rows(columns, vectors, pairs, np.zeros((0, 2), np.int64))
