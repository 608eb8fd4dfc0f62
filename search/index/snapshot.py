"""A snapshot of the index: files that every process maps into memory, so that all of them share one copy.

A snapshot is a folder of plain arrays and `manifest.json`, which says what they are and what their numbers
add up to. It is written under another name, brought to disk, and becomes the one in use when the file
`current` is replaced by one that names it: a crash at any point leaves the one before in use. It never
changes afterwards.
"""

import json
import mmap
import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gallery.imaging.formats import FORMATS
from search.index.columns import COLUMNS, Rows, Written
from search.index.postings import StoredPostings, StoredWords, grouped, narrow, stored_vocabulary
from search.index.quantization import CHUNK, quantize

CURRENT = "current"
MANIFEST = "manifest.json"
# Read at the best results only, and never as a whole, so that it need not be in memory: nor is it checked as
# a whole.
UNCHECKED = {"vectors"}
PAIRS = ("tags", "albums", "words")  # kinds of posting lists


class DamagedError(Exception):
    """There is no snapshot in this folder that can be read whole, or what it holds contradicts itself."""


@dataclass(frozen=True)
class Snapshot:
    """Rows in growing order of image id, and the number of the last change that is in them."""

    name: str
    seq: int
    centre: np.ndarray  # float32 (dim,)
    arrays: dict[str, np.ndarray]
    tags: StoredPostings
    albums: StoredPostings
    words: StoredWords

    @property
    def size(self) -> int:
        return len(self.arrays["ids"])

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column or 'vectors', 'codes', 'scales', 'errors' of all rows, read-only."""
        return self.arrays[name]

    def release_vectors(self) -> None:
        """Give back the memory of vectors that were read: the kernel maps some 200 kB around each of them.

        They are read again when they are needed, mostly from the system's cache.
        """
        base: Any = self.arrays["vectors"]
        while isinstance(base, np.ndarray):
            base = base.base
        base = getattr(base, "obj", base)  # of the memoryview that numpy takes of a map
        if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            base.madvise(mmap.MADV_DONTNEED)

    @property
    def bytes_in_memory(self) -> int:
        """Of everything but the float32 vectors, which stay on disk."""
        return sum(array.nbytes for name, array in self.arrays.items() if name not in UNCHECKED)


def current(folder: Path) -> str:
    """Return the name of the snapshot in use, '' where there is none."""
    try:
        return (folder / CURRENT).read_text()
    except FileNotFoundError:
        return ""


def layout(dim: int) -> dict[str, Any]:
    """Describe what today's code writes and reads: a snapshot of any other layout is rebuilt by itself."""
    columns = {name: dtype.str for name, dtype in COLUMNS.items()}
    return {
        "dim": dim,
        "columns": columns,
        "pairs": list(PAIRS),
        "formats": [format.name for format in FORMATS],
    }


def load(folder: Path, dim: int) -> Snapshot:
    """Map the snapshot in use; DamagedError where there is none or it is not what was written."""
    name = current(folder)
    if not name:
        raise DamagedError(f"there is no snapshot in {folder.name}")
    try:
        manifest = json.loads((folder / name / MANIFEST).read_text())
        if manifest["layout"] != layout(dim):
            raise DamagedError(f"{name} has another layout")
        arrays = {key: _map(folder / name / f"{key}.bin", facts) for key, facts in manifest["arrays"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{folder.name}/{name}: {error}") from error
    for key, facts in manifest["arrays"].items():
        if key not in UNCHECKED and checksum(arrays[key]) != facts["sum"]:
            raise DamagedError(f"{folder.name}/{name}/{key}.bin is not what was written")
    tags, albums, words = (
        StoredPostings(*(arrays[f"{kind}_{part}"] for part in ("keys", "starts", "rows"))) for kind in PAIRS
    )
    stored = StoredWords(arrays["words_text"], arrays["words_ends"], words)
    return Snapshot(name, manifest["seq"], arrays["centre"], arrays, tags, albums, stored)


def _map(path: Path, facts: dict[str, Any]) -> np.ndarray:
    """Return the array in a file, read-only and not read yet; ValueError where the file's size is another."""
    shape, dtype = tuple(facts["shape"]), np.dtype(facts["dtype"])
    size = int(np.prod(shape)) * dtype.itemsize
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size != size:
            raise ValueError(f"{path.name} is cut short or too long")
        if not size:
            return np.zeros(shape, dtype)
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), dtype).reshape(shape)


def checksum(array: np.ndarray) -> int:
    """Return the array's 64-bit words added up modulo 2^64, its last bytes too: as fast as memory is read."""
    data = array.reshape(-1).view(np.uint8)
    whole = len(data) // 8 * 8
    rest = int.from_bytes(data[whole:].tobytes(), "little")
    return (int(data[:whole].view("<u8").sum(dtype=np.uint64)) + rest) % 2**64


def write(folder: Path, dim: int, seq: int, chunks: Iterable[Rows]) -> None:
    """Write a snapshot of these rows, which come in growing order of image id, and make it the one in use.

    One process at a time: the caller holds the folder's lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{seq:012}-{secrets.token_hex(4)}"
    _remove_all_but(folder, current(folder))
    new = folder / f"{name}.new"
    new.mkdir()
    arrays = _write_rows(new, dim, chunks)
    manifest = {"layout": layout(dim), "seq": seq, "arrays": arrays}
    _write_file(new / MANIFEST, json.dumps(manifest).encode())
    _sync(new)
    new.rename(folder / name)
    _write_file(folder / f"{CURRENT}.new", name.encode())
    _sync(folder)
    (folder / f"{CURRENT}.new").rename(folder / CURRENT)
    _sync(folder)
    _remove_all_but(folder, name)


def _write_rows(new: Path, dim: int, chunks: Iterable[Rows]) -> dict[str, dict[str, Any]]:
    """Write every array's file; what the manifest says of each."""
    files = {key: _File(new, key, dtype) for key, dtype in COLUMNS.items()}
    files["vectors"] = _File(new, "vectors", "<f4", dim)
    pairs = {kind: _Pairs() for kind in PAIRS}
    vocabulary = _Vocabulary()
    total, count = np.zeros(dim), 0
    for rows in chunks:
        for key, array in (rows.columns | {"vectors": rows.vectors}).items():
            files[key].append(array)
        total += rows.vectors.sum(axis=0, dtype=np.float64)
        for kind, own in (
            ("tags", rows.tags),
            ("albums", rows.albums),
            ("words", vocabulary.add(rows.words)),
        ):
            pairs[kind].append(own, count)
        count += len(rows)
    centre = (total / max(count, 1)).astype("<f4")
    text, ends, order = vocabulary.stored()
    files["words_text"] = _File(new, "words_text", "u1", array=text)
    files["words_ends"] = _File(new, "words_ends", "<i8", array=ends)
    for kind in PAIRS:
        rows_of, keys = pairs.pop(kind).joined()
        if kind == "words":
            keys = narrow(order)[keys]
        for part, array in zip(("keys", "starts", "rows"), grouped(rows_of, keys), strict=True):
            files[f"{kind}_{part}"] = _File(new, f"{kind}_{part}", array.dtype, array=array)
    files["centre"] = _File(new, "centre", "<f4", array=centre)
    written = {key: file.close() for key, file in files.items()}
    return written | _write_codes(new, _map(new / "vectors.bin", written["vectors"]), centre)


def _write_codes(new: Path, vectors: np.ndarray, centre: np.ndarray) -> dict[str, dict[str, Any]]:
    """Write the codes in a second pass: what rows have in common is known when the last one is written."""
    files = {"codes": _File(new, "codes", "i1", len(centre)), "scales": _File(new, "scales", "<f4")}
    files["errors"] = _File(new, "errors", "<f4")
    for start in range(0, len(vectors), CHUNK):
        for key, array in vars(quantize(vectors[start : start + CHUNK], centre)).items():
            files[key].append(array)
    return {key: file.close() for key, file in files.items()}


class _Pairs:
    """The (row, key) pairs of all chunks, in few bytes: a large library has a hundred million."""

    def __init__(self) -> None:
        self._rows, self._keys = [np.zeros(0, np.uint32)], [np.zeros(0, np.int32)]

    def append(self, pairs: np.ndarray, first: int) -> None:
        """Add pairs int64 (m, 2), whose rows count from the row `first` on."""
        self._rows.append((pairs[:, 0] + first).astype(np.uint32))
        self._keys.append(narrow(pairs[:, 1]))

    def joined(self) -> tuple[np.ndarray, np.ndarray]:
        """Return rows uint32 (n,) and keys int32 or int64 (n,)."""
        return np.concatenate(self._rows), np.concatenate(self._keys)


class _Vocabulary:
    """The words of all chunks, numbered in the order in which they came."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._last: tuple[list[str], np.ndarray] = ([], np.zeros(0, np.int64))

    def add(self, words: Written) -> np.ndarray:
        """Return the pairs int64 (m, 2) with this vocabulary's numbers."""
        if self._last[0] is not words.vocabulary:  # the chunks of an index share one
            numbers = [self._numbers.setdefault(word, len(self._numbers)) for word in words.vocabulary]
            self._last = words.vocabulary, np.asarray(numbers, np.int64)
        return np.stack([words.pairs[:, 0], self._last[1][words.pairs[:, 1]]], axis=1)

    def stored(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return text and ends as StoredWords takes them, and each number's place in growing order."""
        sorted_words = sorted(self._numbers)
        place = np.zeros(len(sorted_words), np.int64)
        place[[self._numbers[word] for word in sorted_words]] = np.arange(len(sorted_words))
        return *stored_vocabulary(sorted_words), place


class _File:
    """An array on its way to disk, part by part."""

    def __init__(
        self, new: Path, key: str, dtype: np.dtype | str, *inner: int, array: np.ndarray | None = None
    ) -> None:
        self._path, self._dtype, self._shape = new / f"{key}.bin", np.dtype(dtype), [0, *inner]
        self._file = self._path.open("wb")
        if array is not None:
            self.append(array)

    def append(self, array: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(array, self._dtype).data)
        self._shape[0] += len(array)

    def close(self) -> dict[str, Any]:
        """Bring the file to disk; what the manifest says of it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        facts = {"dtype": self._dtype.str, "shape": self._shape}
        return facts | {"sum": checksum(_map(self._path, facts))}


def _write_file(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Bring the folder's names to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_all_but(folder: Path, name: str) -> None:
    """Remove other snapshots, also what a crash left unfinished.

    Processes that have one mapped keep its memory.
    """
    for path in folder.iterdir():
        if path.is_dir() and path.name != name:
            shutil.rmtree(path, ignore_errors=True)
