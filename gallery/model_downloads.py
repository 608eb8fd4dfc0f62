"""Fetching an extractor's weights beside everything else: a process of its own, whose state is in a file.

One process at a time, for each machine that keeps models of its own. It outlives the worker that started it.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from django.conf import settings
from filelock import FileLock

from gallery import extractor_switch
from gallery.extraction import registry, weights

# What each takes on disk, in bytes, and how many pictures a second it reads on two cores, both nearly.
SIZES = {"clip": 610_000_000, "full": 6_200_000_000}
RATES = {"lite": 40.0, "clip": 8.0, "full": 0.9}


@dataclass(frozen=True)
class Download:
    """The last download that was asked for; its extractor is chosen when everything is there."""

    extractor: str
    state: str  # running, done, failed, cancelled
    error: str = ""
    pid: int = 0
    started: float = 0.0  # of the process, in seconds since 1970: another one may get its number

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def percent(self) -> int:
        """How much is there, roughly."""
        there = sum(_bytes_in(weights.folder(settings.MODELS_DIR, own)) for own in models_of(self.extractor))
        return min(99, round(100 * there / SIZES[self.extractor]))


def models_of(extractor: str) -> list[str]:
    """Return the models that an extractor needs, as weights.files names them."""
    return ["clip", "ram"] if extractor == "full" else [weights.clip_model(settings.CLIP_MODEL), "tags"]


def latest() -> Download | None:
    """Return the last download; one whose process is gone has failed."""
    try:
        download = Download(**json.loads(_state().read_text()))
    except (OSError, ValueError, TypeError):
        return None
    if download.is_running and _process(download) is None:
        return Download(download.extractor, "failed", "It was interrupted.")
    return download


def start(extractor: str) -> None:
    """Fetch an extractor's weights, and search by it once they are there and it has read everything."""
    settings.MODELS_DIR.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{_state()}.lock"):
        running = latest()
        if running and running.is_running:
            return
        process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "weights", "use", extractor],
            stdin=subprocess.DEVNULL,
            env=os.environ
            | {"PICFUSION_MODELS_DIR": str(settings.MODELS_DIR), "CLIP_MODEL": settings.CLIP_MODEL},
            start_new_session=True,
        )
        _write(Download(extractor, "running", "", process.pid, psutil.Process(process.pid).create_time()))


def run(extractor: str, say: Callable[[str], None] = print) -> None:
    """Fetch what an extractor needs and choose it, in the process that `start` made or by hand.

    The outcome is noted.
    """
    try:
        for model in models_of(extractor):
            if model != "tags" or not weights.vocabulary(settings.MODELS_DIR):  # RAM brings the list, too
                weights.download(settings.MODELS_DIR, model, say)
    except (weights.DownloadError, OSError) as error:
        _write(Download(extractor, "failed", str(error)[:500]))
        raise
    registry.choose(extractor)
    _write(Download(extractor, "done"))


def cancel() -> None:
    """End the download that is running; what has come stays, and the next one goes on from there."""
    with FileLock(f"{_state()}.lock"):
        download = latest()
        if download is None or not download.is_running:
            return
        if process := _process(download):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(psutil.Error):
                process.wait(5)
        _write(Download(download.extractor, "cancelled"))


def delete(extractor: str) -> None:
    """Remove an extractor's weights, and the choice of it; what another one needs of them goes, too.

    Raises ServingError where pictures are searched by it, or by another one that needs them: there would be
    nothing to search by.
    """
    if is_in_use(extractor):
        raise ServingError
    running = latest()
    if (
        running
        and running.is_running
        and running.extractor != extractor
        and _share(running.extractor, extractor)
    ):
        raise ServingError  # they are being fetched for another one
    if running and running.extractor == extractor:
        cancel()
        _state().unlink(missing_ok=True)
    if registry.chosen() == extractor:
        registry.choose("")
    for model in models_of(extractor):
        if model == "tags":  # a few kilobytes
            continue
        shutil.rmtree(weights.folder(settings.MODELS_DIR, model), ignore_errors=True)


def is_in_use(extractor: str) -> bool:
    """Whether pictures are, or are about to be, searched by it or by another one that needs its weights."""
    needed = {extractor_switch.current().name, registry.target().name} & set(SIZES)
    return any(_share(extractor, own) for own in needed)


def _share(extractor: str, other: str) -> bool:
    """Whether both need weights of the same model, but for the list of tags."""
    return bool(set(models_of(extractor)) & set(models_of(other)) - {"tags"})


class ServingError(Exception):
    """The weights are in use."""


def _process(download: Download) -> psutil.Process | None:
    try:
        process = psutil.Process(download.pid)
        alike = abs(process.create_time() - download.started) < 1
        return process if alike and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _bytes_in(folder: Path) -> int:
    """Return what the folder's files take, those that are still coming among them."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def _write(download: Download) -> None:
    temporary = _state().with_suffix(".new")
    temporary.write_text(json.dumps(asdict(download)))
    os.replace(temporary, _state())


def _state() -> Path:
    return Path(settings.MODELS_DIR) / "download.json"
