"""Rows for the index, made by hand."""

import numpy as np

from search.index.columns import COLUMNS, Rows, Written


def unit(rng: np.random.Generator, count: int, dim: int) -> np.ndarray:
    """float32 (count, dim) vectors of unit length in random directions."""
    vectors = rng.standard_normal((count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rows_of(ids, vectors, tags, owners=None, albums=(), words=None) -> Rows:
    """Images with these ids, vectors, sets of tag ids, owners (all 1), (row, album) pairs and words."""
    columns = {name: np.zeros(len(ids), dtype) for name, dtype in COLUMNS.items()}
    columns["ids"][:] = ids
    columns["owners"][:] = 1 if owners is None else owners
    columns["tagged"][:] = [len(own) > 0 for own in tags]
    pairs = [(row, tag) for row, own in enumerate(tags) for tag in own]
    return Rows(
        columns,
        np.asarray(vectors, np.float32),
        np.array(pairs, np.int64).reshape(-1, 2),
        np.array(list(albums), np.int64).reshape(-1, 2),
        written(words or []),
    )


def written(words: list[list[str]]) -> Written:
    """The words of each row."""
    vocabulary = list(dict.fromkeys(word for own in words for word in own))
    pairs = [(row, vocabulary.index(word)) for row, own in enumerate(words) for word in own]
    return Written(vocabulary, np.array(pairs, np.int64).reshape(-1, 2))
