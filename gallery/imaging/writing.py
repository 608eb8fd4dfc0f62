"""What is known of a picture, written into a copy of its file as XMP and EXIF, for other programs to read."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as Plain

from defusedxml import ElementTree
from PIL import Image

from gallery.imaging import blanking, dates, xmp

NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
}
for _prefix, _uri in NAMESPACES.items():
    Plain.register_namespace(_prefix, _uri)
# What is written anew, so that of what was there before nothing contradicts it.
OWN = {
    "dc:subject", "dc:description", "exif:DateTimeOriginal", "photoshop:DateCreated",
    "exif:GPSLatitude", "exif:GPSLongitude", "Iptc4xmpCore:Location", "tiff:Orientation",
}  # fmt: skip
IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
LARGEST_SEGMENT = 65_533 - len(IN_JPEG)
_ORIENTATION, _EXIF, _TAKEN, _DIGITIZED = 0x0112, 0x8769, 0x9003, 0x9004
_DATES = {_TAKEN, _DIGITIZED, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292}
# Orientations in the order of quarters clockwise, upright and mirrored ones.
_QUARTERS = ((1, 6, 3, 8), (2, 7, 4, 5))


class NotWrittenError(Exception):
    """Nothing can be written into this file: its format has no rule, or its structure is not understood."""


@dataclass(frozen=True)
class Said:
    """What is written: the date by the clock of the place, degrees north and east, quarters clockwise."""

    keywords: tuple[str, ...] = ()
    caption: str = ""
    is_best: bool = False
    taken: datetime | None = None
    precision: str = ""
    is_date_corrected: bool = False  # it is not what the file's EXIF says
    offset: int | None = None
    location: tuple[float, float] | None = None
    place: str = ""
    turn: int = 0
    is_turn_new: bool = False  # the file has no EXIF that says how it is turned


def to_json(said: Said) -> dict[str, Any]:
    """Write it as plain data."""
    return asdict(said) | {"taken": said.taken.isoformat() if said.taken else None}


def from_json(plain: dict[str, Any]) -> Said:
    """Read what to_json wrote."""
    taken, location = plain["taken"], plain["location"]
    return Said(
        **plain | {
            "keywords": tuple(plain["keywords"]),
            "taken": datetime.fromisoformat(taken) if taken else None,
            "location": (location[0], location[1]) if location else None,
        }
    )  # fmt: skip


def packet(said: Said, before: bytes = b"") -> bytes:
    """Write XMP that says it; other properties of the packet `before` are kept where it can be read."""
    root = _parsed(before)
    rdf = root.find(_name("rdf:RDF"))
    assert rdf is not None
    said_anew = OWN | ({"xmp:Rating"} if said.is_best else set())
    for description in rdf.findall(_name("rdf:Description")):
        for own in said_anew:
            description.attrib.pop(_name(own), None)
            for element in description.findall(_name(own)):
                description.remove(element)
    rdf.append(_description(said))
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        + Plain.tostring(root)
        + (b'<?xpacket end="w"?>')
    )


def _parsed(before: bytes) -> Any:
    try:
        if len(before) > xmp.LARGEST:
            raise ValueError("it is nobody's")
        root = ElementTree.fromstring(before.strip(b"\0 \n"))
        if root.tag == _name("x:xmpmeta") and root.find(_name("rdf:RDF")) is not None:
            return root
    except Exception:  # there is none, or it is nonsense: a new one is written
        pass
    root = Plain.Element(_name("x:xmpmeta"))
    Plain.SubElement(root, _name("rdf:RDF"))
    return root


def _description(said: Said) -> Any:
    own = Plain.Element(_name("rdf:Description"), {_name("rdf:about"): ""})
    if said.keywords:
        _list(own, "dc:subject", "rdf:Bag", said.keywords)
    if said.caption:
        _list(own, "dc:description", "rdf:Alt", [said.caption])
    simple = {
        "xmp:Rating": "5" if said.is_best else "",
        "exif:DateTimeOriginal": _date(said),
        "exif:GPSLatitude": _degrees(said.location[0], "NS") if said.location else "",
        "exif:GPSLongitude": _degrees(said.location[1], "EW") if said.location else "",
        "Iptc4xmpCore:Location": said.place,
        "tiff:Orientation": str(_QUARTERS[0][said.turn % 4]) if said.turn and said.is_turn_new else "",
    }
    for name, value in simple.items():
        if value:
            own.set(_name(name), _shown(value))
    return own


def _list(parent: Any, name: str, kind: str, items: Any) -> None:
    listed = Plain.SubElement(Plain.SubElement(parent, _name(name)), _name(kind))
    for item in items:
        entry = Plain.SubElement(listed, _name("rdf:li"))
        entry.text = _shown(item)
        if kind == "rdf:Alt":
            entry.set("{http://www.w3.org/XML/1998/namespace}lang", "x-default")


def _shown(text: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(
        c
        for c in text
        if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )


def _name(short: str) -> str:
    prefix, _, name = short.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{name}"


def _date(said: Said) -> str:
    if said.taken is None:
        return ""
    if said.precision:
        return said.taken.strftime(dates.FORMS[said.precision])
    if said.offset is None:
        return said.taken.isoformat()
    hours, minutes = divmod(abs(said.offset), 60)
    return f"{said.taken.isoformat()}{'-' if said.offset < 0 else '+'}{hours:02}:{minutes:02}"


def _degrees(value: float, letters: str) -> str:
    """As XMP writes them: degrees, minutes with a fraction, and a letter."""
    degrees, minutes = divmod(abs(value) * 60, 60)
    return f"{degrees:.0f},{minutes:.6f}{letters[value < 0]}"


def embed(content: bytes, said: Said) -> bytes:
    """Give a copy of a JPEG, PNG or WebP file that says it; NotWrittenError where that cannot be done."""
    try:
        if content.startswith(b"\xff\xd8"):
            return _in_jpeg(content, said)
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return _in_png(content, said)
        if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return _in_webp(content, said)
    except (
        struct.error,
        IndexError,
        ValueError,
        OSError,
        RecursionError,
        blanking.NotStrippedError,
    ) as error:
        raise NotWrittenError("its structure is not understood") from error
    raise NotWrittenError("its format has no rule")


def _in_jpeg(content: bytes, said: Said) -> bytes:
    parts = list(blanking.jpeg_parts(content))
    segments = [(marker, content[start:stop]) for marker, start, stop in parts]
    if said.turn and not any(marker == 0xE1 and part[4:10] == b"Exif\0\0" for marker, part in segments):
        exif = b"Exif\0\0" + _new_exif(said)
        segments.insert(0, (0xE1, b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif))
        said = replace(said, is_turn_new=True)
    before = next((part[4 + len(IN_JPEG) :] for marker, part in segments if _is_xmp(marker, part)), b"")
    body = packet(said, before)
    if len(body) > LARGEST_SEGMENT:
        body = packet(said)
    if len(body) > LARGEST_SEGMENT:
        raise NotWrittenError("there is too much to say")
    out = [b"\xff\xd8"]
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + len(IN_JPEG) + 2) + IN_JPEG + body
    written = False
    for marker, part in segments:
        if _is_xmp(marker, part):
            continue
        if not written and marker not in (0xE0, 0xE1):
            out.append(segment)
            written = True
        is_exif = marker == 0xE1 and part[4:10] == b"Exif\0\0"
        is_new = said.is_turn_new
        out.append(part[:10] + patched(part[10:], said) if is_exif and not is_new else part)
    return b"".join(out) + content[parts[-1][2] :]  # a film of a motion photo comes along


def _is_xmp(marker: int, part: bytes) -> bool:
    return marker == 0xE1 and part[4:].startswith(IN_JPEG)


def _in_png(content: bytes, said: Said) -> bytes:
    key = b"XML:com.adobe.xmp"
    out, before = [content[:8]], b""
    has_exif = any(kind == b"eXIf" for _, kind, _ in _chunks(content, until=b"IDAT"))
    said = replace(said, is_turn_new=bool(said.turn) and not has_exif)
    for at, kind, body in _chunks(content):
        if kind == b"iTXt" and body.startswith(key):
            before = body[len(key) + 5 :]
            continue
        if kind == b"IDAT":
            if said.is_turn_new:
                out.append(_chunk(b"eXIf", _new_exif(said)))
            out.append(_chunk(b"iTXt", key + b"\0\0\0\0\0" + packet(said, before)))
            return b"".join(out) + content[at:]
        out.append(_chunk(kind, patched(body, said) if kind == b"eXIf" else body))
    raise NotWrittenError("it has no pixels")


def _chunks(content: bytes, until: bytes = b"IEND") -> Iterator[tuple[int, bytes, bytes]]:
    """(where it begins, kind, body) of each chunk before the first one of the kind `until`, and of that."""
    at = 8
    for _ in range(blanking.MOST_PARTS):
        [size] = struct.unpack_from(">I", content, at)
        kind = content[at + 4 : at + 8]
        yield at, kind, content[at + 8 : at + 8 + size]
        if kind == until:
            return
        at += 12 + size


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _in_webp(content: bytes, said: Said) -> bytes:
    end = min(8 + struct.unpack_from("<I", content, 4)[0], len(content))
    parts: list[tuple[bytes, bytes]] = []
    at, before = 12, b""
    while at + 8 <= end:
        if len(parts) > blanking.MOST_PARTS:
            raise NotWrittenError("it has too many parts")
        kind, size = content[at : at + 4], struct.unpack_from("<I", content, at + 4)[0]
        body = content[at + 8 : at + 8 + size]
        if kind == b"XMP ":
            before = body
        else:
            parts.append((kind, patched(body, said) if kind == b"EXIF" else body))
        at += 8 + size + size % 2
    if parts[0][0] == b"VP8X":
        flags = bytearray(parts.pop(0)[1])
    else:  # a simple one, which is given the header of those with more in them
        with Image.open(io.BytesIO(content), formats=["WEBP"]) as image:
            width, height = (side - 1 for side in image.size)
            alpha = 0b10000 if image.mode == "RGBA" else 0
        flags = bytearray([alpha, 0, 0, 0]) + width.to_bytes(3, "little") + height.to_bytes(3, "little")
    flags[0] |= 0b0100
    if said.turn and not any(kind == b"EXIF" for kind, _ in parts):
        said = replace(said, is_turn_new=True)
        flags[0] |= 0b1000
        parts.append((b"EXIF", _new_exif(said)))
    parts = [(b"VP8X", bytes(flags)), *parts, (b"XMP ", packet(said, before))]
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(own)) + own + b"\0" * (len(own) % 2) for kind, own in parts
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _new_exif(said: Said) -> bytes:
    """A TIFF structure that says how the picture is turned, and nothing else."""
    entry = struct.pack("<HHIHH", _ORIENTATION, 3, 1, _QUARTERS[0][said.turn % 4], 0)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)


def patched(exif: bytes, said: Said) -> bytes:
    """Put a corrected date and a turn into the fields of a TIFF structure that hold them, in place."""
    data = bytearray(exif)
    order = "<" if data[:2] == b"II" else ">"
    [first] = struct.unpack_from(order + "I", data, 4)
    waiting = [first]
    for directory in waiting:
        [count] = struct.unpack_from(order + "H", data, directory)
        for entry in range(directory + 2, directory + 2 + 12 * min(count, 500), 12):
            tag, kind, number, value = struct.unpack_from(order + "HHII", data, entry)
            if tag == _EXIF and len(waiting) == 1:
                waiting.append(value)
            elif tag in _DATES and said.is_date_corrected:
                _patch_date(data, tag, entry, number, value, said)
            elif tag == _ORIENTATION and kind == 3 and said.turn:
                [now] = struct.unpack_from(order + "H", data, entry + 8)
                struct.pack_into(order + "H", data, entry + 8, _turned(now, said.turn))
    return bytes(data)


def _patch_date(data: bytearray, tag: int, entry: int, number: int, value: int, said: Said) -> None:
    """Write the date; what says its fraction or its offset is of the old one, and is emptied."""
    at = entry + 8 if number <= 4 else value
    if at + number > len(data):
        raise ValueError("a value lies outside of the file")
    if tag in (_TAKEN, _DIGITIZED):
        if number == 20:
            data[at : at + 20] = _exif_date(said)
    elif number:
        data[at : at + number] = b" " * (number - 1) + b"\0"


def _exif_date(said: Said) -> bytes:
    if said.taken is None:
        return b"    :  :     :  :  \0"
    # Of a day the midnight: programs pass over a date whose hours are blank.
    form = {dates.YEAR: "%Y:00:00 00:00:00", dates.MONTH: "%Y:%m:00 00:00:00", dates.DAY: "%Y:%m:%d 00:00:00"}
    return said.taken.strftime(form.get(said.precision, "%Y:%m:%d %H:%M:%S")).encode() + b"\0"


def _turned(orientation: int, quarters: int) -> int:
    for row in _QUARTERS:
        if orientation in row:
            return row[(row.index(orientation) + quarters) % 4]
    return _QUARTERS[0][quarters % 4]
