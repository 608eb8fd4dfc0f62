"""How many parts a file has, counted before anything slow looks at them.

Pillow reads every segment of a JPEG and every chunk of a PNG, joins what belongs together by copying it
again and again, and stops nowhere: 20 MB of empty segments took it a quarter of a minute.
"""

import struct
from typing import IO

from PIL.JpegImagePlugin import MARKER

MOST_SEGMENTS = 1_000  # of a JPEG's head; a colour profile or long XMP takes up to a few hundred
MOST_LOOSE = 100_000  # bytes between them that belong to none
MOST_EXIF = 8_000_000  # bytes in all segments of EXIF together; one has 65,533
MOST_CHUNKS = 1_000  # of a PNG, other than those that hold pixels and frames
MOST_PIXEL_CHUNKS = 200_000
OF_PIXELS = {b"IDAT", b"fdAT", b"fcTL"}


class TooManyPartsError(Exception):
    """A file has more parts than any camera or program writes."""


def check(file: IO[bytes]) -> None:
    """Raise TooManyPartsError where reading the file's metadata would take long; leave it at its start."""
    file.seek(0)
    start = file.read(8)
    if start.startswith(b"\xff\xd8"):
        _check_jpeg(file)
    elif start == b"\x89PNG\r\n\x1a\n":
        _check_png(file)
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


def _check_png(file: IO[bytes]) -> None:
    at, others = 8, 0
    for _ in range(MOST_PIXEL_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        others += head[4:] not in OF_PIXELS
        if others > MOST_CHUNKS:
            raise TooManyPartsError
        at += 12 + struct.unpack(">I", head[:4])[0]
    raise TooManyPartsError
