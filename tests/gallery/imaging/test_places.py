"""Where pictures were taken: kept, told to whom it may be told, and taken out of files for everyone else."""

import io

import pytest
from django.core.files.base import ContentFile
from PIL import Image as Pillow

from gallery import ingest
from gallery.imaging import pixels, places
from gallery.imaging.decoder import DecodeError, Decoder
from gallery.models import Album, AlbumImage, AlbumMember
from tests.conftest import drawn, wrong_fields
from tests.gallery.test_pages import text_of
from tests.gallery.test_selection import archive_of

PLACE = (42.504306, -9.100278)


def photo_at(format: str = "JPEG", south: str = "N", west: str = "W", size=(64, 48), **options) -> bytes:
    """A picture's file whose EXIF says maker, moment and place."""
    exif = Pillow.Exif()
    exif[0x010F] = "Maker"
    exif[0x0132] = "2024:05:01 10:00:00"
    exif[places.GPS] = {1: south, 2: (42.0, 30.0, 15.5), 3: west, 4: (9.0, 6.0, 1.0), 29: "2024:05:01"}
    buffer = io.BytesIO()
    drawn(size=size).save(buffer, format, exif=exif.tobytes(), **options)
    return buffer.getvalue()


def place_of(content: bytes):
    with pixels.open_header(io.BytesIO(content)) as image:
        return places.read(image.getexif())


def test_hemispheres_and_nonsense():
    assert place_of(photo_at(south="S", west="E")) == pytest.approx((-PLACE[0], -PLACE[1]), abs=1e-5)
    exif = Pillow.Exif()
    for gps in ({}, {2: (1.0, 2.0, 3.0)}, {2: (200.0, 0.0, 0.0), 4: (1.0, 0.0, 0.0)}, {2: (1.0,), 4: (1.0,)}):
        exif[places.GPS] = gps
        buffer = io.BytesIO()
        drawn().save(buffer, "JPEG", exif=exif.tobytes())
        assert place_of(buffer.getvalue()) is None


@pytest.fixture
def shared(curator, stranger):
    """A picture with a place, in an album that the stranger is a viewer of."""
    image = ingest.add(curator, ContentFile(photo_at(), name="there.jpg")).image
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=image)
    AlbumMember.objects.create(album=album, user=stranger)
    return image, album


def original(client, image) -> bytes:
    return b"".join(client.get(f"/images/{image.pk}/original").streaming_content)


def told(client, image) -> bool:
    """Whether page, API, file and archive tell the place; they agree."""
    answers = {
        "42.5043" in text_of(client.get(f"/images/{image.pk}/")),
        client.get(f"/api/v1/images/{image.pk}/").json()["location"] is not None,
        place_of(original(client, image)) is not None,
        place_of(b"".join(client.get(f"/api/v1/images/{image.pk}/original/").streaming_content)) is not None,
        place_of(
            archive_of(client.post("/selection/", {"action": "download", "image": image.pk})).read(
                "there.jpg"
            )
        )
        is not None,
    }
    assert len(answers) == 1
    return answers.pop()


def test_its_owner_is_told_and_members_only_where_the_album_says_so(client, curator, stranger, shared):
    image, album = shared
    assert (image.latitude, image.longitude) == pytest.approx(PLACE, abs=1e-5)
    client.force_login(curator)
    assert told(client, image)
    assert original(client, image) == photo_at()
    client.force_login(stranger)
    assert not told(client, image)
    client.force_login(curator)
    client.post(f"/albums/{album.pk}/edit", {"title": "Shared", "shows_location": "on"})
    client.force_login(stranger)
    assert told(client, image)


def test_editors_do_not_decide_whether_places_are_told(client, stranger, shared):
    image, album = shared
    AlbumMember.objects.update(role=AlbumMember.Role.EDITOR)
    client.force_login(stranger)
    page = client.post(f"/albums/{album.pk}/edit", {"title": "Mine", "shows_location": "on"})
    answer = client.patch(
        f"/api/v1/albums/{album.pk}/", {"shows_location": True}, content_type="application/json"
    )
    assert (page.status_code, answer.status_code, wrong_fields(answer)) == (302, 400, ["shows_location"])
    album.refresh_from_db()
    assert (album.title, album.shows_location) == ("Mine", False)
    assert not told(client, image)
    Album.objects.update(shows_location=True)
    client.post(f"/albums/{album.pk}/edit", {"title": "Again"})
    album.refresh_from_db()
    assert album.shows_location  # their form does not hold it, and does not turn it off


def test_a_list_of_the_api_tells_it_only_to_whom_it_may(
    client, curator, stranger, shared, django_assert_num_queries
):
    image, _ = shared
    for person, expected in ((curator, [image.latitude, image.longitude]), (stranger, None)):
        client.force_login(person)
        [row] = [row for row in client.get("/api/v1/images/").json()["results"] if row["id"] == image.pk]
        assert row["location"] == expected


def test_where_it_cannot_be_taken_out_the_pixels_alone_are_sent(client, stranger, shared, monkeypatch):
    image, _ = shared

    def refuse(self, file):
        raise DecodeError("not stripped")

    monkeypatch.setattr(Decoder, "strip", refuse)
    client.force_login(stranger)
    content = original(client, image)
    assert place_of(content) is None
    with pixels.open_header(io.BytesIO(content)) as sent:
        assert sent.size == (64, 48)
