"""The place is taken out of files: of every kind, from wherever it stands, and hostile files cost little."""

import contextlib
import io
import json
import shutil
import struct
import subprocess
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import PngImagePlugin, features

from gallery.imaging import blanking, pixels
from tests.conftest import demo_path, drawn, encoded
from tests.gallery.imaging.test_places import photo_at, place_of

FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"]
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:p="http://ns.adobe.com/photoshop/1.0/"
exif:GPSLatitude="42,30.25N" exif:GPSLongitude="9,6.01W" p:City="Testville"/></rdf:RDF></x:xmpmeta>"""
SECRETS = (b"42,30.25N", b"Testville", b"ftypmp42")


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def with_segments(content: bytes, *segments: bytes) -> bytes:
    """A JPEG with these segments behind its first two bytes."""
    return content[:2] + b"".join(segments) + content[2:]


def exiftool_says(content: bytes, tmp_path) -> dict:
    """Everything that exiftool finds, in embedded files too."""
    path = tmp_path / "picture"
    path.write_bytes(content)
    command = ["exiftool", "-json", "-G3", "-a", "-U", "-u", "-ee", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)[0]


@pytest.mark.parametrize("format", FORMATS)
def test_the_place_goes_and_the_pixels_and_the_camera_stay(format):
    content = photo_at(format)
    assert place_of(content) is not None
    stripped = blanking.strip(content)
    assert place_of(stripped) is None
    with pixels.open_header(io.BytesIO(stripped)) as image:
        image.load()
        assert image.getexif()[0x010F] == "Maker"
        assert image.getexif()[0x0132] == "2024:05:01 10:00:00"
    before, after = (np.asarray(pixels.load_rgb(io.BytesIO(own))) for own in (content, stripped))
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_xmp_says_it_no_more_either(format):
    assert not any(secret in blanking.strip(photo_at(format, xmp=XMP)) for secret in SECRETS)


def test_a_jpeg_tells_it_from_nowhere():
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0e\x1c\x02\x5a\0\x09Testville"
    content = with_segments(
        photo_at(),
        segment(0xED, iptc),
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + XMP),
        segment(0xE5, b"maker of phones: 42,30.25N"),
        segment(0xFE, b"Testville"),
        segment(0xE2, b"MPF\0" + b"42,30.25N"),
    )
    stripped = blanking.strip(content + photo_at() + b"\0\0\0\x18ftypmp42" + XMP)
    assert not any(secret in stripped for secret in SECRETS)
    assert place_of(stripped) is None
    assert stripped.endswith(b"\xff\xd9")


def test_a_png_tells_it_from_nowhere():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "Testville")
    text.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
    stripped = blanking.strip(photo_at("PNG", pnginfo=text) + b"Testville")
    assert not any(secret in stripped for secret in SECRETS)
    with Pillow.open(io.BytesIO(stripped)) as image:
        image.load()
        assert not image.text


def test_what_a_picture_needs_to_be_shown_stays():
    profile = encoded(drawn(), "JPEG", icc_profile=b"profile" * 100, progressive=True)
    assert b"profileprofile" in blanking.strip(profile)
    cmyk = encoded(drawn().convert("CMYK"), "JPEG")
    before, after = (np.asarray(pixels.load_rgb(io.BytesIO(own))) for own in (cmyk, blanking.strip(cmyk)))
    np.testing.assert_array_equal(before, after)
    animated = encoded(drawn(), "WEBP", save_all=True, append_images=[drawn("blue")])
    with Pillow.open(io.BytesIO(blanking.strip(animated))) as image:
        assert image.n_frames == 2


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("format", FORMATS)
def test_exiftool_finds_no_place(format, tmp_path):
    content = photo_at(format, xmp=XMP)
    place = ("gps", "city", "location", "sub-location", "country")
    found = {name for name in exiftool_says(content, tmp_path) if any(word in name.lower() for word in place)}
    assert found
    left = exiftool_says(blanking.strip(content), tmp_path)
    assert {name: left[name] for name in left if any(word in name.lower() for word in place)} == {}


def with_values_over_everything(count: int, size: int) -> bytes:
    """A TIFF whose place is `count` values, each of which claims the whole rest of the file."""
    start = 8 + 2 + 12 + 4
    rest = start + 2 + 12 * count + 4
    gps = struct.pack("<H", count) + struct.pack("<HHII", 2, 7, size - rest, rest) * count
    first = struct.pack("<HHHIII", 1, 34853, 4, 1, start, 0)
    return (b"II*\0\x08\0\0\0" + first + gps).ljust(size, b"\x11")


def heif_box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def heif_of_items(items: bytes, count: int, sizes: int) -> bytes:
    """A HEIF with one item of XMP, number 1, whose place in the file `items` tells `count` times."""
    item = heif_box(b"infe", b"\x02\0\0\0" + b"\0\x01\0\0mime\0")
    iinf = heif_box(b"iinf", b"\0\0\0\0\0\x01" + item)
    iloc = heif_box(b"iloc", b"\0\0\0\0" + struct.pack(">HH", sizes, count) + items)
    return heif_box(b"ftyp", b"heic\0\0\0\0") + heif_box(b"meta", b"\0\0\0\0" + iinf + iloc)


def with_items_over_everything(count: int, size: int) -> bytes:
    """A HEIF that tells `count` times of the same item, which is nearly the whole file."""
    item = struct.pack(">HHHII", 1, 0, 1, 0, size - 100)
    return heif_of_items(item * count, count, 0x4400).ljust(size, b"\0")


def with_items_of_nothing(count: int) -> bytes:
    """A HEIF of as many items of as many parts each, which take no byte to tell."""
    return heif_of_items(struct.pack(">HHH", 2, 0, count) * count, count, 0)


@pytest.mark.parametrize(
    "content",
    [
        with_segments(
            photo_at(), *[segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"<exif:GPSa>" * 5000)] * 30
        ),
        encoded(drawn(), "JPEG") + b"<exif:GPSa>" * 200_000,
        encoded(drawn(), "JPEG") + b"II*\0\x08\0\0\0" * 200_000,
        with_segments(photo_at(), segment(0xE0, b"") * 500_000),
        with_segments(photo_at(), segment(0xE1, b"Exif\0\0") * 500_000),
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0tEXt\0\0\0\0" * 500_000,
        b"II*\0\x08\0\0\0" + b"\xff\xff" + b"\x4a\x01\x04\0\xff\xff\0\0\x08\0\0\0" * 65535,
        b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x4a\x01\x04\0\xff\xff\xff\x3f\x08\0\0\0" + b"\0" * 100,
        b"\0\0\0\x10ftypheic\0\0\0\0" + b"\0\0\0\x08free" * 500_000,
        b"RIFF\xff\xff\xff\xffWEBP" + b"JUNK\0\0\0\0" * 500_000,
        with_values_over_everything(19_000, 40_000_000),
        with_items_over_everything(15_000, 20_000_000),
        with_items_of_nothing(15_000),
    ],
    ids=lambda content: f"{content[:4]!r}-{zlib.crc32(content)}",
)
def test_hostile_files_cost_little(content):
    """Each of these held a process for minutes, or would by a walk that is not bounded."""
    with contextlib.suppress(blanking.NotStrippedError):
        assert len(blanking.strip(content)) <= len(content)


@settings(max_examples=300, deadline=None)
@given(format=st.sampled_from(FORMATS), data=st.data())
def test_damaged_files_are_stripped_or_refused_and_nothing_else(format, data):
    content = bytearray(PHOTOS[format])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    content = bytes(content[: data.draw(st.integers(1, len(content)))])
    with contextlib.suppress(blanking.NotStrippedError):
        blanking.strip(content)


PHOTOS = {format: photo_at(format, xmp=XMP) for format in FORMATS}


def test_a_real_photo_keeps_every_pixel():
    content = demo_path("rocket").read_bytes()
    stripped = blanking.strip(content)
    assert len(stripped) <= len(content)
    before, after = (np.asarray(pixels.load_rgb(io.BytesIO(own))) for own in (content, stripped))
    np.testing.assert_array_equal(before, after)


def test_the_codecs_of_these_tests_are_there():
    assert features.check("webp")
    assert features.check("avif")
