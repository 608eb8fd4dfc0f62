"""What a file says of itself, read once, when it comes in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from defusedxml import ElementTree
from PIL import Image, IptcImagePlugin

from gallery.imaging import camera, dates, pixels, places
from gallery.imaging.camera import CameraFacts
from gallery.imaging.dates import Moment

VERSION = 2  # of what is read; pictures that were read by an earlier one are read again in the background
LARGEST_XMP = 2_000_000  # bytes; more is nobody's


@dataclass(frozen=True)
class Facts:
    """What a file's content says about itself; width and height in pixels, upright."""

    format: str
    width: int
    height: int
    taken: Moment | None = None
    location: tuple[float, float] | None = None  # degrees north and east
    camera: CameraFacts = field(default_factory=CameraFacts)


def read(image: Image.Image) -> Facts:
    """Read the facts of an opened picture; broken metadata is no reason to refuse a good picture."""
    size = image.size[::-1] if _or(False, pixels.is_turned, image) else image.size
    exif = _or(Image.Exif(), image.getexif)
    xmp = _or({}, xmp_properties, image)
    iptc = _or({}, IptcImagePlugin.getiptcinfo, image) or {}
    return Facts(
        pixels.format_of(image),
        *size,
        taken=_or(None, dates.read, image, exif, xmp, iptc),
        location=_or(None, places.read, image),
        camera=_or(CameraFacts(), camera.read, exif),
    )


def _or(default: Any, read: Any, *arguments: Any) -> Any:
    """Return what `read` does, or the default where it fails: hostile bytes make Pillow raise anything."""
    try:
        return read(*arguments)
    except Exception:
        return default


def xmp_properties(image: Image.Image) -> Mapping[str, str]:
    """Read the simple properties of the picture's XMP by local name, be they attributes or elements."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    packet = packet.encode() if isinstance(packet, str) else bytes(packet)
    if not packet or len(packet) > LARGEST_XMP:
        return {}
    properties: dict[str, str] = {}
    for element in ElementTree.fromstring(packet.strip(b"\0 \n")).iter():
        for name, value in element.attrib.items():
            properties.setdefault(name.rpartition("}")[2], value)
        if element.text and element.text.strip():
            properties.setdefault(element.tag.rpartition("}")[2], element.text.strip())
    return properties


def to_json(facts: Facts) -> dict[str, Any]:
    """Write the facts as plain data."""
    plain = asdict(facts)
    if facts.taken:
        plain["taken"] = [facts.taken.local.isoformat(), facts.taken.offset]
    return plain


def from_json(plain: Mapping[str, Any]) -> Facts:
    """Read what to_json wrote."""
    taken, location = plain["taken"], plain["location"]
    return Facts(
        str(plain["format"]),
        int(plain["width"]),
        int(plain["height"]),
        Moment(datetime.fromisoformat(taken[0]), taken[1]) if taken else None,
        (float(location[0]), float(location[1])) if location else None,
        CameraFacts(**plain["camera"]),
    )
