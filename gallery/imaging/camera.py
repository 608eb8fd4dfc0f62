"""What a camera wrote into a file about how a picture was taken."""

from fractions import Fraction

from django.core.files import File
from django.utils.translation import gettext as _
from PIL import ExifTags

from gallery.imaging import pixels

LONGEST = 80  # characters of one value: files come from strangers


def read(original: File) -> list[tuple[str, str]]:
    """(label, value) of what the file says: camera, lens, exposure. Empty where it says nothing or cannot be
    read."""
    try:
        with pixels.open_header(original.path) as image:
            exif = image.getexif()
            details = exif.get_ifd(ExifTags.IFD.Exif)
    except Exception:  # Pillow raises nearly anything on hostile bytes; the picture is shown all the same.
        return []
    tags = ExifTags.Base
    make, model = _text(exif.get(tags.Make)), _text(exif.get(tags.Model))
    found = [
        (_("Camera"), model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()),
        (_("Lens"), _text(details.get(tags.LensModel))),
        (_("Exposure"), _number(details.get(tags.ExposureTime), _exposure)),
        (_("Aperture"), _number(details.get(tags.FNumber), lambda value: f"f/{value:g}")),
        (_("Focal length"), _number(details.get(tags.FocalLength), lambda value: f"{value:g} mm")),
        ("ISO", _number(details.get(tags.ISOSpeedRatings), lambda value: f"{value:g}")),
    ]
    return [(label, value) for label, value in found if value]


def _text(value) -> str:
    text = "".join(c for c in str(value or "") if c.isprintable()).strip()
    return text[:LONGEST]


def _number(value, written) -> str:
    try:
        number = float(value[0] if isinstance(value, tuple) else value)
    except (TypeError, ValueError, ZeroDivisionError, IndexError):
        return ""
    return written(round(number, 4)) if 0 < number < 1e6 else ""


def _exposure(seconds: float) -> str:
    """1/250 s below a second."""
    if seconds >= 1:
        return f"{seconds:g} s"
    nearest = Fraction(1, max(round(1 / seconds), 1))
    return f"{nearest} s"
