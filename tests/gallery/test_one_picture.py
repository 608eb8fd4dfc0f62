"""One picture's page: tags by hand, what the camera wrote, and the line that says how many are ready."""

import io
import zipfile
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from PIL import ExifTags
from PIL import Image as Pillow

from gallery import ingest
from gallery.imaging import decoder
from gallery.imaging.decoder import Decoder, Limits
from gallery.models import Image, ImageTag
from tests.conftest import drawn, encoded, upload
from tests.gallery.test_pages import text_of


def test_tags_are_added_accepted_and_rejected(page, photo):
    image = photo("coffee")
    address = f"/images/{image.pk}/tags"
    assert page.post(address, {"action": "add", "tag": "#Espresso"}).status_code == 302
    assert ImageTag.objects.get(image=image, tag__name="espresso").source == "person"
    assert 'class="person"' in page.get(image.get_absolute_url()).content.decode()
    page.post(address, {"action": "remove", "tag": "espresso"})
    assert "#espresso" not in text_of(page.get(image.get_absolute_url()))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "The action must be"),
        ({"action": "x"}, "The action must be"),
        ({"action": "add"}, "A tag needs"),
        ({"action": "add", "tag": "#"}, "A tag needs"),
        ({"action": "add", "tag": "x" * 101}, "at most 100"),
    ],
)
def test_wrong_tags_are_refused_in_a_sentence(page, photo, fields, words):
    answer = page.post(f"/images/{photo('coffee').pk}/tags", fields)
    assert answer.status_code == 400
    assert words in text_of(answer)


def taken_by(values: dict, details: dict) -> bytes:
    exif = Pillow.Exif()
    exif.update(values)
    exif.get_ifd(ExifTags.IFD.Exif).update(details)
    buffer = io.BytesIO()
    drawn().save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def test_what_the_camera_wrote_is_shown(page, curator):
    base = ExifTags.Base
    content = taken_by(
        {base.Make: "Canon", base.Model: "Canon EOS 80D"},
        {base.ExposureTime: 0.004, base.FNumber: 2.8, base.FocalLength: 50.0, base.ISOSpeedRatings: 200},
    )
    image = ingest.add(curator, upload(content, "shot.jpg")).image
    assert (image.camera, image.exposure, image.aperture) == ("Canon EOS 80D", 0.004, 2.8)
    assert (image.focal_length, image.iso) == (50, 200)
    shown = text_of(page.get(image.get_absolute_url()))
    for fact in (
        "Camera Canon EOS 80D",
        "Exposure 1/250 s",
        "Aperture f/2.8",
        "Focal length 50 mm",
        "ISO 200",
    ):
        assert fact in shown


def test_nonsense_says_nothing(curator):
    base = ExifTags.Base
    content = taken_by({base.Model: "\x00\x07" + "x" * 500}, {base.ExposureTime: 0, base.FNumber: -1.0})
    image = ingest.add(curator, upload(content, "odd.jpg")).image
    assert (image.camera, image.exposure, image.aperture) == ("x" * 80, None, None)


def test_no_page_opens_an_original(page, curator, photo):
    """A hostile file costs its reading once, when it comes in, and not at every look at it."""
    coffee = photo("coffee")
    page.get(coffee.get_absolute_url())
    path = Path(coffee.original.path)
    content = path.read_bytes()
    path.unlink()
    try:
        assert page.get(coffee.get_absolute_url()).status_code == 200
    finally:
        path.write_bytes(content)


def test_how_many_are_ready_renews_itself_until_all_are(page, photo):
    Image.objects.filter(pk=photo("coffee").pk).update(status="pending")
    line = page.get("/waiting/?of=40").content.decode()
    assert "39 of 40 ready" in line
    assert "hx-trigger" in line
    Image.objects.filter(pk=photo("coffee").pk).update(status="ready")
    line = page.get("/waiting/?of=40").content.decode()
    assert "All 40 pictures are searchable" in line
    assert "hx-trigger" not in line
    assert page.get("/waiting/?of=x").status_code == 200


@pytest.mark.parametrize("rest", [b"", b"\xff\xd8\xff"])
def test_a_file_that_was_cut_off_on_the_disk_is_never_sent_as_what_was_uploaded(page, curator, rest):
    image = ingest.add(curator, ContentFile(encoded(drawn("olive")), name="a.png")).image
    Path(image.original.path).write_bytes(rest)
    answer = page.get(reverse("image-original", args=[image.pk]))
    assert answer.status_code == 410
    archive = b"".join(page.post(reverse("selection"), {"action": "download", "image": [image.pk]}))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.namelist() == ["missing.txt"]


def test_nor_is_one_of_the_same_length_with_another_byte(page, curator):
    """Nobody looked with `verify` yet."""
    image = ingest.add(curator, ContentFile(encoded(drawn("olive")), name="a.png")).image
    path = Path(image.original.path)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    address = reverse("image-original", args=[image.pk])
    assert page.get(address).status_code == 410
    assert page.get(address, headers={"Range": "bytes=0-9"}).status_code == 410
    archive = b"".join(page.post(reverse("selection"), {"action": "download", "image": [image.pk]}))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.namelist() == ["missing.txt"]
    content[-20] ^= 1
    path.write_bytes(content)
    assert page.get(address).status_code == 200


def test_while_many_files_wait_to_be_decoded_a_visitor_is_told_to_come_back(page, api, curator, monkeypatch):
    crowded = Decoder(Limits(children=1, waiting=0, patience=0.1))
    crowded._places.acquire()
    monkeypatch.setitem(decoder._state, "decoder", crowded)
    for client, address, field in (
        (page, reverse("upload"), "files"),
        (api, "/api/v1/images/", "file"),
    ):
        file = ContentFile(encoded(drawn("purple")), name="a.png")
        answer = client.post(address, {field: file})
        assert answer.status_code == 503, answer.content
        assert answer["Retry-After"] == "5"
    assert not Image.objects.filter(filename="a.png").exists()
