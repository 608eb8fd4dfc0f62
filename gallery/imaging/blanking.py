"""Taking the place out of a copy of a picture's file: by structure, in linear time, with bounded work.

What is kept is named, not what goes: of EXIF the camera, the date and how to show the picture; of a file's
other metadata what its pixels need. XMP, IPTC, comments, maker notes, previews, further pictures and whatever
trails behind go, for a place can stand in any of them. The compressed pixels stay as they are, to the byte. A
file whose structure is not understood raises NotStrippedError; its caller gives out the pixels alone.
"""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from PIL import ExifTags, Image

from gallery.imaging import pixels, raw

Part = TypeVar("Part")
MOST_PARTS = 20_000  # segments, chunks, boxes or directory entries of one file
LARGEST_EXIF = 1_000_000  # bytes
GPS = ExifTags.IFD.GPSInfo
_BASE = ExifTags.Base
KEPT_TAGS = (_BASE.Make, _BASE.Model, _BASE.Orientation, _BASE.DateTime, _BASE.Software)
KEPT_DETAILS = (
    _BASE.DateTimeOriginal, _BASE.DateTimeDigitized, _BASE.OffsetTime, _BASE.OffsetTimeOriginal,
    _BASE.OffsetTimeDigitized, _BASE.SubsecTime, _BASE.SubsecTimeOriginal, _BASE.SubsecTimeDigitized,
    _BASE.ExposureTime, _BASE.FNumber, _BASE.ISOSpeedRatings, _BASE.FocalLength, _BASE.LensModel,
    _BASE.ColorSpace,
)  # fmt: skip
# Tags of TIFF that can tell a place, or hold anything at all.
TOLD_BY = {270, 700, 33723, 34377, 37500, 37510, 40091, 40092, 40094, 40095}
POINTERS = {330, 34665, 40965}  # to further directories, other than the one of the place
SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
}  # bytes of TIFF's types
KEPT_CHUNKS = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT",
    b"pHYs", b"bKGD", b"acTL", b"fcTL", b"fdAT",
}  # fmt: skip
KEPT_RIFF = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
KEPT_BOXES = {b"ftyp", b"meta", b"mdat", b"free", b"skip"}


class NotStrippedError(Exception):
    """The place cannot be taken out of this file for sure."""


def strip(content: bytes) -> bytes:
    """Give the file without its place; NotStrippedError where that cannot be done for sure."""
    try:
        return _stripper(content)(content)
    except (struct.error, IndexError, ValueError, OverflowError, KeyError) as error:
        raise NotStrippedError("its structure is not understood") from error


def _stripper(content: bytes) -> Callable[[bytes], bytes]:
    if raw.kind_of(content[: raw.HEADER]):
        raise NotStrippedError("a camera's raw file is developed with its maker's notes")
    if content.startswith(b"\xff\xd8"):
        return _jpeg
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _webp
    if content.startswith((b"II*\0", b"MM\0*")):
        return _tiff
    if content[4:8] == b"ftyp":
        return _heif
    if content.startswith(b"BM"):
        return lambda content: content[: struct.unpack_from("<I", content, 2)[0] or len(content)]
    raise NotStrippedError("its format has no rule")


class _Budget:
    """What may be done with one file: so many parts looked at, and each of its bytes emptied about once."""

    def __init__(self, size: int) -> None:
        self.parts, self.bytes = MOST_PARTS, size + LARGEST_EXIF

    def take(self, parts: int) -> None:
        self.parts -= parts
        if self.parts < 0:
            raise NotStrippedError("it has too many parts")

    def counted(self, parts: Iterator[Part]) -> Iterator[Part]:
        """Yield the parts, each of which counts."""
        for part in parts:
            self.take(1)
            yield part

    def fill(self, data: bytearray, at: int, size: int, filling: bytes = b"\0") -> None:
        """Empty `size` bytes in place; values that overlap again and again are no picture's."""
        if at < 0 or at + size > len(data):
            raise NotStrippedError("a value lies outside of the file")
        self.bytes -= size
        if self.bytes < 0:
            raise NotStrippedError("its values overlap")
        data[at : at + size] = filling * size


def kept_exif(exif: bytes) -> bytes:
    """Keep of an EXIF block, with or without its six leading bytes, what tells no place; b'' for nothing."""
    if len(exif) > LARGEST_EXIF:
        return b""
    old, new = Image.Exif(), Image.Exif()
    try:
        old.load(exif)
        details = old.get_ifd(ExifTags.IFD.Exif)
        new.update({tag: old[tag] for tag in KEPT_TAGS if tag in old})
        new.get_ifd(ExifTags.IFD.Exif).update({tag: details[tag] for tag in KEPT_DETAILS if tag in details})
        return new.tobytes() if len(new) or new.get_ifd(ExifTags.IFD.Exif) else b""
    except Exception:  # Pillow raises nearly anything on hostile bytes: then nothing is kept
        return b""


def _jpeg(content: bytes) -> bytes:
    out, exif = [b"\xff\xd8"], b""
    for marker, start, stop in _Budget(0).counted(jpeg_parts(content)):
        part = content[start:stop]
        if marker == 0xE1 and part[4:10] == b"Exif\0\0" and not exif:
            exif = kept_exif(part[4:])
            if exif:
                out.append(b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif)
        elif (
            marker in (0xE0, 0xEE)
            or (marker == 0xE2 and part[4:16] == b"ICC_PROFILE\0")
            or (not 0xE0 <= marker <= 0xEF and marker != 0xFE)
        ):
            out.append(part)
    return b"".join(out)


_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def jpeg_parts(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Walk the segments of the first picture: (marker, start, stop), a scan's data with its header."""
    at = 2
    while True:
        if content[at] != 0xFF:
            raise NotStrippedError("a segment does not begin with a marker")
        while content[at + 1] == 0xFF:  # padding
            at += 1
        marker = content[at + 1]
        if marker == 0xD9:
            yield marker, at, at + 2
            return
        stop = at + 2 + struct.unpack_from(">H", content, at + 2)[0]
        if marker == 0xDA:
            following = _NEXT_MARKER.search(content, stop)
            if following is None:  # without an end, as some cameras leave it
                yield marker, at, len(content)
                return
            stop = following.start()
        if stop > len(content):
            raise NotStrippedError("a segment is cut short")
        yield marker, at, stop
        at = stop


def _png(content: bytes) -> bytes:
    out, at = [content[:8]], 8
    for _ in _Budget(0).counted(iter(int, 1)):
        size = struct.unpack_from(">I", content, at)[0]
        kind, stop = content[at + 4 : at + 8], at + 12 + size
        if stop > len(content):
            raise NotStrippedError("a chunk is cut short")
        if kind == b"eXIf" and (exif := kept_exif(content[at + 8 : stop - 4])):
            body = b"eXIf" + exif.removeprefix(b"Exif\0\0")
            out.append(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
        elif kind in KEPT_CHUNKS:
            out.append(content[at:stop])
        if kind == b"IEND":
            return b"".join(out)
        at = stop
    raise NotStrippedError("it has no end")


def _webp(content: bytes) -> bytes:
    end = min(8 + struct.unpack_from("<I", content, 4)[0], len(content))
    out, at, exif = [], 12, b""
    for _ in _Budget(0).counted(iter(int, 1)):
        if at + 8 > end:
            break
        kind, size = content[at : at + 4], struct.unpack_from("<I", content, at + 4)[0]
        stop = at + 8 + size + size % 2
        if kind == b"EXIF":
            exif = kept_exif(content[at + 8 : at + 8 + size]).removeprefix(b"Exif\0\0")
        elif kind in KEPT_RIFF:
            out.append(bytearray(content[at:stop]))
        at = stop
    if exif:
        out.append(bytearray(b"EXIF" + struct.pack("<I", len(exif)) + exif + b"\0" * (len(exif) % 2)))
    if out and out[0][:4] == b"VP8X":
        out[0][8] = out[0][8] & ~0b1100 | (0b1000 if exif else 0)  # which of EXIF and XMP there is
    body = b"WEBP" + b"".join(out)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _tiff(content: bytes) -> bytes:
    data = bytearray(content)
    _blank_tiff(data, 0, _Budget(len(data)))
    return bytes(data)


def _blank_tiff(data: bytearray, start: int, budget: _Budget) -> None:
    """Empty, in place, what can tell a place in the TIFF structure that begins at `start`."""
    order = "<" if data[start : start + 2] == b"II" else ">"

    def number(form: str, at: int) -> int:
        return int(struct.unpack_from(order + form, data, start + at)[0])

    waiting, seen = [(number("I", 4), False)], set()
    while waiting:
        directory, everything = waiting.pop()
        if not directory or directory in seen:
            continue
        seen.add(directory)
        count = number("H", directory)
        budget.take(1 + count)
        for entry in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind, values = number("H", entry), number("H", entry + 2), number("I", entry + 4)
            size = SIZES.get(kind, 0) * values
            at = entry + 8 if size <= 4 else number("I", entry + 8)
            if tag == GPS:
                waiting.append((number("I", entry + 8), True))
                budget.fill(data, start + entry + 8, 4)
            elif tag in POINTERS and size:
                budget.take(values)
                waiting += [(number("I", at + 4 * i), False) for i in range(values)]
            elif everything or tag in TOLD_BY:
                budget.fill(data, start + at, size)
        if everything:
            budget.fill(data, start + directory, 2)
        else:
            waiting.append((number("I", directory + 2 + 12 * count), False))


def _boxes(data: bytes | bytearray, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start of the content, stop) of every box of an ISO base media file."""
    while at + 8 <= end:
        size, kind, header = struct.unpack_from(">I", data, at)[0], bytes(data[at + 4 : at + 8]), 8
        if size == 1:
            size, header = struct.unpack_from(">Q", data, at + 8)[0], 16
        stop = at + size if size else end
        if stop > end or (size and size < header):
            raise NotStrippedError("a box is cut short")
        yield kind, at + header, stop
        at = stop


def _heif(content: bytes) -> bytes:
    """Empty metadata items and unknown boxes of HEIF and AVIF where they lie: the rest is found by offset."""
    data, budget = bytearray(content), _Budget(len(content))
    for kind, start, stop in budget.counted(_boxes(content, 0, len(content))):
        if kind == b"moov":
            raise NotStrippedError("it holds a film")
        if kind == b"meta":
            for item, at, size in _items(content, start + 4, stop, budget):
                if item == b"Exif":
                    _blank_tiff(data, at + 4 + struct.unpack_from(">I", content, at)[0], budget)
                elif item in (b"mime", b"uri "):
                    budget.fill(data, at, size, b" ")
        elif kind not in KEPT_BOXES:
            budget.fill(data, start, stop - start)
    result = bytes(data)
    try:
        with pixels.open_header(io.BytesIO(result)) as image:
            left = image.getexif().get_ifd(GPS)
    except Exception as error:  # Pillow raises nearly anything on hostile bytes
        raise NotStrippedError("it cannot be opened afterwards") from error
    if left:
        raise NotStrippedError("a place is left in it")
    return result


def _items(data: bytes, start: int, stop: int, budget: _Budget) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, size) of every item extent that the meta box from start to stop tells of."""
    boxes = {kind: (at, end) for kind, at, end in budget.counted(_boxes(data, start, stop))}
    kinds = dict(_item_types(data, *boxes[b"iinf"], budget)) if b"iinf" in boxes else {}
    if b"iloc" not in boxes:
        return
    at, _ = boxes[b"iloc"]
    version = data[at]
    sizes = struct.unpack_from(">H", data, at + 4)[0]
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    at += 6
    wide = 4 if version == 2 else 2

    def take(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at], "big")

    for _ in budget.counted(iter(range(take(wide)))):
        item = take(wide)
        method = take(2) & 15 if version else 0
        take(2)
        base = take(base_size)
        for _ in budget.counted(iter(range(take(2)))):
            take(index_size)
            offset, length = take(offset_size), take(length_size)
            if kinds.get(item) in (b"Exif", b"mime", b"uri "):
                if method > 1:
                    raise NotStrippedError("an item lies in another one")
                origin = boxes[b"idat"][0] if method else 0
                if origin + base + offset + length > len(data):
                    raise NotStrippedError("an item lies outside of the file")
                yield kinds[item], origin + base + offset, length


def _item_types(data: bytes, start: int, stop: int, budget: _Budget) -> Iterator[tuple[int, bytes]]:
    skipped = 6 if data[start] == 0 else 8
    for kind, at, _ in budget.counted(_boxes(data, start + skipped, stop)):
        if kind == b"infe" and data[at] in (2, 3):
            wide = 2 if data[at] == 2 else 4
            yield int.from_bytes(data[at + 4 : at + 4 + wide], "big"), data[at + 6 + wide : at + 10 + wide]
