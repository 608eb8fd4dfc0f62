"""How many parts a file has, counted before anything slow looks at them.

Pillow reads every segment of a JPEG, chunk of a PNG and block of a GIF, joins what belongs together by
copying it again and again, and stops nowhere: 20 MB of empty segments took it a quarter of a minute.
"""

import struct
from collections.abc import Iterator
from typing import IO, Literal

from PIL.JpegImagePlugin import MARKER

MOST_SEGMENTS = 1_000  # of a JPEG's head; a colour profile or long XMP takes up to a few hundred
MOST_LOOSE = 100_000  # bytes between them that belong to none
MOST_EXIF = 8_000_000  # bytes in all segments of EXIF together; one has 65,533
MOST_CHUNKS = 1_000  # of a PNG, other than those that hold pixels and frames
MOST_PIXEL_CHUNKS = 200_000
OF_PIXELS = {b"IDAT", b"fdAT", b"fcTL", b"ANMF", b"jxlp"}
MOST_BLOCKS = 200_000  # of a GIF before its first picture; XMP is read as some for each 80 bytes
COMMENT = b"\xfe"  # GIF's label of one
MOST_ENTRIES = 2_000  # of one of a TIFF's directories
LARGEST_POSITION = 2**40  # that a file is asked for: some systems refuse larger ones
# How a TIFF begins -> its order of bytes, and how many of them a position in it has.
TIFFS: dict[bytes, tuple[Literal["little", "big"], int]] = {
    b"II*\0": ("little", 4),
    b"MM\0*": ("big", 4),
    b"II+\0": ("little", 8),
    b"MM\0+": ("big", 8),
}


class TooManyPartsError(Exception):
    """A file has more parts than any camera or program writes."""


def check(file: IO[bytes]) -> None:
    """Raise TooManyPartsError where reading the file's metadata would take long; leave it at its start."""
    file.seek(0)
    start = file.read(12)
    if start.startswith(b"\xff\xd8"):
        _check_jpeg(file)
    elif start.startswith(b"\x89PNG\r\n\x1a\n"):
        _count(_png_chunks(file))
    elif start.startswith(b"RIFF"):
        _count(_riff_chunks(file))
    elif start[4:8] in (b"ftyp", b"JXL "):
        _count(_boxes(file))
    elif start.startswith(b"GIF8"):
        _check_gif(file)
    elif start[:4] in TIFFS:
        _check_tiff(file, *TIFFS[start[:4]])
    file.seek(0)


def _check_jpeg(file: IO[bytes]) -> None:
    """Walk the segments up to the first scan as Pillow does, over whatever lies between them.

    Its own table says which markers have a segment behind them; what is not in it, it refuses by itself.
    """
    at, segments, loose, exif = 2, 0, 0, 0
    while segments <= MOST_SEGMENTS and loose <= MOST_LOOSE and exif <= MOST_EXIF:
        file.seek(at)
        head = file.read(10)
        if len(head) < 4 or head.startswith(b"\xff\xda"):
            return
        if head[0] != 0xFF or head[1] in (0x00, 0xFF):
            at, loose = at + 1, loose + 1
            continue
        _name, _description, reads_segment = MARKER.get(0xFF00 + head[1], ("", "", None))
        if reads_segment is None:
            at, segments = at + 2, segments + 1
        else:
            size = struct.unpack_from(">H", head, 2)[0]
            exif += size if head[1] == 0xE1 and head[4:8] == b"Exif" else 0
            at, segments = at + 2 + size, segments + 1
    raise TooManyPartsError


def _count(names: Iterator[bytes]) -> None:
    others = 0
    for number, name in enumerate(names):
        others += name not in OF_PIXELS
        if others > MOST_CHUNKS or number > MOST_PIXEL_CHUNKS:
            raise TooManyPartsError


def _png_chunks(file: IO[bytes]) -> Iterator[bytes]:
    at = 8
    while len(head := _read(file, at, 8)) == 8 and head[4:] != b"IEND":
        yield head[4:]
        at += 12 + int.from_bytes(head[:4], "big")


def _riff_chunks(file: IO[bytes]) -> Iterator[bytes]:
    """WebP's."""
    at, end = 12, 8 + int.from_bytes(_read(file, 4, 4), "little")  # what lies behind is nobody's
    while at < end and len(head := _read(file, at, 8)) == 8:
        yield head[:4]
        size = int.from_bytes(head[4:], "little")
        at += 8 + size + size % 2


def _boxes(file: IO[bytes]) -> Iterator[bytes]:
    """The boxes of HEIF, AVIF and JPEG XL that are in no other."""
    at = 0
    while len(head := _read(file, at, 16)) >= 8:
        yield head[4:8]
        size = int.from_bytes(head[:4], "big")
        if size == 1:  # it stands behind the name, in 64 bits
            size = int.from_bytes(head[8:], "big")
        if size < 8:  # it reaches to the end
            return
        at += size


def _read(file: IO[bytes], at: int, size: int) -> bytes:
    file.seek(min(at, LARGEST_POSITION))
    return file.read(size)


def _check_gif(file: IO[bytes]) -> None:
    """Walk the blocks up to the first picture as Pillow does, over whatever lies between them."""
    flags = (_read(file, 10, 1) or b"\0")[0]
    file.seek(13 + (3 << (flags & 7) + 1 if flags & 128 else 0))
    blocks = 0
    while (kind := file.read(1)) not in (b"", b",", b";"):
        label, size = (file.read(1), file.read(1)) if kind == b"!" else (b"", b"")
        blocks += 1
        if size == b"\0" and label != COMMENT:  # Pillow goes on behind an empty one
            size = file.read(1)
        while size not in (b"", b"\0") and blocks <= MOST_BLOCKS:
            file.seek(size[0], 1)
            size = file.read(1)
            blocks += 1
        if blocks > MOST_BLOCKS:
            raise TooManyPartsError


def _check_tiff(file: IO[bytes], order: Literal["little", "big"], width: int) -> None:
    """Count the first directory's entries: Pillow reads no other, and bounds what they hold by itself."""
    at = int.from_bytes(_read(file, width, width), order)
    if int.from_bytes(_read(file, at, 2 if width == 4 else 8), order) > MOST_ENTRIES:
        raise TooManyPartsError
