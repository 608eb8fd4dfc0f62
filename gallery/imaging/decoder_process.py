"""The child that decodes strangers' files: limits of memory, no secrets, and nobody is harmed by its death.

It reads requests from a socket: a JSON line with the open file beside it. It answers a JSON line, and after
it as many bytes as `bytes` says. What it sends is plain data: whoever takes it over gains nothing in the
process that asked.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from typing import IO, Any

from PIL import Image

from gallery.imaging import blanking, colors, metadata, parts, pixels, raw, writing

SPARE = 300_000_000  # bytes for libraries and what lies between the decoder's buffers


class RefusedPictureError(Exception):
    """A picture is not decoded; the kind and numbers say why."""

    def __init__(self, kind: str, **numbers: float):
        super().__init__(kind)
        self.answer = {"error": kind, **numbers}


def main() -> None:
    """Serve the socket whose number is the first argument until the other side goes."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    memory, megapixels, seconds = int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    _limit(memory)
    warnings.simplefilter("ignore")  # a damaged TIFF's tags would be a line each in the site's log
    fcntl.fcntl(channel, fcntl.F_SETOWN, os.getpid())
    while True:
        line, descriptors, _, _ = socket.recv_fds(channel, 65536, 2)
        if not line:
            return
        with contextlib.ExitStack() as stack:
            stack.enter_context(_ends_with_its_parent(channel, seconds))
            file, *more = (stack.enter_context(os.fdopen(own, "rb")) for own in descriptors)
            answer, content = _answer(json.loads(line) | {"more": more}, file, memory, megapixels)
        try:
            channel.sendall(json.dumps(answer | {"bytes": len(content)}).encode() + b"\n")
            channel.sendall(content)
        except (BrokenPipeError, ConnectionResetError):
            return  # the other side ended meanwhile


@contextlib.contextmanager
def _ends_with_its_parent(channel: socket.socket, seconds: float) -> Iterator[None]:
    """Have the system end this process when the other side goes, or a little after its time is over.

    The other side watches the time itself, but may be killed meanwhile; and a decoder that is busy looks at
    nothing. Whatever happens on the socket during a request is the end of the other side: SIGIO then.
    """
    flags = fcntl.fcntl(channel, fcntl.F_GETFL)
    fcntl.fcntl(channel, fcntl.F_SETFL, flags | os.O_ASYNC)
    signal.setitimer(signal.ITIMER_REAL, seconds + 5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        fcntl.fcntl(channel, fcntl.F_SETFL, flags)


def _limit(memory: int) -> None:
    """Bound what this process may take of memory, and have it write no files."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    limit = used + memory + SPARE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(
    request: dict[str, Any], file: IO[bytes], memory: int, megapixels: float
) -> tuple[dict[str, Any], bytes]:
    try:
        file.seek(0)
        return OPERATIONS[request["operation"]](file, request, memory, megapixels)
    except RefusedPictureError as refusal:
        return refusal.answer, b""
    except MemoryError:
        return {"error": "memory"}, b""
    except raw.RawError as error:
        return {"error": "raw", "detail": str(error)[:200]}, b""
    except Exception as error:  # Pillow raises nearly anything on hostile bytes
        return {"error": "damaged", "detail": f"{type(error).__name__}: {error}"[:200]}, b""


def _opened(file: IO[bytes]) -> Image.Image:
    """Open the picture without decoding it; refuse what is none, or has more parts than a picture has."""
    try:
        parts.check(file)
        return pixels.open_header(file)
    except MemoryError:
        raise
    except parts.TooManyPartsError as error:
        raise RefusedPictureError("parts") from error
    except raw.RawError as error:
        raise RefusedPictureError("raw") from error
    except Exception as error:
        raise RefusedPictureError("damaged" if pixels.is_begun(file) else "unreadable") from error


def _check(file: IO[bytes], memory: int, megapixels: float) -> metadata.Facts:
    """Refuse, by its header, what is not a picture or would take too much; return what the file says."""
    with _opened(file) as image:
        size = image.width * image.height / 1e6
        if size > megapixels:
            raise RefusedPictureError("pixels", own=size, most=megapixels)
        if not size:
            raise RefusedPictureError("no pixels")
        needed = pixels.bytes_needed(image)
        if needed > memory:
            raise RefusedPictureError("memory", own=needed / 1e6, most=memory / 1e6)
        facts = metadata.read(image)
    file.seek(0)
    return facts


def _header(
    file: IO[bytes], request: dict[str, Any], memory: int, megapixels: float
) -> tuple[dict[str, Any], bytes]:
    """How many bytes decoding would take."""
    with _opened(file) as image:
        return {"needed": pixels.bytes_needed(image)}, b""


def _examine(
    file: IO[bytes], request: dict[str, Any], memory: int, megapixels: float
) -> tuple[dict[str, Any], bytes]:
    """Return what the file says of itself, when it can be decoded to its end."""
    facts = _check(file, memory, megapixels)
    try:
        pixels.load_rgb(file, at_least=pixels.HASHED, lenient=False)
    except OSError:
        file.seek(0)
        pixels.load_rgb(file, at_least=pixels.HASHED)  # or it is refused
        facts = dataclasses.replace(facts, is_cut_off=True)
    return {"facts": metadata.to_json(facts)}, b""


def _load(
    file: IO[bytes], request: dict[str, Any], memory: int, megapixels: float
) -> tuple[dict[str, Any], bytes]:
    """Return the pixels, and what they look like."""
    _check(file, memory, megapixels)
    picture = pixels.load_rgb(file, request["at_least"], request["box"], request["turn"])
    looks = {"hash": pixels.perceptual_hash(picture), "color": pixels.color(picture)}
    return {"size": picture.size, "colors": colors.named(picture), **looks}, picture.tobytes()


def _strip(
    file: IO[bytes], request: dict[str, Any], memory: int, megapixels: float
) -> tuple[dict[str, Any], bytes]:
    """Return the file without its place."""
    try:
        return {}, blanking.strip(file.read())
    except blanking.NotStrippedError as reason:
        return {"error": "not stripped", "detail": str(reason)}, b""


def _write(
    file: IO[bytes], request: dict[str, Any], memory: int, megapixels: float
) -> tuple[dict[str, Any], bytes]:
    """Return a copy of the file that says what the second file holds."""
    [words] = request["more"]
    words.seek(0)
    try:
        return {}, writing.embed(file.read(), writing.from_json(json.load(words)))
    except (writing.NotWrittenError, RecursionError) as reason:
        return {"error": "not written", "detail": str(reason)[:200]}, b""


OPERATIONS = {"header": _header, "examine": _examine, "load": _load, "strip": _strip, "write": _write}

if __name__ == "__main__":
    Image.init()
    main()
