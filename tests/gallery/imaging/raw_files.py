"""Raw files drawn for the tests: a mosaic of a red, a green and a blue stripe, in the layout of a DNG."""

import io
import struct

import numpy as np
from PIL import Image

SHORT, LONG, ASCII, BYTE, RATIONAL = 3, 4, 2, 1, 10


def dng(
    width: int = 480, height: int = 320, orientation: int = 1, preview: tuple[int, int] | None = None,
    taken: str = "2024:05:17 10:00:00", make: str = "Picfusion", version: bool = True,
    head: bytes = b"",
) -> bytes:  # fmt: skip
    """A DNG with uncompressed 16-bit samples; with `preview`, a JPEG of that size, yellow, beside them.

    Without `version` it is what other cameras write, by its make; `head` stands before the first directory.
    """
    mosaic = np.full((height, width), 400, np.uint16)
    third = width // 3
    mosaic[0::2, 0:third:2] = 60000  # red cells of the left third
    mosaic[0::2, third + 1 : 2 * third : 2] = 60000  # green ones
    mosaic[1::2, third : 2 * third : 2] = 60000
    mosaic[1::2, 2 * third + 1 :: 2] = 60000  # blue ones
    pixels = mosaic.tobytes()
    jpeg = _jpeg(preview) if preview else b""
    identity = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    raw_tags = [
        (254, LONG, [0]), (256, LONG, [width]), (257, LONG, [height]), (258, SHORT, [16]), (259, SHORT, [1]),
        (262, SHORT, [32803]), (273, LONG, ["pixels"]), (277, SHORT, [1]), (278, LONG, [height]),
        (33421, SHORT, [2, 2]),
        (279, LONG, [len(pixels)]), (33422, BYTE, [0, 1, 1, 2]), (50714, SHORT, [400]),
        (50717, LONG, [60000]),
    ]  # fmt: skip
    about = [
        (271, ASCII, make), (272, ASCII, "Drawn"), (274, SHORT, [orientation]), (306, ASCII, taken),
        *([(50706, BYTE, [1, 4, 0, 0])] if version else []),
        (50708, ASCII, f"{make} Drawn"), (50721, RATIONAL, identity), (50728, RATIONAL, [1, 1, 1]),
    ]  # fmt: skip
    if not preview:
        return _file([[*raw_tags, *about]], {"pixels": pixels}, head)
    shown = [
        (254, LONG, [1]), (256, LONG, [preview[0]]), (257, LONG, [preview[1]]), (258, SHORT, [8, 8, 8]),
        (259, SHORT, [7]), (262, SHORT, [6]), (273, LONG, ["jpeg"]), (277, SHORT, [3]),
        (278, LONG, [preview[1]]), (279, LONG, [len(jpeg)]), (330, LONG, ["directory 1"]),
    ]  # fmt: skip
    return _file([[*shown, *about], raw_tags], {"pixels": pixels, "jpeg": jpeg})


def of_cameras() -> dict[str, bytes]:
    """A small file of each maker's format that LibRaw develops."""
    makes = {"NEF": "NIKON CORPORATION", "ARW": "SONY", "RAW": "Pentax"}
    files = {name: dng(96, 64, make=make, version=False) for name, make in makes.items()}
    return files | {
        "CR2": dng(96, 64, make="Canon", version=False, head=b"CR\2\0\0\0\0\0"),
        "RAF": _raf(96, 64),
    }


def _raf(width: int, height: int) -> bytes:
    """Fuji's: a JPEG, a list of sizes and the samples, each where the header says."""
    jpeg, samples = _jpeg((48, 32)), np.full((height, width), 400, "<u2").tobytes()
    sizes = [struct.pack(">4H", tag, 4, height, width) for tag in (0x100, 0x110, 0x111, 0x121)]
    listed = struct.pack(">I", len(sizes)) + b"".join(sizes)
    start = b"FUJIFILMCCD-RAW 0201FF389501" + b"X-T1".ljust(32, b"\0") + b"0100".ljust(24, b"\0")
    places = np.cumsum([148, len(jpeg), len(listed)])
    parts = zip(places, (jpeg, listed, samples), strict=True)
    where = b"".join(struct.pack(">II", place, len(part)) for place, part in parts)
    return (start + where).ljust(148, b"\0") + jpeg + listed + samples


def only_begun() -> dict[str, bytes]:
    """What begins like the formats that cannot be drawn in a few lines: their readers start, and give up."""
    olympus = bytearray(dng(96, 64, make="OLYMPUS IMAGING CORP.", version=False))
    panasonic = bytearray(dng(96, 64, make="Panasonic", version=False))
    olympus[:4], panasonic[:4] = b"IIRO", b"IIU\0"
    told = dng(96, 64, make="Canon", version=False)[:600]
    canon = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48") + _box(b"CMT1", told)
    boxes = _box(b"ftyp", b"crx \0\0\0\1crx isom") + _box(b"moov", _box(b"uuid", canon))
    return {"ORF": bytes(olympus), "RW2": bytes(panasonic), "CR3": boxes + _box(b"mdat", bytes(3000))}


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, name) + content


def _jpeg(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (230, 220, 20)).save(buffer, "JPEG")
    return buffer.getvalue()


def _file(directories: list[list[tuple]], blobs: dict[str, bytes], head: bytes = b"") -> bytes:
    """A little-endian TIFF; a value that is a name stands for where that lies."""
    lengths = [2 + 12 * len(tags) + 4 for tags in directories]
    first = 8 + len(head)
    places, at = {}, first
    for number, length in enumerate(lengths):
        places[f"directory {number}"] = at
        at += length
    values_at = at
    packed = [
        [(tag, kind, *_packed(kind, value)) for tag, kind, value in sorted(tags)] for tags in directories
    ]
    at += sum(
        len(data) + 1 for tags in packed for *_, data in tags if isinstance(data, bytes) and len(data) > 4
    )
    for name, content in blobs.items():
        at += at % 2
        places[name] = at
        at += len(content)
    out = bytearray(struct.pack("<2sHI", b"II", 42, first)) + head + bytes(at - first)
    for number, tags in enumerate(packed):
        start = places[f"directory {number}"]
        struct.pack_into("<H", out, start, len(tags))
        for i, (tag, kind, count, data) in enumerate(tags):
            if isinstance(data, str):
                data = struct.pack("<I", places[data])
            if len(data) > 4:
                out[values_at : values_at + len(data)] = data
                data, values_at = struct.pack("<I", values_at), values_at + len(data) + len(data) % 2
            out[start + 2 + 12 * i : start + 14 + 12 * i] = struct.pack(
                "<HHI", tag, kind, count
            ) + data.ljust(4, b"\0")
    for name, content in blobs.items():
        out[places[name] : places[name] + len(content)] = content
    return bytes(out)


def _packed(kind: int, value) -> tuple[int, bytes | str]:
    if kind == ASCII:
        return len(value) + 1, value.encode() + b"\0"
    if isinstance(value[0], str):
        return 1, value[0]
    form = {BYTE: "B", SHORT: "H", LONG: "I"}.get(kind)
    data = b"".join(
        struct.pack("<ii", own, 1) if form is None else struct.pack(f"<{form}", own) for own in value
    )
    return len(value), data
