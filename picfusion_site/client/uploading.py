"""Folders of pictures -> the site: what it has is not sent, what was cut off goes on at its byte."""

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from picfusion_site.client import configuration
from picfusion_site.client.configuration import Configuration
from picfusion_site.client.errors import FailedError
from picfusion_site.client.site import TRIES, TRY_AGAIN, Site, checked, pause

PICTURES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".tif", ".tiff", ".bmp"),
    *(".heic", ".heif", ".avif", ".jxl", ".jp2", ".ico", ".ppm", ".pgm", ".tga"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"),
}
# At another byte than thought, or written to by somebody: where it is has to be asked again.
BUSY = TRY_AGAIN | {409, 423}
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = "application/offset+octet-stream"
PIECE = 1 << 20  # bytes read from a file at once
CHECKED_AT_ONCE, CHANGED_AT_ONCE = 1000, 1000
SETTLED = 2.0  # seconds that a watched file has been left alone, before it is taken for whole


class BusyError(Exception):
    """The site cannot take these bytes at the moment."""


@dataclass
class Outcome:
    """What became of the files, each a plain row for --json."""

    files: list[dict[str, Any]] = field(default_factory=list)

    def note(self, path: Path, result: str, image_id: int | None = None, why: str = "") -> dict[str, Any]:
        """Add a file: 'added', 'there', 'in trash' or 'failed'."""
        row = {"file": str(path), "result": result, "image_id": image_id, "why": why}
        self.files.append(row)
        return row

    def count(self, result: str) -> int:
        """Count the files that ended so."""
        return sum(row["result"] == result for row in self.files)


def pictures(paths: Iterable[Path]) -> Iterator[Path]:
    """Go through files, and folders with all below them, without hidden ones and what is no picture."""
    for path in paths:
        if path.is_dir():
            for own in sorted(path.rglob("*")):
                is_hidden = any(part.startswith(".") for part in own.relative_to(path).parts)
                if not is_hidden and own.suffix.lower() in PICTURES and own.is_file():
                    yield own
        elif path.is_file():
            yield path
        else:
            raise FailedError(f"There is no {path}.", 2)


def digest(path: Path) -> str:
    """Return the file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Uploader:
    """Sends files to a site, several at once."""

    def __init__(
        self,
        site: Site,
        kept: Configuration,
        album: str,
        tags: list[str],
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        self.site, self.kept, self.album, self.tags, self.tell = site, kept, album, tags, tell
        self.lock = threading.Lock()
        self.outcome = Outcome()

    def send(self, paths: list[Path], jobs: int) -> None:
        """Ask which of the files are there, and send the others."""
        with ThreadPoolExecutor(jobs) as pool:
            by_hash: dict[str, list[Path]] = {}
            for path, sha256 in zip(paths, pool.map(self._digest, paths), strict=True):
                if sha256:
                    by_hash.setdefault(sha256, []).append(path)
            missing = self._missing(by_hash)
            for _ in pool.map(lambda sha256: self._one(by_hash[sha256], sha256), missing):
                pass

    def _digest(self, path: Path) -> str:
        try:
            return digest(path)
        except OSError as error:
            self._note(path, "failed", why=str(error))
            return ""

    def _missing(self, by_hash: dict[str, list[Path]]) -> list[str]:
        """Ask which are not there; those that are get the album and the tags, too."""
        hashes, missing, there = list(by_hash), [], []
        for start in range(0, len(hashes), CHECKED_AT_ONCE):
            some = hashes[start : start + CHECKED_AT_ONCE]
            answer = self.site.json("POST", "images/check/", json={"sha256": some})
            missing += answer["missing"]
            for own in answer["there"]:
                result = "in trash" if own["is_in_trash"] else "there"
                for path in by_hash[own["sha256"]]:
                    self._note(path, result, own["image_id"])
                if not own["is_in_trash"]:
                    there.append(own["image_id"])
        self._gather(there)
        return missing

    def _gather(self, image_ids: list[int]) -> None:
        for start in range(0, len(image_ids), CHANGED_AT_ONCE):
            some = {"image_ids": image_ids[start : start + CHANGED_AT_ONCE]}
            for tag in self.tags:
                self.site.json("POST", "images/bulk/", json={**some, "action": "tag", "tag": tag})
            if self.album:
                said = {**some, "action": "add", "album_id": self._album_id()}
                self.site.json("POST", "images/bulk/", json=said)

    def _album_id(self) -> int:
        for album in self.site.pages("albums/"):
            if album["title"] == self.album and album["my_role"] != "viewer":
                return int(album["id"])
        return int(self.site.json("POST", "albums/", json={"title": self.album})["id"])

    def _one(self, paths: list[Path], sha256: str) -> None:
        """Send a file; the others of these are the same, byte for byte."""
        path, *copies = paths
        for number in range(TRIES):
            image_id, why = None, ""
            try:
                image_id = self._resumed(path, sha256)
            except (httpx.TransportError, BusyError) as error:
                if number < TRIES - 1:
                    time.sleep(pause(number))
                    continue
                why = f"the site does not answer: {error}"
            except (FailedError, OSError) as error:
                self._forget(sha256)
                why = str(error)
            else:
                self._forget(sha256)
            self._note(path, "failed" if why else "added", image_id, why)
            for copy in copies:
                self._note(copy, "failed" if why else "there", image_id, why)
            return

    def _resumed(self, path: Path, sha256: str) -> int:
        """Send what is missing of a file; the picture's number."""
        address, offset = self.kept.uploads.get(sha256), 0
        if address:
            answer = self.site.http.head(address, headers=TUS)
            if answer.status_code == httpx.codes.OK:
                offset = int(answer.headers["Upload-Offset"])
            else:  # it was given up meanwhile
                address = None
        if not address:
            answer = self.site.ask("POST", "uploads/", headers={**TUS, **self._said(path)})
            address = answer.headers["Location"]
            self._remember(sha256, address)
        if offset < path.stat().st_size or "Content-Location" not in answer.headers:
            length = str(path.stat().st_size - offset)
            headers = {"Upload-Offset": str(offset), "Content-Type": OCTETS, "Content-Length": length}
            answer = self.site.http.patch(address, headers={**TUS, **headers}, content=_from(path, offset))
            if answer.status_code in BUSY:
                raise BusyError(answer.reason_phrase)
            checked(answer)
        if "Content-Location" not in answer.headers:  # it has not become a picture yet
            raise BusyError("the file is not whole there")
        return int(answer.headers["Content-Location"].rstrip("/").rpartition("/")[2])

    def _said(self, path: Path) -> dict[str, str]:
        stat = path.stat()
        said = {
            "filename": path.name,
            "modified": datetime.fromtimestamp(stat.st_mtime, UTC).isoformat(),
            "album": self.album,
            "tags": ",".join(self.tags),
        }
        pairs = [f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in said.items() if text]
        return {"Upload-Length": str(stat.st_size), "Upload-Metadata": ",".join(pairs)}

    def _remember(self, sha256: str, address: str) -> None:
        with self.lock:
            self.kept.uploads[sha256] = address
            configuration.save_uploads(self.kept)

    def _forget(self, sha256: str) -> None:
        with self.lock:
            if self.kept.uploads.pop(sha256, None):
                configuration.save_uploads(self.kept)

    def _note(self, path: Path, result: str, image_id: int | None = None, why: str = "") -> None:
        with self.lock:
            self.tell(self.outcome.note(path, result, image_id, why))


def _from(path: Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while piece := file.read(PIECE):
            yield piece


def watched(paths: list[Path], seconds: float) -> Iterator[list[Path]]:
    """Give what is there, and then what comes and changes, once nobody has written to it for a moment."""
    seen: dict[Path, tuple[int, int]] = {}
    while True:
        fresh = []
        for path in pictures(paths):
            try:
                stat = path.stat()
            except OSError:
                continue
            state = (stat.st_mtime_ns, stat.st_size)
            if seen.get(path) != state and time.time() - stat.st_mtime > SETTLED:
                seen[path] = state
                fresh.append(path)
        if fresh:
            yield fresh
        time.sleep(seconds)
