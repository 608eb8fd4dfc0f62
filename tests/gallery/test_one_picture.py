"""One picture's page: tags by hand, what the camera wrote, and the line that says how many are ready."""

import io

import pytest
from PIL import ExifTags
from PIL import Image as Pillow

from gallery import ingest
from gallery.imaging import camera
from gallery.models import Image, ImageTag
from tests.conftest import drawn, upload
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
    ("fields", "field"),
    [
        ({}, "action"),
        ({"action": "x"}, "action"),
        ({"action": "add"}, "tag"),
        ({"action": "add", "tag": "#"}, "tag"),
        ({"action": "add", "tag": "x" * 101}, "tag"),
    ],
)
def test_wrong_tags_are_refused_by_name(page, photo, fields, field):
    answer = page.post(f"/images/{photo('coffee').pk}/tags", fields)
    assert answer.status_code == 400
    assert f"{field}:" in answer.content.decode()


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
    assert dict(camera.read(image.original)) == {
        "Camera": "Canon EOS 80D",
        "Exposure": "1/250 s",
        "Aperture": "f/2.8",
        "Focal length": "50 mm",
        "ISO": "200",
    }
    assert "1/250 s" in text_of(page.get(image.get_absolute_url()))


def test_nonsense_and_missing_files_say_nothing(curator, photo):
    base = ExifTags.Base
    content = taken_by({base.Model: "\x00\x07" + "x" * 500}, {base.ExposureTime: 0, base.FNumber: -1.0})
    image = ingest.add(curator, upload(content, "odd.jpg")).image
    assert camera.read(image.original) == [("Camera", "x" * 80)]
    missing = photo("coffee").original
    missing.name = "nowhere.jpg"
    assert camera.read(missing) == []


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
