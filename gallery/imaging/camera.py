"""What a camera wrote into a file about how a picture was taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

LONGEST = 80  # characters of one value: files come from strangers
LARGEST = 1e6


@dataclass(frozen=True)
class CameraFacts:
    """Camera, lens and exposure; '' or None where the file does not say."""

    camera: str = ""
    lens: str = ""
    exposure: float | None = None  # seconds
    aperture: float | None = None  # f-number
    focal_length: float | None = None  # millimetres
    iso: float | None = None


def read(exif: Image.Exif) -> CameraFacts:
    """Read the facts from EXIF; nonsense counts as not said."""
    tags = ExifTags.Base
    details: Mapping[int, Any] = exif.get_ifd(ExifTags.IFD.Exif)
    make, model = _text(exif.get(tags.Make)), _text(exif.get(tags.Model))
    return CameraFacts(
        camera=(model if model.lower().startswith(make.lower()) else f"{make} {model}".strip())[:LONGEST],
        lens=_text(details.get(tags.LensModel)),
        exposure=_number(details.get(tags.ExposureTime)),
        aperture=_number(details.get(tags.FNumber)),
        focal_length=_number(details.get(tags.FocalLength)),
        iso=_number(details.get(tags.ISOSpeedRatings)),
    )


def _text(value: object) -> str:
    text = "".join(c for c in str(value or "") if c.isprintable()).strip()
    return text[:LONGEST]


def _number(value: Any) -> float | None:
    try:
        number = float(value[0] if isinstance(value, tuple) else value)
    except (TypeError, ValueError, ZeroDivisionError, IndexError, OverflowError):
        return None
    return number if 0 < number < LARGEST else None
