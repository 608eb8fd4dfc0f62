"""Where a picture was taken, from its EXIF. How that is taken out of a copy of its file: blanking.py."""

from typing import Any

from PIL import Image as Pillow

GPS = 0x8825  # the tag that points to the GPS directory


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
