"""What a file's container says of its pixels, where its plugin does not tell: colours, and who turns them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

LARGEST_META = 4_000_000  # bytes of the boxes before the pixels that are looked at
MOST_PARTS = 2000  # boxes or chunks
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Coding:
    """Colour primaries and transfer function, by the numbers of ITU-T H.273."""

    primaries: int
    transfer: int


@dataclass(frozen=True)
class Told:
    """What a container says."""

    coding: Coding | None = None
    turns: bool = False  # it turns or mirrors the picture by itself, so that EXIF's orientation is void


def read(file: IO[bytes]) -> Told:
    """Read it from the file's beginning; nonsense counts as nothing said. The file's position is kept."""
    position = file.tell()
    try:
        file.seek(0)
        start = file.read(12)
        if start.startswith(PNG):
            return Told(_png(file))
        if start[4:8] == b"ftyp":
            return _isobmff(file)
    except (struct.error, ValueError, IndexError, OverflowError):
        pass
    finally:
        file.seek(position)
    return Told()


def _png(file: IO[bytes]) -> Coding | None:
    """Find the chunk cICP, which stands before the pixels (PNG, third edition)."""
    file.seek(len(PNG))
    for _ in range(MOST_PARTS):
        size, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"cICP" and size == 4:
            primaries, transfer, _matrix, _full = file.read(4)
            return Coding(primaries, transfer)
        if kind in (b"IDAT", b"IEND"):
            return None
        file.seek(size + 4, 1)
    return None


def _isobmff(file: IO[bytes]) -> Told:
    """Find the properties colr (nclx) and irot or imir of HEIF and AVIF, in meta/iprp/ipco."""
    file.seek(0)
    for _ in range(MOST_PARTS):
        header = file.read(8)
        if len(header) < 8:
            break
        size, kind = struct.unpack(">I4s", header)
        if kind == b"meta" and 12 <= size <= LARGEST_META:
            return _properties(file.read(size - 8)[4:])
        if size < 8:  # 64 bits long, or until the end: no still picture's that comes before its properties
            break
        file.seek(size - 8, 1)
    return Told()


def _properties(meta: bytes) -> Told:
    """What the primary item's properties say: those of gain maps and thumbnails are not the picture's."""
    container = _inside(meta, b"iprp")
    every = list(_boxes(_inside(container, b"ipco")))
    numbers = _associated(_inside(container, b"ipma"), _primary(_inside(meta, b"pitm")))
    own = [every[number - 1] for number in numbers if 0 < number <= len(every)]
    coding, turns = None, False
    for kind, content in own:
        if kind == b"colr" and content[:4] == b"nclx" and coding is None:
            coding = Coding(*struct.unpack_from(">HH", content, 4))
        turns |= kind in (b"irot", b"imir")
    return Told(coding, turns)


def _primary(pitm: bytes) -> int:
    """Return the number of the item that is the picture."""
    return int.from_bytes(pitm[4 : 6 if pitm[0] == 0 else 8], "big")


def _associated(ipma: bytes, item: int) -> list[int]:
    """Return the numbers, from 1 on, of the properties that belong to an item (ISO/IEC 23008-12, 9.3)."""
    wide = 2 if ipma[0] == 0 else 4
    size = 2 if ipma[3] & 1 else 1
    [entries] = struct.unpack_from(">I", ipma, 4)
    at = 8
    for _ in range(min(entries, MOST_PARTS)):
        found, count = int.from_bytes(ipma[at : at + wide], "big"), ipma[at + wide]
        at += wide + 1
        if found == item:
            mask = 0x7FFF if size == 2 else 0x7F
            return [
                int.from_bytes(ipma[at + size * k : at + size * (k + 1)], "big") & mask for k in range(count)
            ]
        at += size * count
    return []


def _inside(content: bytes, wanted: bytes) -> bytes:
    return next((own for kind, own in _boxes(content) if kind == wanted), b"")


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(MOST_PARTS):
        if at + 8 > len(content):
            return
        size, kind = struct.unpack_from(">I4s", content, at)
        if size < 8:
            return
        yield kind, content[at + 8 : at + size]
        at += size
