"""Raw files drawn for the tests: a mosaic of a red, a green and a blue stripe, in the layout of a DNG."""

import io
import struct

import numpy as np
from PIL import Image

SHORT, LONG, ASCII, BYTE, RATIONAL = 3, 4, 2, 1, 10


def dng(
    width: int = 480, height: int = 320, orientation: int = 1, preview: tuple[int, int] | None = None,
    taken: str = "2024:05:17 10:00:00", make: str = "Picfusion", version: bool = True,
) -> bytes:  # fmt: skip
    """A DNG with uncompressed 16-bit samples; with `preview`, a JPEG of that size, yellow, beside them."""
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
        return _file([[*raw_tags, *about]], {"pixels": pixels})
    shown = [
        (254, LONG, [1]), (256, LONG, [preview[0]]), (257, LONG, [preview[1]]), (258, SHORT, [8, 8, 8]),
        (259, SHORT, [7]), (262, SHORT, [6]), (273, LONG, ["jpeg"]), (277, SHORT, [3]),
        (278, LONG, [preview[1]]), (279, LONG, [len(jpeg)]), (330, LONG, ["directory 1"]),
    ]  # fmt: skip
    return _file([[*shown, *about], raw_tags], {"pixels": pixels, "jpeg": jpeg})


def _jpeg(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (230, 220, 20)).save(buffer, "JPEG")
    return buffer.getvalue()


def _file(directories: list[list[tuple]], blobs: dict[str, bytes]) -> bytes:
    """A little-endian TIFF; a value that is a name stands for where that lies."""
    lengths = [2 + 12 * len(tags) + 4 for tags in directories]
    places, at = {}, 8
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
    out = bytearray(struct.pack("<2sHI", b"II", 42, 8)) + bytes(at - 8)
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
