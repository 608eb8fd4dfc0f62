"""The index of this process.

A snapshot that all processes share, kept up with the database's log of changes.
"""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from filelock import FileLock

from gallery import change_log, extractor_switch
from gallery.extraction.base import Description
from search import index_rows
from search.index import snapshot
from search.index.index import Index

logger = logging.getLogger(__name__)

# Beyond so many changed images the worker writes a new snapshot. A process that starts has to read them all
# from the database, so they are few, but more where a new snapshot takes longer to write.
LEAST_CHANGES = 1000
CHANGED_SHARE = 1 / 200


class LiveIndex:
    """One index, the extractor whose embeddings it holds, and how far it has read the log of changes."""

    def __init__(self, current: Callable[[], Description] | None = None) -> None:
        """Say by `current` whose rows are searched; left out, the active extractor's are."""
        self._current = current
        self._lock = threading.RLock()
        self._index: Index | None = None
        self._extractor = ""
        self._snapshot = ""  # the name of the one that the index is built on
        self._log = change_log.Reader(0)

    @contextmanager
    def open(self) -> Iterator[Index]:
        """Lend the index as of now, with whatever any process has committed. One thread at a time has it."""
        with self._lock:
            yield self._refresh()

    def lag(self) -> int | None:
        """Count the changes that are not in the index yet; None while this process has not opened it."""
        return None if self._index is None else change_log.count_since(self._log.position)

    @property
    def version(self) -> str:
        """What the index that is open was made of: while this is the same, so is all that it holds."""
        return f"{self._extractor}-{self._log.version}"

    def forget(self) -> None:
        """Let go of everything and open the snapshot again on the next use."""
        with self._lock:
            self._index = None

    def discard(self) -> None:
        """Give the damaged snapshot up: the next use writes a new one from the database."""
        with self._lock:
            (_folder(self._extractor) / snapshot.CURRENT).unlink(missing_ok=True)
            self._index = None

    def _refresh(self) -> Index:
        extractor = self._current() if self._current else extractor_switch.current()
        index = self._index
        if (
            index is None
            or self._extractor != extractor.key
            or snapshot.current(_folder(extractor.key)) != self._snapshot
        ):
            index = self._open(extractor)
        try:
            changed = self._log.news()
        except ValueError:  # another database: restored from a backup, say
            index = self._open(extractor)
            changed = self._log.news()
        apply_changes(index, self._extractor, changed)
        return index

    def _open(self, extractor: Description) -> Index:
        found = _load_or_rebuild(extractor, change_log.position())
        self._index = Index(extractor.dim, found)
        self._extractor, self._snapshot = extractor.key, found.name
        self._log = change_log.Reader(found.seq)
        return self._index


def apply_changes(index: Index, extractor: str, changed: Sequence[int]) -> None:
    """Bring these images' rows in the index to what the database holds now."""
    if not changed:
        return
    index.remove(changed)
    for rows in index_rows.images(extractor, index.dim, changed):
        index.append(rows)


def compact(extractor: Description) -> bool:
    """Write a new snapshot of the extractor's rows if many changes came since the one in use.

    Whether it was written.

    Searches go on meanwhile on the one that they have; each process changes over before its next search.
    """
    last = change_log.position()
    found = _load_or_rebuild(extractor, last)
    if change_log.count_since(found.seq) <= LEAST_CHANGES + found.size * CHANGED_SHARE:
        return False
    index = Index(extractor.dim, found)
    apply_changes(index, extractor.key, change_log.images_since(found.seq))
    with _writing(extractor.key):
        snapshot.write(_folder(extractor.key), extractor.dim, last, index.chunks())
    return True


def remove_others(extractors: set[str]) -> None:
    """Remove the snapshots of every extractor that is not among these."""
    kept = {_folder(key).name for key in extractors}
    for folder in settings.INDEX_DIR.iterdir() if settings.INDEX_DIR.exists() else ():
        if folder.is_dir() and folder.name not in kept:
            shutil.rmtree(folder)


def rebuild(extractor: Description) -> None:
    """Write a snapshot of the extractor's rows from the database alone."""
    with _writing(extractor.key):
        _rebuild(extractor)


def _load_or_rebuild(extractor: Description, last: int) -> snapshot.Snapshot:
    """Return the snapshot in use.

    Where it is missing, damaged or another database's, a new one from the database.
    """
    try:
        return _load(extractor, last)
    except snapshot.DamagedError:
        pass  # perhaps another process is writing one already
    with _writing(extractor.key):
        try:
            return _load(extractor, last)
        except snapshot.DamagedError as reason:
            level = logging.WARNING if snapshot.current(_folder(extractor.key)) else logging.INFO
            logger.log(level, "The index is written from the database: %s", reason)
            _rebuild(extractor)
        return snapshot.load(_folder(extractor.key), extractor.dim)


def _load(extractor: Description, last: int) -> snapshot.Snapshot:
    folder = _folder(extractor.key)
    name = snapshot.current(folder)
    try:
        found = snapshot.load(folder, extractor.dim)
    except snapshot.DamagedError:
        if snapshot.current(folder) == name:
            raise
        found = snapshot.load(folder, extractor.dim)  # it was replaced while it was being read
    if found.seq > last:
        raise snapshot.DamagedError(f"{found.name} is of another database")
    return found


def _rebuild(extractor: Description) -> None:
    # The position was read before the rows: a change in between is applied a second time, never missed.
    last = change_log.position()
    snapshot.write(
        _folder(extractor.key), extractor.dim, last, index_rows.every_image(extractor.key, extractor.dim)
    )


def _folder(extractor: str) -> Path:
    return settings.INDEX_DIR / extractor.replace("/", "-")


@contextmanager
def _writing(extractor: str) -> Iterator[None]:
    """One process at a time writes an extractor's snapshots."""
    settings.INDEX_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(f"{_folder(extractor)}.lock"):
        yield


live_index = LiveIndex()
