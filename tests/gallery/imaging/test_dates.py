"""When a picture was taken, in every way that programs write it."""

import io
from datetime import datetime

import pytest
from PIL import ExifTags, PngImagePlugin
from PIL import Image as Pillow

from gallery.imaging import dates, metadata, pixels
from gallery.imaging.dates import Moment
from tests.conftest import drawn, encoded

NOON = datetime(2024, 5, 17, 10, 0, 0)
BASE, IFD = ExifTags.Base, ExifTags.IFD


def facts_of(content: bytes):
    with pixels.open_header(io.BytesIO(content)) as image:
        return metadata.read(image)


def with_exif(details=(), general=(), gps=(), **options) -> bytes:
    exif = Pillow.Exif()
    exif.update(dict(general))
    exif.get_ifd(IFD.Exif).update(dict(details))
    exif.get_ifd(IFD.GPSInfo).update(dict(gps))
    return encoded(drawn(), "JPEG", exif=exif, **options)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024:05:17 10:00:00", Moment(NOON)),
        ("2024-05-17T10:00:00", Moment(NOON)),
        ("2024/05/17 10:00", Moment(NOON)),
        ("2024:05:17 10:00:00.123", Moment(NOON.replace(microsecond=123000))),
        ("2024:05:17 10:00:00,5", Moment(NOON.replace(microsecond=500000))),
        ("2024:05:17 10:00:00+02:00", Moment(NOON, 120)),
        ("2024-05-17T10:00:00-0330", Moment(NOON, -210)),
        ("2024-05-17T10:00:00Z", Moment(NOON, 0)),
        ("20240517T100000+0000", Moment(NOON, 0)),
        ("2024-05-17", Moment(datetime(2024, 5, 17), precision=dates.DAY)),
        ("2024:05:17 10:00:00\0", Moment(NOON)),
        ("0000:00:00 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("2024:13:17 10:00:00", None),
        ("0001:01:01 00:00:00", None),
        ("", None),
        ("yesterday", None),
        ("9" * 5000, None),
    ],
)
def test_every_way_of_writing_it(text, moment):
    assert dates.parse(text) == moment


def test_fraction_and_offset_beside_it():
    assert dates.parse("2024:05:17 10:00:00", "07", "+05:30") == Moment(NOON.replace(microsecond=70000), 330)


@pytest.mark.parametrize(
    ("content", "moment"),
    [
        (
            with_exif({BASE.DateTimeOriginal: "2024:05:17 10:00:00", BASE.OffsetTime: "+01:00"}),
            Moment(NOON, 60),
        ),
        (
            with_exif(
                {BASE.DateTimeOriginal: "0000:00:00 00:00:00", BASE.DateTimeDigitized: "2024:05:17 10:00:00"},
                {BASE.DateTime: "2025:01:01 00:00:00"},
            ),
            Moment(NOON),
        ),
        (with_exif(general={BASE.DateTime: "2024:05:17 10:00:00"}), Moment(NOON)),
        (
            with_exif(
                general={BASE.DateTime: "2025:01:01 00:00:00"},
                xmp=b'<x xmlns:x="a:b" xmlns:p="c:d"><p:D p:CreateDate="2024-05-17T10:00:00"/></x>',
            ),
            Moment(NOON),
        ),
        (
            with_exif(
                gps={ExifTags.GPS.GPSDateStamp: "2024:05:17", ExifTags.GPS.GPSTimeStamp: (10.0, 0.0, 0.0)}
            ),
            Moment(NOON, 0),
        ),
    ],
)
def test_an_unreadable_one_never_hides_the_next(content, moment):
    assert facts_of(content).taken == moment


def test_png_text():
    text = PngImagePlugin.PngInfo()
    text.add_text("Creation Time", "2024:05:17 10:00:00")
    assert facts_of(encoded(drawn(), "PNG", pnginfo=text)).taken == Moment(NOON)


@pytest.mark.parametrize("packet", [b"<x", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"\xff" * 100])
def test_broken_xmp_says_nothing(packet):
    content = with_exif(general={BASE.DateTime: "2024:05:17 10:00:00"}, xmp=packet)
    assert facts_of(content).taken == Moment(NOON)


@pytest.mark.parametrize(("written", "precision"), [("1987-06-05", dates.DAY), ("1987-06-06", "")])
def test_xmp_says_that_exif_does_not_know_the_hour(written, precision):
    """EXIF has no date without a time: what is exported with one is read back without it."""
    packet = f'<x xmlns:x="a:b" xmlns:p="c:d"><p:D p:DateCreated="{written}"/></x>'.encode()
    content = with_exif({BASE.DateTimeOriginal: "1987:06:05 00:00:00"}, xmp=packet)
    assert facts_of(content).taken == Moment(datetime(1987, 6, 5), precision=precision)
