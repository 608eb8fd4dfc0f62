"""How many parts a file has, counted before anything slow looks at them.

Pillow reads every segment of a JPEG and every chunk of a PNG, joins what belongs together by copying it
again and again, and stops nowhere: 20 MB of empty segments took it a quarter of a minute.
"""

import struct
from typing import IO

MOST_SEGMENTS = 1_000  # of a JPEG's head; a colour profile or long XMP takes up to a few hundred
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
    """Walk the segments up to the first scan; what is no segment is for the decoder to judge."""
    at, exif = 2, 0
    for _ in range(MOST_SEGMENTS):
        file.seek(at)
        head = file.read(10)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xD9, 0xDA):
            return
        if head[1] == 0xFF or head[1] == 0x01 or 0xD0 <= head[1] <= 0xD8:  # padding, or without a length
            at += 1 if head[1] == 0xFF else 2
            continue
        size = struct.unpack_from(">H", head, 2)[0]
        if head[1] == 0xE1 and head[4:8] == b"Exif":
            exif += size
        if exif > MOST_EXIF:
            raise TooManyPartsError
        at += 2 + size
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
