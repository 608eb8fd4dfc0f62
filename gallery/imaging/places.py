"""Where a picture was taken: read from its file, and taken out of a copy of it.

A location stands in EXIF's GPS directory and, written by some programs, in XMP. Both are blanked where they
stand, so that every other byte of the file stays as it was, and nothing is decoded or compressed again.
"""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image as Pillow

from gallery.imaging import pixels

GPS = 0x8825  # the tag that points to the GPS directory
# Bytes that a value of each TIFF type takes.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TIFF = re.compile(rb"II\*\0|MM\0\*")
_XMP = re.compile(
    rb"(exif:GPS\w+\s*=\s*)(\"[^\"]*\"|'[^']*')|(<exif:GPS(\w+)[^>]*>)(.*?)(?=</exif:GPS\4)", re.DOTALL
)


class NotStrippedError(Exception):
    """A location is in the file in a way that cannot be blanked."""


def read(image: Pillow.Image) -> tuple[float, float] | None:
    """Degrees north and east, from the picture's EXIF.

    None where it does not say or what it says is nowhere.
    """
    gps = image.getexif().get_ifd(GPS)
    try:
        north, east = _degrees(gps[2]), _degrees(gps[4])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, IndexError):
        return None
    north *= -1 if str(gps.get(1, "N")).strip("\0 ").upper() == "S" else 1
    east *= -1 if str(gps.get(3, "E")).strip("\0 ").upper() == "W" else 1
    on_earth = -90 <= north <= 90 and -180 <= east <= 180  # False for what is not a number, too
    return (north, east) if on_earth and (north, east) != (0, 0) else None


def _degrees(value: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in value)
    return degrees + minutes / 60 + seconds / 3600


def strip(content: bytes) -> bytes:
    """The file without the location; NotStrippedError if one can still be found afterwards."""
    blanked = bytearray(content)
    for start in _tiff_headers(content):
        _blank_gps(blanked, start)
    for match in _XMP.finditer(content):
        value = slice(*match.span(2)) if match[2] else slice(*match.span(5))
        quotes = 1 if match[2] else 0
        blanked[value.start + quotes : value.stop - quotes] = b" " * (value.stop - value.start - 2 * quotes)
    if content.startswith(b"\x89PNG"):
        _mend_png_sums(blanked)
    result = bytes(blanked)
    with pixels.open_header(io.BytesIO(result)) as image:
        left = image.getexif().get_ifd(GPS) or b"GPSL" in _metadata(image)
    if left:
        raise NotStrippedError
    return result


def _metadata(image: Pillow.Image) -> bytes:
    """What is beside the pixels and may be compressed in the file: XMP that still names a location."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    xmp = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
    return b"".join(
        name for name, value in re.findall(rb"exif:(GPSL\w+)[^\"'>]*[\"'>]\s*([^\s\"'<]?)", xmp) if value
    )


def _tiff_headers(content: bytes) -> Iterator[int]:
    """Where in the file a TIFF structure may begin, as EXIF is one. A file that is a TIFF begins with it."""
    for match in _TIFF.finditer(content):
        yield match.start()


def _blank_gps(data: bytearray, start: int) -> None:
    """Empty the GPS directory of the TIFF structure that begins at `start`; nothing where there is none."""
    order = "<" if data[start : start + 2] == b"II" else ">"

    def number(form: str, at: int) -> int:
        return struct.unpack_from(order + form, data, start + at)[0]

    try:
        for entry in _entries(number, number("I", 4)):
            if number("H", entry) == GPS:
                directory = number("I", entry + 8)
                for own in _entries(number, directory):
                    size = SIZES.get(number("H", own + 2), 0) * number("I", own + 4)
                    if 4 < size < 10_000:
                        value = start + number("I", own + 8)
                        if value + size <= len(data):
                            data[value : value + size] = bytes(size)
                    data[start + own : start + own + 12] = bytes(12)
                data[start + directory : start + directory + 2] = bytes(2)
    except struct.error:
        return  # it points outside of the file: not a TIFF structure, or a broken one that nobody can read


def _entries(number: Callable[[str, int], int], directory: int) -> list[int]:
    """Where the entries of a directory begin; none where their number makes no sense."""
    count = number("H", directory)
    return [directory + 2 + 12 * i for i in range(count)] if count < 1000 else []


def _mend_png_sums(data: bytearray) -> None:
    """Write the check sum of every chunk of a PNG anew."""
    at = 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        end = at + 8 + size
        if end + 4 > len(data):
            return
        struct.pack_into(">I", data, end, zlib.crc32(data[at + 4 : end]))
        at = end + 4
