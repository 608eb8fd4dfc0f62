"""Where a picture was taken, from its EXIF, and what the place is called.

How that is taken out of a copy of its file: blanking.py.
"""

from collections.abc import Mapping
from math import cos, hypot, radians
from typing import Any

from PIL import Image as Pillow

GPS = 0x8825  # the tag that points to the GPS directory
KM_PER_DEGREE = 111.2
NEAR = 100  # km: what is farther from any town has no name
CITY = 100_000  # people of a town that its surroundings go by the name of, too
AROUND_CITY = 20  # km


def read(exif: Pillow.Exif) -> tuple[float, float] | None:
    """Degrees north and east, from a picture's EXIF.

    None where it does not say or what it says is nowhere.
    """
    gps = exif.get_ifd(GPS)
    try:
        north, east = _degrees(gps[2]), _degrees(gps[4])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, IndexError):
        return None
    north *= -1 if str(gps.get(1, "N")).strip("\0 ").upper() == "S" else 1
    east *= -1 if str(gps.get(3, "E")).strip("\0 ").upper() == "W" else 1
    return on_earth(north, east)


def of_xmp(xmp: Mapping[str, str]) -> tuple[float, float] | None:
    """Degrees north and east, from XMP's exif:GPSLatitude and GPSLongitude: '48,30.5N', or plain degrees."""
    try:
        return on_earth(_xmp_degrees(xmp["GPSLatitude"]), _xmp_degrees(xmp["GPSLongitude"]))
    except (KeyError, ValueError):
        return None


def _xmp_degrees(text: str) -> float:
    text = text.strip().upper()
    parts = [float(part) for part in text.rstrip("NESW").split(",")[:3]]
    degrees = sum(part / float(60**i) for i, part in enumerate(parts))
    return -degrees if text.endswith(("S", "W")) else degrees


def on_earth(north: float, east: float) -> tuple[float, float] | None:
    """Return the degrees; None for what is not on earth, and for 0, 0, which cameras write for nothing."""
    is_there = -90 <= north <= 90 and -180 <= east <= 180  # False for what is not a number, too
    return (north, east) if is_there and (north, east) != (0, 0) else None


def _degrees(value: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in value)
    return degrees + minutes / 60 + seconds / 3600


def name_of(north: float, east: float) -> str:
    """Name the place at these degrees: 'Vanves, Paris, Île-de-France, France'; '' far from any town.

    By GeoNames' towns of 1,000 people and more, which come inside reverse_geocode (CC BY 4.0).
    """
    import reverse_geocode  # 170 MB: where it is needed

    here = (north, east)
    town = reverse_geocode.get(here)
    if _distance(here, town) > NEAR:
        return ""
    city = reverse_geocode.get(here, min_population=CITY)
    names = [town["city"], city["city"] if _distance(here, city) <= AROUND_CITY else ""]
    names += [town.get("state") or "", town["country"]]
    return ", ".join(dict.fromkeys(name for name in names if name))[:200]


def _distance(here: tuple[float, float], town: dict[str, Any]) -> float:
    """In km, nearly right for short ones."""
    north, east = town["latitude"] - here[0], town["longitude"] - here[1]
    east = (east + 180) % 360 - 180
    return KM_PER_DEGREE * hypot(north, east * cos(radians(here[0])))
