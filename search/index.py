"""The index: rows of vectors, owners, albums and tags -> component scores. numpy in, numpy out.

Rows are only ever appended. An image that changes or goes leaves a dead row behind, and one that changed comes back
as a new row, so posting lists stay sorted and need no deletions; rebuilding drops the dead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from search.postings import Postings

BLOCK = 4096  # rows that a scan reads at a time: their vectors fit a processor's cache


@dataclass(frozen=True)
class Rows:
    """Images to add: n rows, and which row carries which tag and is in which album."""

    image_ids: np.ndarray  # int64 (n,)
    owner_ids: np.ndarray  # int64 (n,)
    vectors: np.ndarray  # float32 (n, dim), unit length
    tags: np.ndarray  # int64 (m, 2): row number from 0 to n-1, tag id
    albums: np.ndarray  # int64 (k, 2): row number from 0 to n-1, album id


class Index:
    """All searchable images of one extractor, whoever owns them."""

    def __init__(self, dim: int, capacity: int = 1024):
        self.dim = dim
        self.size = 0  # rows in use, dead ones too
        self._ids = np.zeros(capacity, np.int64)
        self._owners = np.zeros(capacity, np.int64)
        self._alive = np.zeros(capacity, bool)
        self._vectors = np.zeros((capacity, dim), np.float32)
        self._row_of: dict[int, int] = {}
        self.tags = Postings()
        self.albums = Postings()

    def __len__(self) -> int:
        """The number of images, dead rows not counted."""
        return len(self._row_of)

    @property
    def ids(self) -> np.ndarray:
        """int64 (size,): the image of each row."""
        return self._ids[: self.size]

    @property
    def dead(self) -> int:
        """How many rows are of no image any more."""
        return self.size - len(self._row_of)

    def add(self, rows: Rows) -> None:
        """Append images; those that are in the index already are replaced."""
        count = len(rows.image_ids)
        self.remove(rows.image_ids.tolist())
        self._reserve(self.size + count)
        new = slice(self.size, self.size + count)
        self._ids[new] = rows.image_ids
        self._owners[new] = rows.owner_ids
        self._vectors[new] = rows.vectors
        self._alive[new] = True
        self.tags.extend(rows.tags[:, 1], rows.tags[:, 0] + self.size)
        self.albums.extend(rows.albums[:, 1], rows.albums[:, 0] + self.size)
        self._row_of.update(zip(rows.image_ids.tolist(), range(self.size, self.size + count), strict=True))
        self.size += count

    def remove(self, image_ids: Iterable[int]) -> None:
        """Take images out; those that are not in the index are passed over."""
        for image_id in image_ids:
            row = self._row_of.pop(image_id, None)
            if row is not None:
                self._alive[row] = False

    def visible(self, owner_id: int, album_ids: Iterable[int]) -> np.ndarray:
        """bool (size,): the live rows that this person owns or that are in one of these albums."""
        mask = self._owners[: self.size] == owner_id
        for album_id in album_ids:
            mask[self.albums.rows(album_id)] = True
        return mask & self._alive[: self.size]

    def in_album(self, album_id: int) -> np.ndarray:
        """bool (size,): the rows, dead ones too, that are in this album."""
        mask = np.zeros(self.size, bool)
        mask[self.albums.rows(album_id)] = True
        return mask

    def dots(self, vectors: np.ndarray) -> np.ndarray:
        """float32 (k, size): each row's dot product with each of k vectors, float32 (k, dim).

        A block of rows at a time meets every vector while it is in the cache, so that memory is read once.
        """
        scores = np.empty((len(vectors), self.size), np.float32)
        for start in range(0, self.size, BLOCK):
            block = self._vectors[start : min(start + BLOCK, self.size)]
            for vector, own in zip(vectors, scores, strict=True):
                np.matmul(block, vector, out=own[start : start + len(block)])
        return scores

    def exact_dots(self, vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """float64 (k, len(rows)): these rows' dot products with k vectors. Rows with the same vector get the same
        number to the last bit, wherever they stand, which a matrix product does not promise."""
        own = self._vectors[rows].astype(np.float64)
        return np.stack([(own * vector).sum(axis=1) for vector in vectors.astype(np.float64)])

    def tag_matches(self, tag_ids: Iterable[int]) -> np.ndarray:
        """float32 (size,): how many of these tags each row carries."""
        counts = np.zeros(self.size, np.float32)
        for tag_id in tag_ids:
            counts[self.tags.rows(tag_id)] += 1
        return counts

    def carries(self, tag_id: int, rows: Sequence[int]) -> np.ndarray:
        """bool (len(rows),): whether each of these rows carries the tag."""
        return np.isin(rows, self.tags.rows(tag_id))

    def _reserve(self, size: int) -> None:
        capacity = len(self._ids)
        if size <= capacity:
            return
        capacity = max(size, capacity * 2)
        for name in ("_ids", "_owners", "_alive", "_vectors"):
            old = getattr(self, name)
            new = np.zeros((capacity, *old.shape[1:]), old.dtype)
            new[: self.size] = old[: self.size]
            setattr(self, name, new)
