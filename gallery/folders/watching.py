"""A folder that is watched: what comes into it becomes pictures, and what goes from it deletes nothing."""

import glob
import hashlib
import json
import logging
import os
import threading
import time
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from watchfiles import watch

from gallery.folders.importing import Importer
from gallery.folders.walk import Walk, printable
from gallery.refusal import CutOffError, NoRoomError

logger = logging.getLogger(__name__)

SETTLED = 2.0  # seconds that a file stays as it is before it is taken: until then somebody writes it
STALLED = 300.0  # seconds after which a picture without its end is taken as it is
AGAIN = 30.0  # seconds before what could not be taken is tried again
AWAY = 2.0  # seconds between two looks for a folder that is not there
SAVED = 30.0  # seconds between two notes of what was taken


class Watcher:
    """Imports what is in a folder, and then what comes into it, until `stop` is set.

    What was taken is noted by path, size and time, so that a restart does not read everything again. A file
    that moved is known by its content, as everywhere.
    """

    def __init__(self, folder: Path, importer: Importer) -> None:
        self.folder, self.importer = folder, importer
        self.stop = threading.Event()
        self._walk = Walk(folder, own_folder=Path(settings.VAR_DIR).resolve())
        self._note = Path(settings.VAR_DIR) / "watched" / f"{_name(folder, importer)}.json"
        self._seen = self._read_note()
        self._saved_at, self._has_news = time.monotonic(), False
        self._waiting: dict[Path, tuple[tuple[int, int], float]] = {}  # (size, time), and since when it is so

    def run(self) -> None:
        """Watch; a folder that goes, as that of a disk that is unplugged, is waited for."""
        is_away = False
        while not self.stop.is_set():
            if not self.folder.is_dir():
                if not is_away:
                    logger.warning("%s is not there: waiting for it", printable(self.folder))
                is_away = True
                self.stop.wait(AWAY)
                continue
            is_away = False
            try:
                self._look_through(self.folder)
                self._follow()
            except Exception:  # whatever it is, the folder is looked through again
                logger.exception("%s could not be watched", printable(self.folder))
                self.stop.wait(AWAY)
        self._save()

    def _follow(self) -> None:
        """Take what changes, until the folder goes."""
        for changes in watch(
            self.folder, watch_filter=None, stop_event=self.stop, step=200, debounce=800, rust_timeout=1000,
            yield_on_timeout=True, raise_interrupt=False,
        ):  # fmt: skip
            for place in {Path(path) for _, path in changes}:
                if place.is_dir():
                    self._look_through(place)
                elif place != self.folder:
                    self._note_file(place)
            self._take_settled()
            if not self.folder.is_dir():
                return

    def _note_file(self, path: Path) -> None:
        """Note a file that came or changed; where it lies beside a picture, that is looked at again."""
        if path.suffix.lower() == ".xmp":
            for picture in (path.with_suffix(""), *path.parent.glob(f"{glob.escape(path.stem)}.*")):
                if picture != path and self._walk.wants(picture):
                    self._seen.pop(os.fsdecode(picture), None)
                    self._wait_for(picture)
        elif self._walk.wants(path):
            self._wait_for(path)

    def _look_through(self, folder: Path) -> None:
        """Note the files in a folder that are wanted."""
        for path in self._walk.below(folder):
            if self.stop.is_set():
                return
            self._wait_for(path)
        self._take_settled()

    def _wait_for(self, path: Path) -> None:
        state = _state_of(path)
        if state and self._seen.get(os.fsdecode(path)) != list(state):
            self._waiting.setdefault(path, (state, time.monotonic()))

    def _take_settled(self) -> None:
        """Import what nobody writes any more."""
        for path, (state, since) in list(self._waiting.items()):
            if self.stop.is_set():
                return
            now = _state_of(path)
            if now is None:
                del self._waiting[path]
            elif now != state:
                self._waiting[path] = (now, time.monotonic())
            elif time.monotonic() - since >= SETTLED or (time.monotonic() - since >= 0 and _is_old(state)):
                del self._waiting[path]
                self._take(path, now)
        if self._has_news and time.monotonic() - self._saved_at > SAVED:
            self._save()

    def _take(self, path: Path, state: tuple[int, int]) -> None:
        close_old_connections()
        self.importer.whole_only = time.time() - state[1] / 1e9 < STALLED
        try:
            self.importer.take(path)
            refusal = self.importer.refusal
        except DatabaseError as error:
            refusal = error
        if isinstance(refusal, DatabaseError | OSError | NoRoomError | CutOffError):
            logger.warning("%s waits: %s", printable(path), refusal)  # for the disk, for room, or for its end
            self._waiting[path] = (state, time.monotonic() + AGAIN)
            return
        self._seen[os.fsdecode(path)] = list(state)
        self._has_news = True

    def _read_note(self) -> dict[str, list[int]]:
        try:
            seen = json.loads(self._note.read_text())
        except (OSError, ValueError):
            return {}
        return seen if isinstance(seen, dict) else {}

    def _save(self) -> None:
        self._saved_at, self._has_news = time.monotonic(), False
        self._note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._note.with_suffix(".new")
        temporary.write_text(json.dumps(self._seen))
        temporary.replace(self._note)


def _state_of(path: Path) -> tuple[int, int] | None:
    """Size, and when it was written; None where it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _is_old(state: tuple[int, int]) -> bool:
    """Whether nobody wrote the file for a while when it was seen first."""
    return time.time() - state[1] / 1e9 >= 10 * SETTLED


def _name(folder: Path, importer: Importer) -> str:
    return hashlib.sha256(f"{importer.owner.pk} {folder.resolve()}".encode()).hexdigest()[:16]
