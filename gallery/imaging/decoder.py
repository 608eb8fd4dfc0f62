"""Decoding in child processes, with limits of memory and time.

A file that breaks its decoder harms nothing else. A few children live on from request to request, so that
most pay only for passing the file and its pixels. One that dies, takes too long or decoded something large is
replaced. Large pictures are decoded one at a time.
"""

import contextlib
import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from PIL import Image

from gallery.imaging import metadata, writing
from gallery.imaging.metadata import Facts
from gallery.imaging.pixels import Box
from gallery.imaging.writing import Said

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_ANSWER = 2_000_000  # bytes of its JSON line: keywords and captions of strangers
REQUESTS = 500  # that one child serves; then its memory is given back
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


class DecodeError(Exception):
    """A file could not be decoded.

    `kind` is unreadable, raw, parts, not written, damaged, pixels, no pixels, memory, slow, crashed or not
    stripped.
    """

    def __init__(self, kind: str, own: float = 0.0, most: float = 0.0, detail: str = ""):
        super().__init__(f"{kind} {detail}".strip())
        self.kind, self.own, self.most = kind, own, most


class DecoderBusyError(Exception):
    """So many files wait to be decoded that this one is not taken: no fault of its own."""


# Says for whom this thread works: the same name for all requests of one person; '' for the site itself.
asker: ContextVar[Callable[[], str]] = ContextVar("asker", default=str)


@dataclass(frozen=True)
class Limits:
    """What one picture may take, and how many are decoded at a time; memory in bytes."""

    memory: int = 1_200_000_000
    seconds: float = 60.0
    megapixels: float = 250.0
    children: int = os.cpu_count() or 1
    waiting: int = 10  # more requests than children, and so threads of this process, that may be here at once
    patience: float = 5.0  # seconds that one more waits for a place: a page's thumbnails take less

    @property
    def of_one(self) -> int:
        """How many of the places one person, or one visitor of a link, may hold."""
        return max(2, (self.children + self.waiting) // 3)


@dataclass(frozen=True)
class Decoded:
    """A picture's pixels, and what they look like."""

    picture: Image.Image
    perceptual_hash: int
    color: int
    colors: str  # by name, with spaces between them


class _Child:
    """One child process and the socket to it."""

    def __init__(self, limits: Limits):
        self.limits, self.served = limits, 0
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(limits.seconds)
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        numbers = (theirs.fileno(), limits.memory, limits.megapixels, limits.seconds)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gallery.imaging.decoder_process", *map(str, numbers)],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            env=environment | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the process that asks
        )
        theirs.close()

    def ask(self, request: dict[str, Any], *files: IO[bytes]) -> tuple[dict[str, Any], bytes]:
        """Send a request with its files, and wait for the answer; DecodeError where there is none."""
        self.served += 1
        try:
            socket.send_fds(self.channel, [json.dumps(request).encode()], [file.fileno() for file in files])
            with self.channel.makefile("rb") as answers:
                answer = json.loads(answers.readline(LONGEST_ANSWER))
                content = answers.read(answer["bytes"])
        except TimeoutError as error:
            raise DecodeError("slow", most=self.limits.seconds) from error
        except (OSError, ValueError) as error:
            raise DecodeError("crashed") from error
        if len(content) != answer["bytes"]:
            raise DecodeError("crashed")
        return answer, content

    def end(self) -> None:
        self.channel.close()
        self.process.kill()
        self.process.wait()


class Decoder:
    """The children of this process."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self.pid = os.getpid()
        self._large = threading.Lock()
        self._held: Counter[str] = Counter()  # places by who asks
        self._freed = threading.Condition()
        self._places = threading.BoundedSemaphore(limits.children + limits.waiting)
        self._free: queue.Queue[_Child | None] = queue.LifoQueue()
        for _ in range(limits.children):
            self._free.put(None)  # started on first use

    def examine(self, file: IO[bytes]) -> Facts:
        """Decode to the end, and read what the file says of itself; DecodeError where that fails."""
        answer, _ = self._ask({"operation": "examine"}, file)
        return metadata.from_json(answer["facts"])

    def load(
        self, file: IO[bytes], at_least: int | None = None, box: Box | None = None, turn: int = 0
    ) -> Decoded:
        """Decode as `pixels.load_rgb` does; DecodeError where that fails."""
        request = {"operation": "load", "at_least": at_least, "box": box, "turn": turn}
        answer, content = self._ask(request, file)
        picture = Image.frombytes("RGB", tuple(answer["size"]), content)
        return Decoded(picture, answer["hash"], answer["color"], " ".join(answer["colors"]))

    def strip(self, file: IO[bytes]) -> bytes:
        """Give the file without its place; DecodeError where that cannot be done for sure."""
        with self._place(), _as_real_file(file) as real:
            return self._exchange({"operation": "strip"}, real)[1]

    def write(self, file: IO[bytes], said: Said) -> bytes:
        """Give a copy of the file that says it; DecodeError where nothing can be written into it."""
        with self._place(), _as_real_file(file) as real, tempfile.TemporaryFile() as words:
            words.write(json.dumps(writing.to_json(said)).encode())
            words.flush()
            return self._exchange({"operation": "write"}, real, words)[1]

    def _ask(self, request: dict[str, Any], file: IO[bytes]) -> tuple[dict[str, Any], bytes]:
        with self._place(), _as_real_file(file) as real:
            needed = self._exchange({"operation": "header"}, real)[0]["needed"]
            large = self._large if needed > self.limits.memory // 4 else contextlib.nullcontext()
            with large:
                return self._exchange(request, real)

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        """Hold one of the places; DecoderBusyError where none comes free, so that threads are left."""
        until = time.monotonic() + self.limits.patience
        with self._turn_of(asker.get()()):
            if not self._places.acquire(timeout=max(0.0, until - time.monotonic())):
                raise DecoderBusyError
            try:
                yield
            finally:
                self._places.release()

    @contextlib.contextmanager
    def _turn_of(self, who: str) -> Iterator[None]:
        """Hold one of the turns that each person has; DecoderBusyError where none comes free."""
        if not who:
            yield
            return
        with self._freed:
            if not self._freed.wait_for(lambda: self._held[who] < self.limits.of_one, self.limits.patience):
                raise DecoderBusyError
            self._held[who] += 1
        try:
            yield
        finally:
            with self._freed:
                self._held[who] -= 1
                self._held += Counter()  # without those at 0
                self._freed.notify_all()

    def _exchange(self, request: dict[str, Any], *files: IO[bytes]) -> tuple[dict[str, Any], bytes]:
        try:
            with self._child() as child:
                answer, content = child.ask(request, *files)
        except DecodeError as error:
            if error.kind != "crashed":
                raise
            # It may have been ended from outside: another one tells whether it was the file's fault.
            with self._child() as child:
                answer, content = child.ask(request, *files)
        if kind := answer.get("error"):
            raise DecodeError(kind, answer.get("own", 0.0), answer.get("most", 0.0), answer.get("detail", ""))
        return answer, content

    @contextlib.contextmanager
    def _child(self) -> Iterator[_Child]:
        """Lend a child for one request. One that failed, or has served long enough, is not used again."""
        child = self._free.get()
        try:
            if child and child.process.poll() is not None:  # it was ended from outside meanwhile
                child.end()
                child = None
            child = child or _Child(self.limits)
            yield child
            keep: _Child | None = child
            if child.served >= REQUESTS or _resident(child.process.pid) > self.limits.memory // 4:
                child.end()
                keep = None
        except BaseException:
            keep = None
            if child:
                child.end()
            raise
        finally:
            self._free.put(keep)


def _resident(pid: int) -> int:
    """Return the process's memory in bytes; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    except (OSError, ValueError, IndexError):
        return 0


@contextlib.contextmanager
def _as_real_file(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Return the file as one of the system's, which a child can be given; one in memory is written out."""
    try:
        file.fileno()
    except (OSError, AttributeError, ValueError):
        with tempfile.TemporaryFile() as real:
            file.seek(0)
            shutil.copyfileobj(file, real)
            real.flush()
            yield real
    else:
        file.flush() if hasattr(file, "flush") and file.writable() else None
        yield file


_lock = threading.Lock()
_state: dict[str, Any] = {"limits": Limits(), "decoder": None}


def configure(limits: Limits) -> None:
    """Set the limits of this process's decoder."""
    _state.update(limits=limits, decoder=None)


def decoder() -> Decoder:
    """Give this process's decoder; a process that was forked makes its own."""
    with _lock:
        current: Decoder | None = _state["decoder"]
        if current is None or current.pid != os.getpid():
            current = _state["decoder"] = Decoder(_state["limits"])
        return current
