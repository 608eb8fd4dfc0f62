"""The index of this process.

A snapshot that all processes share, kept up with the database's log of changes.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections
from filelock import FileLock

from gallery import change_log, extractor_switch
from gallery.extraction.base import Description
from gallery.models import Embedding
from search import index_rows
from search.errors import NotReadyError
from search.index import snapshot
from search.index.columns import Rows
from search.index.index import Index
from search.shared_lock import SharedLock

logger = logging.getLogger(__name__)

# Beyond so many changed images the worker writes a new snapshot. A process that starts has to read them all
# from the database, so they are few, but more where a new snapshot takes longer to write.
LEAST_CHANGES = 1000
CHANGED_SHARE = 1 / 200
FIRST_PATIENCE = 5.0  # seconds that it waits for the first index of a process
PATIENCE = 0.5  # seconds that a search waits for another thread which brings the index up to date
KEPT_UP = 1.0  # seconds between two looks at the log of a web process
TRIED_AGAIN = 60.0  # seconds after which a snapshot that could not be written is tried again
RELEASED = 30.0  # seconds between two times that it gives back the memory of vectors that were read


@dataclass
class _Opened:
    """An index, whose rows it holds, and how far it has read the log of changes."""

    index: Index
    extractor: str
    snapshot: str  # the name of the one that the index is built on
    since: int  # the log's position that the snapshot was written at
    log: change_log.Reader
    waiting: list[int] = field(default_factory=list)  # changed images that are left to keep_up
    lock: SharedLock = field(default_factory=SharedLock)


class LiveIndex:
    """The index of this process. Searches share it; whoever comes first brings it up to date."""

    def __init__(self, current: Callable[[], Description] | None = None) -> None:
        """Say by `current` whose rows are searched; left out, the active extractor's are."""
        self._current = current
        self._refreshing = threading.Lock()
        self._opened: _Opened | None = None
        self._held = threading.local()
        self._is_kept_up = False
        self._compact_at = 0.0  # when a snapshot may be written again, on the clock of time.monotonic

    @contextmanager
    def open(self) -> Iterator[Index]:
        """Lend the index as of now, with whatever any process has committed; it does not change meanwhile.

        While another thread takes long to bring it up to date, as after a large import, it is lent as it was;
        where there was none, NotReadyError says how far it is.
        """
        held: _Opened | None = getattr(self._held, "opened", None)
        if held:  # this thread has it already
            yield held.index
            return
        opened = self._refreshed()
        with opened.lock.reading():
            self._held.opened = opened
            try:
                yield opened.index
            finally:
                self._held.opened = None

    def lag(self) -> int | None:
        """Count the changed images that are not in the index yet; None while it is not open."""
        opened = self._opened
        return None if opened is None else len(opened.waiting) + change_log.count_since(opened.log.position)

    def forget(self) -> None:
        """Let go of everything and open the snapshot again on the next use."""
        with self._refreshing:
            self._opened = None

    def discard(self) -> None:
        """Give the damaged snapshot up: the next use writes a new one from the database."""
        with self._refreshing:
            if self._opened:
                (_folder(self._opened.extractor) / snapshot.CURRENT).unlink(missing_ok=True)
            self._opened = None

    def _refreshed(self) -> _Opened:
        has_it = self._refreshing.acquire(timeout=PATIENCE if self._opened else FIRST_PATIENCE)
        opened = self._opened
        if not has_it:
            if opened:
                return opened
            raise NotReadyError(_made.percent)
        try:
            return self._refresh()
        finally:
            self._refreshing.release()

    def _refresh(self) -> _Opened:
        extractor = self._extractor()
        opened = self._opened
        if (
            opened is None
            or opened.extractor != extractor.key
            or (not self._is_kept_up and snapshot.current(_folder(extractor.key)) != opened.snapshot)
        ):
            opened = _open(extractor)
        try:
            changed = opened.log.news()
        except ValueError:  # another database: restored from a backup, say
            opened = _open(extractor)
            changed = opened.log.news()
        self._opened = opened
        # The log tells of each change once: what is not applied stays in this list, whatever happens.
        opened.waiting += changed
        if opened.waiting and not (self._is_kept_up and len(opened.waiting) > LEAST_CHANGES):
            _apply_waiting(opened, len(opened.waiting))
        return opened  # one that much waits for serves as it was, after a start, too

    def keep_up(self, stop: threading.Event) -> None:
        """Bring the index up to date every second until the event comes, so that no search waits for it.

        It also writes new snapshots, for on this machine there may be no worker that does.
        """
        self._is_kept_up, pause, released = True, 0.0, time.monotonic()
        while not stop.wait(pause):
            pause = KEPT_UP
            try:
                self._look_after()
                if self._opened and time.monotonic() - released > RELEASED:
                    self._opened.index.release_vectors()
                    released = time.monotonic()
            except Exception:
                logger.exception("The index could not be brought up to date")
            finally:
                close_old_connections()

    def _look_after(self) -> None:
        """Apply what came; where much came, write a new snapshot and change over to it."""
        with self._refreshing:
            opened = self._refresh()
        extractor = self._extractor()
        much = LEAST_CHANGES + len(opened.index) * CHANGED_SHARE
        # Rows of one picture that changed often are many, too, and no reason: what counts is images.
        is_much = len(opened.waiting) + opened.index.appended > much
        if is_much and time.monotonic() > self._compact_at and change_log.count_since(opened.since) > much:
            self._compact(extractor)
        if snapshot.current(_folder(extractor.key)) != opened.snapshot:
            newer = _open(extractor)
            _apply(newer, newer.log.news())  # before anybody has it
            with self._refreshing:
                self._opened = newer
        elif opened.waiting:  # too few for a snapshot
            while opened.waiting:
                with self._refreshing:
                    _apply_waiting(opened, LEAST_CHANGES)

    def _compact(self, extractor: Description) -> None:
        """Write the next snapshot; where that fails, as on a full disk, what waits is read into memory."""
        try:
            compact(extractor)
        except OSError:
            logger.exception("The next snapshot of the index could not be written")
            self._compact_at = time.monotonic() + TRIED_AGAIN

    def _extractor(self) -> Description:
        return self._current() if self._current else extractor_switch.current()


def _apply_waiting(opened: _Opened, most: int) -> None:
    """Apply up to `most` of the changes that wait; they go from the list when they are in the index."""
    piece = opened.waiting[:most]
    _apply(opened, list(dict.fromkeys(piece)))
    del opened.waiting[: len(piece)]


def _apply(opened: _Opened, changed: Sequence[int]) -> None:
    read = list(index_rows.images(opened.extractor, opened.index.dim, changed))
    with opened.lock.writing():
        apply_changes(opened.index, changed, read)


def _open(extractor: Description) -> _Opened:
    found = _load_or_rebuild(extractor, change_log.position())
    log = change_log.Reader(found.seq)
    return _Opened(Index(extractor.dim, found), extractor.key, found.name, found.seq, log)


def apply_changes(index: Index, changed: Sequence[int], read: Iterable[Rows]) -> None:
    """Bring these images' rows in the index to what was read of them from the database."""
    index.remove(changed)
    for rows in read:
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
    changed = change_log.images_since(found.seq)
    apply_changes(index, changed, index_rows.images(extractor.key, index.dim, changed))
    with _writing(extractor.key):
        if snapshot.current(_folder(extractor.key)) != found.name:  # another process wrote one meanwhile
            return False
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


@dataclass
class _Made:
    """How far this process is with an index that it writes from the database."""

    rows: int = 0
    of: int = 0

    @property
    def percent(self) -> int:
        return min(99, 100 * self.rows // self.of) if self.of else 0

    def counted(self, chunks: Iterable[Rows]) -> Iterator[Rows]:
        """Pass the rows on, and count them."""
        for chunk in chunks:
            self.rows += len(chunk)
            yield chunk


_made = _Made()


def _rebuild(extractor: Description) -> None:
    # The position was read before the rows: a change in between is applied a second time, never missed.
    last = change_log.position()
    _made.rows, _made.of = 0, Embedding.objects.filter(extractor=extractor.key).count()
    rows = _made.counted(index_rows.every_image(extractor.key, extractor.dim))
    snapshot.write(_folder(extractor.key), extractor.dim, last, rows)


def _folder(extractor: str) -> Path:
    own = change_log.identity()
    return settings.INDEX_DIR / (extractor.replace("/", "-") + (f"-{own}" if own else ""))


@contextmanager
def _writing(extractor: str) -> Iterator[None]:
    """One process at a time writes an extractor's snapshots."""
    settings.INDEX_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(f"{_folder(extractor)}.lock"):
        yield


live_index = LiveIndex()
