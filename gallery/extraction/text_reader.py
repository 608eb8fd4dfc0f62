"""Reading the text in pictures: PP-OCR's models by rapidocr, in a child process of its own.

A picture on which it crashes or hangs harms nothing else, and its 300 MB are given back when it ends. Knows
nothing of Django.
"""

import json
import logging
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
AT_LEAST = 1200  # pixels of a picture's shorter side that are looked at; smaller print is not read
LEAST_SCORE = 0.6  # of a line, below which it is not text but a fence
SECONDS = 60  # for one picture
LONGEST = 10_000  # characters
NICENESS = 15
_HEADER = struct.Struct("<II")  # width, height; the pixels follow


class InterruptedReadingError(Exception):
    """The reading was broken off because something more important came."""


class UnreadableError(Exception):
    """The child died on the picture, or took too long."""


class TextReader:
    """A child process that reads pictures one after the other."""

    def __enter__(self) -> "TextReader":
        self._is_alive = True
        self._channel, theirs = socket.socketpair()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "gallery.extraction.text_reader", str(theirs.fileno())],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is for the process that asks
        )
        theirs.close()
        if self._answer(lambda: False) is None:
            self.__exit__(None, None, None)
            raise RuntimeError("The models that read text in pictures cannot be loaded: see the log.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()
        self._child.kill()
        self._child.wait()

    @property
    def is_alive(self) -> bool:
        """Whether another picture can be read; not after an UnreadableError."""
        return self._is_alive and self._child.poll() is None

    def read(self, picture: Image.Image, is_urgent: Callable[[], bool] = lambda: False) -> str:
        """Return the text in an RGB picture, a line a line, '' for none.

        Raises InterruptedReadingError as soon as `is_urgent` says so, and UnreadableError.
        """
        self._is_alive = False  # an answer that comes late would be taken for the next picture's
        self._send(_HEADER.pack(*picture.size) + picture.tobytes(), is_urgent)
        text = self._answer(is_urgent)
        self._is_alive = text is not None
        if text is None:
            raise UnreadableError(f"its process died or took more than {SECONDS} s")
        return text

    def _send(self, content: bytes, is_urgent: Callable[[], bool]) -> None:
        """Send all of it, unless the child does not take it."""
        self._channel.settimeout(0.5)
        left, until = memoryview(content), time.monotonic() + SECONDS
        while left and time.monotonic() < until:
            try:
                left = left[self._channel.send(left) :]
            except TimeoutError:
                if is_urgent():
                    raise InterruptedReadingError from None
            except OSError as error:
                raise UnreadableError("its process is gone") from error
        if left:
            raise UnreadableError("its process hangs")

    def _answer(self, is_urgent: Callable[[], bool]) -> str | None:
        """Wait for a line; None where none comes."""
        self._channel.settimeout(0.5)
        line, until = b"", time.monotonic() + SECONDS
        while time.monotonic() < until:
            try:
                part = self._channel.recv(65536)
            except TimeoutError:
                if is_urgent():
                    raise InterruptedReadingError from None
                continue
            except OSError:
                return None
            line += part
            if line.endswith(b"\n"):
                return str(json.loads(line))
            if not part:
                return None
        return None


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Read pictures from one stream, write their texts to the other, until there are no more."""
    from rapidocr import RapidOCR

    for name in list(logging.root.manager.loggerDict):
        if name.lower().startswith("rapidocr"):
            logging.getLogger(name).setLevel(logging.ERROR)
    engine = RapidOCR(params={"Global.log_level": "error"})
    answers.write(b'"ready"\n')
    answers.flush()
    while len(header := requests.read(_HEADER.size)) == _HEADER.size:
        width, height = _HEADER.unpack(header)
        pixels = np.frombuffer(requests.read(width * height * 3), np.uint8).reshape(height, width, 3)
        found: Any = engine(pixels[:, :, ::-1])  # blue first
        lines = [
            text
            for text, score in zip(found.txts or (), found.scores or (), strict=True)
            if score >= LEAST_SCORE and any(c.isalnum() for c in text)
        ]
        answers.write(json.dumps("\n".join(lines)[:LONGEST]).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    os.nice(NICENESS)
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        _serve(channel.makefile("rb"), channel.makefile("wb"))
