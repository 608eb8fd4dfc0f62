"""When a picture was taken, from whatever in its file says so.

The first readable of EXIF original, EXIF digitized, XMP, IPTC, PNG text, GPS time and EXIF DateTime counts.
The camera's clock is kept as it was: local time, and its distance from UTC where the file tells.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
_PARTIAL = re.compile(r"(\d{4})(?:[-:/.](\d{1,2}))?(?:[-:/.]0{1,2}(?:[T ]+0?0:00(?::00)?)?)?")
_COMPACT_PARTIAL = re.compile(r"(\d{4})(\d{2})00")
# A day, and perhaps a time, that stand apart from other digits.
_IN_NAME = re.compile(
    r"(?<!\d)(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})"
    r"(?:(?:[-_. T]|\s+at\s+)+(\d{2})[-_.:h]?(\d{2})[-_.:m]?(\d{2}))?(?!\d{4})"
)
FIRST_DIGITAL = 1990
DAY, MONTH, YEAR = "day", "month", "year"
FORMS = {DAY: "%Y-%m-%d", MONTH: "%Y-%m", YEAR: "%Y"}  # how they are written, by people and by XMP
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})")


@dataclass(frozen=True)
class Moment:
    """What a clock showed: local time without a zone, and minutes ahead of UTC where that is known."""

    local: datetime
    offset: int | None = None
    precision: str = ""  # DAY, MONTH or YEAR where no more is known
    is_guess: bool = False  # by the file's name or its own time

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
            day = of_xmp(xmp)  # EXIF cannot say that the hour is not known; XMP beside it can
            return day if day and day.precision == DAY and moment == Moment(day.local) else moment
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
    yield of_xmp(xmp)
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
    if match := _PARTIAL.fullmatch(written) or _COMPACT_PARTIAL.fullmatch(written.split("T")[0]):
        return _partial(*match.groups())
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
    if match.group(4) is None:
        return Moment(local, precision=DAY)
    return Moment(local, _minutes(inside_offset or _text(offset)))


def of_xmp(xmp: Mapping[str, str]) -> Moment | None:
    """Read the first readable date of XMP's simple properties."""
    return next(filter(None, (parse(xmp.get(name)) for name in XMP_NAMES)), None)


def _partial(year: str, month: str | None) -> Moment | None:
    """Read a year, or a year and a month: all that is known of many a scan."""
    number = int(month or 0)
    if not EARLIEST < int(year) < LATEST or number > 12:
        return None
    return Moment(datetime(int(year), number or 1, 1), precision=MONTH if number else YEAR)


def of_name(name: str) -> Moment | None:
    """Guess from a file's name, as cameras, phones and messengers give it: IMG_20191104_094433."""
    for found in _IN_NAME.finditer(name):
        moment = parse("-".join(found.group(1, 2, 3)) + _time_of(found.group(4, 5, 6)))
        if moment and FIRST_DIGITAL <= moment.local.year <= datetime.now().year + 1:
            return replace(moment, is_guess=True)
    return None


def _time_of(parts: tuple[str | None, ...]) -> str:
    hour, minute, second = (int(part or 0) for part in parts)
    return f" {hour:02}:{minute:02}:{second:02}" if hour < 24 and minute < 60 and second < 60 else ""


def of_file(modified: float) -> Moment | None:
    """Guess from the file's own time, in seconds since 1970."""
    try:
        local = datetime.fromtimestamp(modified)
    except (ValueError, OverflowError, OSError):
        return None
    return Moment(local, is_guess=True) if local.year > 1970 else None


def guess(name: str, modified: float | None) -> Moment | None:
    """Guess by the file's name, or else by its own time, in seconds since 1970; None where neither tells."""
    return of_name(name) or (None if modified is None else of_file(modified))


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
