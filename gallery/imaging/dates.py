"""When a picture was taken, from whatever in its file says so.

The first readable of EXIF original, EXIF digitized, XMP, IPTC, PNG text, GPS time and EXIF DateTime counts.
The camera's clock is kept as it was: local time, and its distance from UTC where the file tells.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from PIL import ExifTags, Image

EARLIEST, LATEST = 1800, 9000  # years that pictures may be of; the calendar's ends cannot change time zones
XMP_NAMES = ("DateTimeOriginal", "DateCreated", "DateTimeDigitized", "CreateDate")
_DATE = re.compile(
    r"(\d{4})[-:/.](\d{1,2})[-:/.](\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})[T ]?(?:(\d{2})(\d{2})(\d{2}))?\s*(Z|[+-]\d{4})?")
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})")


@dataclass(frozen=True)
class Moment:
    """What a clock showed: local time without a zone, and minutes ahead of UTC where that is known."""

    local: datetime
    offset: int | None = None

    def at(self, default: Any) -> datetime:
        """Give the moment with a time zone: its own, or else `default`."""
        if self.offset is None:
            return self.local.replace(tzinfo=default)
        return self.local.replace(tzinfo=timezone(timedelta(minutes=self.offset)))


def read(
    image: Image.Image, exif: Image.Exif, xmp: Mapping[str, str], iptc: Mapping[Any, Any]
) -> Moment | None:
    """Find when the picture was taken; None where nothing readable says so.

    xmp holds simple XMP properties by their local name, iptc what Pillow reads as IPTC-IIM.
    """
    for moment in _candidates(image, exif, xmp, iptc):
        if moment:
            return moment
    return None


def _candidates(
    image: Image.Image, exif: Image.Exif, xmp: Mapping[str, str], iptc: Mapping[Any, Any]
) -> Iterator[Moment | None]:
    tags = ExifTags.Base
    details = exif.get_ifd(ExifTags.IFD.Exif)
    general = details.get(tags.OffsetTime)
    for date, fraction, offset in (
        (tags.DateTimeOriginal, tags.SubsecTimeOriginal, tags.OffsetTimeOriginal),
        (tags.DateTimeDigitized, tags.SubsecTimeDigitized, tags.OffsetTimeDigitized),
    ):
        yield parse(details.get(date), details.get(fraction), details.get(offset) or general)
    for name in XMP_NAMES:
        yield parse(xmp.get(name))
    yield _of_iptc(iptc)
    yield parse(image.info.get("Creation Time") or image.info.get("creation time"))
    yield _of_gps(exif.get_ifd(ExifTags.IFD.GPSInfo))
    yield parse(exif.get(tags.DateTime), details.get(tags.SubsecTime), general)


def parse(text: object, fraction: object = None, offset: object = None) -> Moment | None:
    """Read a date as programs write it.

    Fractions, an offset inside or beside it, T, dashes, slashes, no seconds.

    None where it is not one, or where no camera can have meant it (0000:00:00, a month 13).
    """
    written = _text(text)
    match = _DATE.match(written)
    if match:
        year, month, day, hour, minute, second, inside_fraction, inside_offset = match.groups()
    elif match := _COMPACT.fullmatch(written):
        year, month, day, hour, minute, second, inside_offset = match.groups()
        inside_fraction = None
    else:
        return None
    year, month, day, hour, minute, second = (
        int(part or 0) for part in (year, month, day, hour, minute, second)
    )
    digits = re.sub(r"\D", "", inside_fraction or _text(fraction))
    try:
        local = datetime(year, month, day, hour, minute, second, int((digits + "000000")[:6]))
    except ValueError:
        return None
    if not EARLIEST < local.year < LATEST:
        return None
    return Moment(local, _minutes(inside_offset or _text(offset)))


def _of_iptc(iptc: Mapping[Any, Any]) -> Moment | None:
    date, time = _text(iptc.get((2, 55))), _text(iptc.get((2, 60)))
    return parse(f"{date}T{time}") if time else parse(date)


def _of_gps(gps: Mapping[int, Any]) -> Moment | None:
    """GPS clocks show UTC."""
    date, time = _text(gps.get(ExifTags.GPS.GPSDateStamp)), gps.get(ExifTags.GPS.GPSTimeStamp)
    try:
        hour, minute, second = (int(float(part)) for part in time)  # type: ignore[union-attr]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return parse(f"{date} {hour:02}:{minute:02}:{second:02}Z")


def _minutes(offset: str) -> int | None:
    match = _OFFSET.fullmatch(offset.strip())
    if not match:
        return None
    if match[1] == "Z":
        return 0
    hours, minutes = int(match[1][1:3]), int(match[1][-2:])
    ahead = hours * 60 + minutes
    if ahead >= 24 * 60:
        return None
    return -ahead if match[1][0] == "-" else ahead


def _text(value: object) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
    return text[:64].strip("\0 ")
