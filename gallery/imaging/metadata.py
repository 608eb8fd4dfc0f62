"""What a file says of itself, read once, when it comes in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from PIL import Image, IptcImagePlugin

from gallery.imaging import camera, dates, pixels, places, written
from gallery.imaging import xmp as xmp_module
from gallery.imaging.camera import CameraFacts
from gallery.imaging.dates import Moment
from gallery.imaging.written import Written
from gallery.imaging.xmp import Xmp

RATED_SINCE = 3  # the version that first read ratings
VERSION = 3  # of what is read; pictures that were read by an earlier one are read again in the background


@dataclass(frozen=True)
class Facts:
    """What a file's content says about itself; width and height in pixels, upright."""

    format: str
    width: int
    height: int
    taken: Moment | None = None
    location: tuple[float, float] | None = None  # degrees north and east
    camera: CameraFacts = field(default_factory=CameraFacts)
    written: Written = field(default_factory=Written)
    is_cut_off: bool = False  # its end is missing


@dataclass(frozen=True)
class Beside:
    """What a file beside a picture says of it."""

    taken: Moment | None = None
    location: tuple[float, float] | None = None
    written: Written = field(default_factory=Written)


def read(image: Image.Image) -> Facts:
    """Read the facts of an opened picture; broken metadata is no reason to refuse a good picture."""
    size = image.size[::-1] if _or(False, pixels.is_turned, image) else image.size
    exif = _or(Image.Exif(), image.getexif)
    xmp = _or(Xmp(), xmp_module.of_picture, image)
    iptc = _or({}, IptcImagePlugin.getiptcinfo, image) or {}
    return Facts(
        pixels.format_of(image),
        *size,
        taken=_or(None, dates.read, image, exif, xmp.simple, iptc),
        location=_or(None, places.read, exif) or _or(None, places.of_xmp, xmp.simple),
        camera=_or(CameraFacts(), camera.read, exif),
        written=_or(Written(), written.read, image.info, exif, xmp, iptc),
    )


def read_sidecar(content: bytes) -> "Beside":
    """Read an XMP file that lies beside a picture; nothing of one that cannot be read."""
    xmp = _or(Xmp(), xmp_module.parse, content)
    return Beside(
        dates.of_xmp(xmp.simple),
        _or(None, places.of_xmp, xmp.simple),
        _or(Written(), written.of_sidecar, xmp),
    )


def _or(default: Any, read: Any, *arguments: Any) -> Any:
    """Return what `read` does, or the default where it fails: hostile bytes make Pillow raise anything."""
    try:
        return read(*arguments)
    except Exception:
        return default


def to_json(facts: Facts) -> dict[str, Any]:
    """Write the facts as plain data."""
    plain = asdict(facts)
    if facts.taken:
        plain["taken"]["local"] = facts.taken.local.isoformat()
    return plain


def from_json(plain: Mapping[str, Any]) -> Facts:
    """Read what to_json wrote."""
    taken, location = plain["taken"], plain["location"]
    return Facts(
        str(plain["format"]),
        int(plain["width"]),
        int(plain["height"]),
        Moment(**{**taken, "local": datetime.fromisoformat(taken["local"])}) if taken else None,
        (float(location[0]), float(location[1])) if location else None,
        CameraFacts(**plain["camera"]),
        Written(**{**plain["written"], "keywords": tuple(plain["written"]["keywords"])}),
        bool(plain["is_cut_off"]),
    )
