"""What is known of a picture, written into copies of files: other programs read there what was said."""

import contextlib
import io
import json
import shutil
import subprocess
from datetime import datetime

import numpy as np
import pytest
from PIL import Image as Pillow

from gallery.imaging import dates, metadata, pixels, writing
from gallery.imaging.writing import NotWrittenError, Said
from tests.conftest import drawn, encoded
from tests.gallery.imaging.test_written import bag, xmp

SAID = Said(
    ("grandma rosa", "<harbour> & sea"), 'At "dusk"', True, datetime(1987, 6, 5, 10, 11, 12), "", True, -90,
    (48.5, -2.25), "Grandma's garden",
)  # fmt: skip


def read(content: bytes) -> metadata.Facts:
    return metadata.read(pixels.open_header(io.BytesIO(content)))


def file(format: str, **options) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = 1
    exif.get_ifd(0x8769)[0x9003] = "2024:05:17 23:30:00"
    return encoded(drawn(), format, exif=exif.tobytes(), **options)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_it_is_read_again_as_it_was_said(format):
    content = file(format)
    written = writing.embed(content, SAID)
    facts = read(written)
    assert facts.written.keywords == SAID.keywords
    assert (facts.written.caption, facts.written.rating) == (SAID.caption, 5)
    assert facts.written.place == SAID.place
    assert facts.location == pytest.approx(SAID.location)
    assert facts.taken.local == SAID.taken
    before, after = (np.asarray(pixels.load_rgb(io.BytesIO(own))) for own in (content, written))
    assert (before == after).all()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_files_that_say_nothing_take_it_too(format):
    for mode in ("RGB", "RGBA") if format != "JPEG" else ("RGB",):
        facts = read(writing.embed(encoded(drawn(mode=mode), format), SAID))
        assert facts.written.keywords == SAID.keywords
        assert facts.taken == dates.parse("1987-06-05T10:11:12-01:30")


@pytest.mark.parametrize(("precision", "text"), [("year", "1987"), ("month", "1987-06")])
def test_what_is_not_known_exactly_is_not_written_exactly(precision, text):
    said = Said(taken=datetime(1987, 6, 1), precision=precision, is_date_corrected=True)
    moment = read(writing.embed(file("JPEG"), said)).taken
    assert moment.precision == precision
    assert text in writing.packet(said).decode()


def test_a_date_that_was_taken_away_is_not_there():
    assert read(writing.embed(file("JPEG"), Said(is_date_corrected=True))).taken is None
    kept = Said(taken=datetime(2024, 5, 17, 23, 30))
    assert read(writing.embed(file("JPEG"), kept)).taken.local == kept.taken


def test_what_other_programs_wrote_stays_but_for_what_is_said():
    before = xmp(bag("dc:subject", "old"), 'xmp:Rating="2" photoshop:City="Lisbon"')
    own = read(writing.embed(encoded(drawn(), "JPEG", xmp=before), Said(keywords=("new",))))
    assert own.written.keywords == ("new",)
    assert (own.written.rating, own.written.place) == (2, "Lisbon")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turn_is_one_that_other_programs_make(orientation, quarters):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    content = encoded(Pillow.effect_noise((32, 16), 90).convert("RGB"), "JPEG", exif=exif, quality=95)
    here = pixels.load_rgb(io.BytesIO(content), turn=quarters)
    elsewhere = pixels.load_rgb(io.BytesIO(writing.embed(content, Said(turn=quarters))))
    assert (np.asarray(here) == np.asarray(elsewhere)).all()


@pytest.mark.parametrize("format", ["TIFF", "HEIF", "AVIF", "GIF", "BMP", "JXL"])
def test_other_formats_are_left_alone(format):
    with pytest.raises(NotWrittenError):
        writing.embed(encoded(drawn(), format), SAID)


def test_hostile_files_are_an_error_of_this_kind_and_no_other():
    whole = [file(format) for format in ("JPEG", "PNG", "WEBP")]
    random = np.random.default_rng(5)
    for content in whole:
        for _ in range(300):
            broken = bytearray(content)
            for at in random.integers(0, len(broken), 4):
                broken[at] = random.integers(0, 256)
            with contextlib.suppress(NotWrittenError):
                writing.embed(bytes(broken[: random.integers(20, len(broken))]), SAID)


@pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not installed")
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_exiftool_reads_it(format, tmp_path):
    path = tmp_path / f"a.{format.lower()}"
    path.write_bytes(writing.embed(file(format), SAID))
    [told] = json.loads(
        subprocess.run(["exiftool", "-j", "-n", str(path)], capture_output=True, check=True).stdout
    )
    assert told["Subject"] == list(SAID.keywords)
    assert (told["Description"], told["Rating"]) == (SAID.caption, 5)
    assert told["DateTimeOriginal"].startswith("1987:06:05 10:11:12")
    assert told["GPSLatitude"] == pytest.approx(48.5)
    assert "Warning" not in told


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_turn_of_a_file_without_exif(format):
    content = encoded(drawn(), format)
    turned = pixels.load_rgb(io.BytesIO(writing.embed(content, Said(turn=1))))
    assert turned.size == (48, 64)


def test_a_corrected_date_has_no_offset_of_the_old_one():
    exif = Pillow.Exif()
    details = {0x9003: "2024:05:17 23:30:00", 0x9011: "+09:00", 0x9291: "123456"}
    exif.get_ifd(0x8769).update(details)
    said = Said(taken=datetime(1987, 6, 5, 10, 11), is_date_corrected=True)
    moment = read(writing.embed(encoded(drawn(), "JPEG", exif=exif), said)).taken
    assert (moment.local, moment.offset) == (datetime(1987, 6, 5, 10, 11), None)


def test_what_xml_cannot_hold_is_left_out():
    said = Said(("a\x0bb",), "At\x1f dusk \ud83d")
    own = read(writing.embed(file("JPEG"), said)).written
    assert (own.keywords, own.caption) == (("ab",), "At dusk")


def test_xmp_of_strangers_is_bounded():
    from PIL.PngImagePlugin import PngInfo

    deep = PngInfo()
    deep.add_itxt("XML:com.adobe.xmp", "<a>" * 5000 + "</a>" * 5000)
    large = PngInfo()
    large.add_itxt("XML:com.adobe.xmp", "<x>" + "<a/>" * 1_000_000 + "</x>")
    for info in (deep, large):
        written = writing.embed(encoded(drawn(), "PNG", pnginfo=info), SAID)
        assert read(written).written.keywords == SAID.keywords
