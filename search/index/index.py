"""The index: a snapshot that all processes share, and the rows that came since. numpy in, numpy out.

Rows are numbered through: those of the snapshot first. They are only ever appended: an image that changes or
goes leaves a dead row behind, and one that changed comes back as a new row.
"""

import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np

from search.index import quantization
from search.index.columns import COLUMNS, Rows, Written
from search.index.growing_rows import Tail
from search.index.snapshot import Snapshot

Pairs = tuple[np.ndarray, np.ndarray]  # rows int32 (n,), keys int32 or int64 (n,)
REMEMBERED = 8  # of each kind of thing; the largest is 16 bytes a picture


@dataclass(frozen=True)
class Scan:
    """What a scan of the codes found.

    Float32 (size,) scores, -inf for rows that are not visible, and what is needed to say how far off they can
    be.
    """

    scores: np.ndarray
    length: float  # of the query: a row's score is off by at most this times the row's error, and `slack`
    slack: float


class Index:
    """All searchable images of one extractor, whoever owns them."""

    def __init__(self, dim: int, snapshot: Snapshot | None = None) -> None:
        self.dim = dim
        self._snapshot = snapshot
        self._tail = Tail(snapshot.centre if snapshot else np.zeros(dim, np.float32))
        self._alive = np.ones(snapshot.size if snapshot else 0, bool)
        self._row_of: dict[int, int] = {}  # of the tail's images
        self._remembered: dict[str, dict[Hashable, Any]] = {}
        self._remembering = threading.Lock()

    @property
    def _segments(self) -> list[tuple[int, Snapshot | Tail]]:
        """(number of its first row, segment) of each segment."""
        head = [(0, self._snapshot)] if self._snapshot else []
        return [*head, (self._head, self._tail)]

    @property
    def _head(self) -> int:
        return self._snapshot.size if self._snapshot else 0

    @property
    def size(self) -> int:
        """Rows in use, dead ones too."""
        return self._head + self._tail.size

    @property
    def appended(self) -> int:
        """Rows behind the snapshot's: what a new process has to read from the database."""
        return self._tail.size

    def __len__(self) -> int:
        """Return the number of images, dead rows not counted."""
        return int(np.count_nonzero(self._alive[: self.size]))

    @property
    def largest_error(self) -> float:
        """The largest of the rows' errors."""
        return max(
            (float(segment["errors"].max()) for _, segment in self._segments if segment.size), default=0.0
        )

    @property
    def bytes_in_memory(self) -> int:
        """Of the snapshot but for its float32 vectors, which stay on disk, and of which rows are alive."""
        return (self._snapshot.bytes_in_memory if self._snapshot else 0) + self._alive.nbytes

    def release_vectors(self) -> None:
        """Give back the memory that holds vectors of the snapshot; others may read them meanwhile."""
        if self._snapshot:
            self._snapshot.release_vectors()

    def append(self, rows: Rows) -> None:
        """Add images behind those that are there; an image that is in the index already is replaced."""
        ids = rows.columns["ids"].tolist()
        self.remove(ids)
        first = self.size
        self._tail.append(rows)
        self._row_of.update(zip(ids, range(first, self.size), strict=True))
        if self.size > len(self._alive):
            grown = np.zeros(max(self.size, len(self._alive) + len(self._alive) // 8 + 1024), bool)
            grown[:first] = self._alive[:first]
            self._alive = grown
        self._alive[first : self.size] = True

    def remove(self, image_ids: Iterable[int]) -> None:
        """Take images out; those that are not in the index are passed over."""
        self._remembered.clear()
        wanted = np.array(sorted(image_ids), np.int64)
        if self._snapshot:
            ids = self._snapshot["ids"]  # in growing order
            at = np.searchsorted(ids, wanted)
            at = at[at < len(ids)]
            self._alive[at[ids[at] == wanted[: len(at)]]] = False
        for image_id in wanted.tolist():
            row = self._row_of.pop(image_id, None)
            if row is not None:
                self._alive[row] = False

    def rows_of(self, image_ids: Iterable[int]) -> np.ndarray:
        """int64 (n,): the rows, dead ones too, of these images; those that are not here are passed over."""
        wanted = np.array(sorted(image_ids), np.int64)
        found = [
            np.array([row for pk in wanted.tolist() if (row := self._row_of.get(pk)) is not None], np.int64)
        ]
        if self._snapshot:
            ids = self._snapshot["ids"]  # in growing order
            at = np.searchsorted(ids, wanted)
            at = at[at < len(ids)]
            found.append(at[ids[at] == wanted[: len(at)]])
        return np.concatenate(found)

    def take(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Return a column, or 'vectors' or 'errors', at these rows int64 (n,)."""
        sample = self._tail[name]
        taken = np.empty((len(rows), *sample.shape[1:]), sample.dtype)
        for first, segment in self._segments:
            own = (rows >= first) & (rows < first + segment.size)
            taken[own] = segment[name][rows[own] - first]
        return taken

    def newest(self, rows: np.ndarray, count: int) -> np.ndarray:
        """int64 (count,) or fewer: the highest ids at these rows int64 (n,), which are in growing order.

        A snapshot's rows are in growing order of the id, so that few of a million are looked at.
        """
        head = int(np.searchsorted(rows, self._head))
        ids = self.take("ids", np.concatenate([rows[max(0, head - count) : head], rows[head:]]))
        highest: np.ndarray = np.sort(ids)[::-1][:count]
        return highest

    def tag_ids(self) -> list[int]:
        """Return the ids of all tags that any row, dead ones too, carries."""
        ids: list[int] = self._keys("tags").tolist()
        return ids

    def _keys(self, kind: str) -> np.ndarray:
        return np.unique(np.concatenate([getattr(segment, kind).keys() for _, segment in self._segments]))

    def tag_rows(self, tag_id: int) -> np.ndarray:
        """uint32 (n,): the rows, dead ones too, that carry the tag, in growing order."""
        return self._posted("tags", tag_id)

    def album_rows(self, album_id: int) -> np.ndarray:
        """uint32 (n,): the rows, dead ones too, that are in the album, in growing order."""
        return self._posted("albums", album_id)

    def word_rows(self, word: str) -> np.ndarray:
        """uint32 (n,): the rows, dead ones too, that have a word like 'name:beach', in growing order."""
        return self._posted("words", word)

    def spoken(self) -> list[list[str]]:
        """List the words, each without its field, that any row, dead ones too, has; in several parts."""
        return [segment.words.spoken() for _, segment in self._segments]

    def _posted(self, kind: str, key: int | str) -> np.ndarray:
        lists = [(first, getattr(segment, kind).rows(key)) for first, segment in self._segments]
        moved = [rows + np.uint32(first) if first else rows for first, rows in lists if len(rows)]
        return moved[0] if len(moved) == 1 else np.concatenate([np.zeros(0, np.uint32), *moved])

    def visible(self, owner_id: int, album_ids: Iterable[int]) -> np.ndarray:
        """Bool (size,): the live rows that this person owns or that are in one of these albums.

        Kept for the people who asked last, until anything changes: every page asks.
        """
        albums = frozenset(album_ids)

        def look() -> np.ndarray:
            mask = self.between("owners", owner_id, owner_id)
            mask |= self.in_albums(albums)
            mask &= self._alive[: self.size]
            return mask

        mask: np.ndarray = self.remembered("visible", (owner_id, albums), look).copy()
        return mask

    def remembered(self, what: str, key: Hashable, work_out: Callable[[], Any]) -> Any:
        """Return what was worked out of this index before, or work it out; forgotten when anything changes.

        Of each kind the last few are kept. Whoever gets it does not change it.
        """
        kept = self._remembered.setdefault(what, {})
        found = kept.get(key)
        if found is None:
            found = work_out()
            with self._remembering:  # threads share the index
                while len(kept) >= REMEMBERED:
                    kept.pop(next(iter(kept)))
                kept[key] = found
        return found

    def between(self, column: str, least: int, most: int) -> np.ndarray:
        """Bool (size,): the rows, dead ones too, whose column is from `least` to `most`, both included."""
        mask = np.empty(self.size, bool)
        limits = np.iinfo(COLUMNS[column])
        least, most = max(least, limits.min), min(most, limits.max)
        for first, segment in self._segments:
            values, own = segment[column], mask[first : first + segment.size]
            if least == most:
                np.equal(values, least, out=own)
            else:
                np.greater_equal(values, least, out=own)
                own &= values <= most
        return mask

    def in_albums(self, album_ids: Iterable[int]) -> np.ndarray:
        """Bool (size,): the rows, dead ones too, that are in any of these albums."""
        from search.index import kernels

        mask = np.zeros(self.size, bool)
        for first, segment in self._segments:
            own = mask[first : first + segment.size]
            for album_id in album_ids:
                kernels.mark(own, segment.albums.rows(album_id))
        return mask

    def scan(self, vector: np.ndarray, scores: np.ndarray, visible: np.ndarray) -> Scan:
        """Add each visible row's dot product with vector float64 (dim,) to scores float32 (size,), in place.

        From the codes: memory is read once, and what is not visible is passed over.
        """
        from search.index import kernels  # numba takes a while to import: not when a process starts

        query = quantization.integers(vector)
        for first, segment in self._segments:
            own = slice(first, first + segment.size)
            base = np.float32(vector @ segment.centre)
            facts = (
                segment["codes"],
                segment["scales"],
                query.numbers,
                query.unit,
                base,
                visible[own],
                scores[own],
            )
            kernels.run(kernels.scan, segment.size, *facts)
        # Rows are at most 2 long about the centre. Sums of three float32 numbers are off by a few times
        # 2^-24.
        length = float(np.linalg.norm(vector))
        return Scan(scores, length, 2 * query.error + 1e-6 * (1 + length))

    def dots(self, vector: np.ndarray, visible: np.ndarray) -> np.ndarray:
        """float32 (size,): each visible row's dot product with vector float64 (dim,) by its codes.

        -inf elsewhere.
        """
        return self.scan(vector, np.zeros(self.size, np.float32), visible).scores

    def alive_rows(self) -> np.ndarray:
        """int64 (n,): the rows of all images, without dead ones."""
        return np.flatnonzero(self._alive[: self.size])

    def column(self, name: str) -> np.ndarray:
        """Return a column of all rows, dead ones too: (size,)."""
        return np.concatenate([segment[name] for _, segment in self._segments])

    def exact_dots(self, vector: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """float64 (len(rows),): these rows' dot products with vector float64 (dim,).

        Rows with the same vector get the same number to the last bit, wherever they stand.
        """
        from search.index import kernels

        exact = np.empty(len(rows))
        for first, segment in self._segments:
            [own] = np.nonzero((rows >= first) & (rows < first + segment.size))
            found = np.empty(len(own))
            kernels.run(kernels.exact_dots, len(own), segment["vectors"], rows[own] - first, vector, found)
            exact[own] = found
        return exact

    def add_at(self, rows: np.ndarray, amount: float, scores: np.ndarray) -> None:
        """Add an amount to scores float32 (size,), in place, at these rows uint32 (n,), each once."""
        from search.index import kernels

        kernels.add_at(scores, rows, np.float32(amount))

    def add_tags(self, weights: dict[int, float], scores: np.ndarray) -> None:
        """Add to scores float32 (size,), in place, the weight of each of these tags that a row carries."""
        from search.index import kernels

        for tag_id, weight in weights.items():
            kernels.add_at(scores, self.tag_rows(tag_id), np.float32(weight))

    def with_any_tag(self, tag_ids: Collection[int]) -> np.ndarray:
        """Bool (size,): the rows, dead ones too, that carry any of these tags."""
        from search.index import kernels

        mask = np.zeros(self.size, bool)
        for first, segment in self._segments:
            own = mask[first : first + segment.size]
            for tag_id in tag_ids:
                kernels.mark(own, segment.tags.rows(tag_id))
        return mask

    def carries(self, tag_id: int, rows: np.ndarray) -> np.ndarray:
        """Bool (len(rows),): whether each of these rows carries the tag."""
        posted = self.tag_rows(tag_id)
        at = np.searchsorted(posted, rows.astype(np.uint32))
        found = np.zeros(len(rows), bool)
        inside = at < len(posted)
        found[inside] = posted[at[inside]] == rows[inside]
        return found

    def chunks(self, size: int = 65536) -> Iterator[Rows]:
        """Yield the living rows in growing order of image id, as a new snapshot takes them."""
        rows = np.flatnonzero(self._alive[: self.size])
        rows = rows[np.argsort(self.take("ids", rows), kind="stable")]
        number = np.full(
            self.size, -1, np.int32
        )  # half the bytes: a large library has a hundred million pairs
        number[rows] = np.arange(len(rows), dtype=np.int32)
        tags, albums = self._pairs("tags", number), self._pairs("albums", number)
        vocabulary, words = self._words(number)
        for start in range(0, len(rows), size):
            chunk = rows[start : start + size]
            yield Rows(
                {name: self.take(name, chunk) for name in COLUMNS},
                self.take("vectors", chunk),
                _part(tags, start, start + len(chunk)),
                _part(albums, start, start + len(chunk)),
                Written(vocabulary, _part(words, start, start + len(chunk))),
            )

    def _pairs(self, kind: str, number: np.ndarray) -> Pairs:
        """Give number of the row and key of all posting lists, in growing order of the number.

        Dead rows, whose number is -1, left out.
        """
        found = []
        for first, segment in self._segments:
            rows, keys = getattr(segment, kind).pairs()
            found.append((number[rows + first], keys))
        return _in_order(found)

    def _words(self, number: np.ndarray) -> tuple[list[str], Pairs]:
        """Return the words of living rows, and like _pairs which row has which of them."""
        numbers: dict[str, int] = {}
        found = []
        for first, segment in self._segments:
            own = [numbers.setdefault(word, len(numbers)) for word in segment.words.vocabulary()]
            rows, keys = segment.words.pairs()
            found.append((number[rows + first], np.asarray(own, np.int32)[keys]))
        rows, keys = _in_order(found)
        # What only dead rows have goes: nobody keeps the words of a picture that was deleted.
        is_kept = np.zeros(len(numbers), bool)
        is_kept[keys] = True
        place = np.cumsum(is_kept, dtype=np.int32) - 1
        return list(compress(numbers, is_kept.tolist())), (rows, place[keys])


def _in_order(found: list[Pairs]) -> Pairs:
    """Give rows and keys in growing order of the row, without rows below 0; `found` is empty then."""
    rows, keys = (np.concatenate(own) for own in zip(*found, strict=True))
    found.clear()
    if (rows < 0).any():
        is_alive = rows >= 0
        rows, keys = rows[is_alive], keys[is_alive]
    order = np.argsort(rows, kind="stable")
    return rows[order], keys[order]


def _part(pairs: Pairs, start: int, stop: int) -> np.ndarray:
    """Return the pairs, int64 (m, 2), whose row is from start to stop, counted from start."""
    rows, keys = pairs
    first, last = np.searchsorted(rows, [start, stop])
    return np.stack([rows[first:last].astype(np.int64) - start, keys[first:last].astype(np.int64)], axis=1)
