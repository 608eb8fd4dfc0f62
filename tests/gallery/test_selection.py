"""Many pictures at once: albums, tags, downloads; each done with those that the person may do it with."""

import io
import unicodedata
import zipfile
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from gallery import ingest
from gallery.files import downloads
from gallery.models import Album, AlbumImage, AlbumMember, Image
from tests.conftest import demo_path
from tests.gallery.test_pages import text_of
from tests.gallery.test_trash import act


def archive_of(response) -> zipfile.ZipFile:
    assert response["Content-Type"] == "application/zip"
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


def test_pictures_are_put_into_an_album(page, curator, photo):
    album = Album.objects.create(owner=curator, title="Trip")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    response = act(page, "add", [photo("coffee"), photo("rocket")], album=album.pk, next="/images/?page=1")
    assert response.redirect_chain == [("/images/?page=1", 302)]
    assert "2 pictures added to Trip." in text_of(response)
    assert album.images.count() == 2


def test_pictures_are_tagged_and_untagged(page, photo):
    images = [photo("coffee"), photo("rocket")]
    act(page, "tag", images, tag="#Mine")
    assert all(image.tags.filter(name="mine").exists() for image in images)
    act(page, "untag", images, tag="mine")
    assert not any(image.image_tags.shown("lite/2").filter(tag__name="mine").exists() for image in images)


def test_a_viewer_of_an_album_may_download_its_pictures_and_nothing_more(client, curator, stranger, photo):
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    AlbumMember.objects.create(album=album, user=stranger)
    own = Album.objects.create(owner=stranger, title="Own")
    client.force_login(stranger)
    for action, fields in {"trash": {}, "tag": {"tag": "x"}, "add": {"album": own.pk}}.items():
        assert act(client, action, [photo("coffee")], **fields).status_code == 404
    assert act(client, "add", [photo("coffee")], album=album.pk).status_code == 404  # viewers add nothing
    archive = archive_of(act(client, "download", [photo("coffee"), photo("rocket")]))
    assert archive.namelist() == ["coffee.png"]
    assert Image.objects.filter(trashed_at=None).count() == 21


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "The action must be one of"),
        ({"action": "burn"}, "The action must be one of"),
        ({"action": "trash"}, "Choose up to 500 pictures"),
        ({"action": "trash", "image": "x"}, "Choose up to 500 pictures"),
        ({"action": "trash", "image": "9" * 30}, "Choose up to 500 pictures"),
        ({"action": "trash", "image": list(range(1, 502))}, "Choose up to 500 pictures"),
        ({"action": "add", "image": 1}, "Choose an album"),
        ({"action": "tag", "image": "own", "tag": ""}, "A tag needs"),
    ],
)
def test_what_is_wrong_is_named(page, photo, fields, words):
    if fields.get("image") == "own":
        fields = fields | {"image": photo("coffee").pk}
    response = page.post("/selection/", fields)
    assert response.status_code == 400
    assert words in text_of(response)


def test_it_leads_back_to_this_site_only(page, photo):
    for following in ("https://example.org/", "//example.org", "javascript:alert(1)", ""):
        response = page.post(
            "/selection/", {"action": "tag", "tag": "x", "image": photo("coffee").pk, "next": following}
        )
        assert response["Location"] == "/images/"


def test_an_album_is_downloaded_with_unique_safe_names(page, curator, photo):
    album = Album.objects.create(owner=curator, title='Été 2024/"x"')
    names = ["a.png", "A.png", "../../etc/passwd", "con.png", "a (2).png", "..."]
    for i, name in enumerate(names):
        image = ingest.add(
            curator, ContentFile(demo_path("coffee").read_bytes() + b" " * (i + 1), name="x.png")
        ).image
        Image.objects.filter(pk=image.pk).update(filename=name)
        AlbumImage.objects.create(album=album, image=image)
    response = page.get(f"/albums/{album.pk}/download")
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''%C3%89t%C3%A9%202024__x_.zip"
    archive = archive_of(response)
    assert archive.namelist() == ["a.png", "A (2).png", "_.._etc_passwd", "_con.png", "a (2) (2).png", "_"]
    assert archive.testzip() is None
    assert archive.read("a.png") == demo_path("coffee").read_bytes() + b" "


def test_a_file_that_is_missing_is_named_and_the_others_arrive(curator, photo):
    coffee, rocket = photo("coffee"), photo("rocket")
    coffee.original.name = "nowhere.png"
    response = downloads.zip_of([(coffee, True), (rocket, True)], "x")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert sorted(archive.namelist()) == ["missing.txt", "rocket.jpg"]
    assert b"coffee.png" in archive.read("missing.txt")


def test_no_file_of_a_zip_ends_it(curator, photo, monkeypatch):
    """Whatever its bytes do to the code that blanks places, the others arrive."""
    coffee, rocket = photo("coffee"), photo("rocket")
    strip = downloads.without_location

    def fail(image):
        if image == coffee:
            raise ZeroDivisionError
        return strip(image)

    monkeypatch.setattr(downloads, "without_location", fail)
    response = downloads.zip_of([(coffee, False), (rocket, False)], "Füße & mehr")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert sorted(archive.namelist()) == ["missing.txt", "rocket.jpg"]
    assert b"coffee.png" in archive.read("missing.txt")
    assert "filename*=utf-8''F%C3%BC%C3%9Fe" in response["Content-Disposition"]


def test_a_picture_that_goes_while_its_zip_is_sent_is_a_line_in_it(curator, photo):
    coffee, rocket = photo("coffee"), photo("rocket")
    stream = downloads.zip_of([(rocket, True), (coffee, True)], "x").streaming_content
    begun = next(iter(stream))
    path = Path(coffee.original.path)
    content = path.read_bytes()
    path.unlink()
    try:
        archive = zipfile.ZipFile(io.BytesIO(begun + b"".join(stream)))
    finally:
        path.write_bytes(content)
    assert sorted(archive.namelist()) == ["missing.txt", "rocket.jpg"]


def test_names_in_a_zip_are_unique_however_they_are_written():
    taken = set()
    given = ("é.jpg", "e\u0301.jpg", "É.JPG", "x" * 400 + ".jpg", "x" * 401 + ".jpg")
    names = [downloads._unique(name, taken) for name in given]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names}) == 5
    assert all(len(name.encode()) <= 255 for name in names)


def test_an_album_that_is_made_on_the_way_is_as_any_other(page, curator, photo):
    page.post("/selection/", {"action": "add", "image": [photo("coffee").pk], "new_album": "On the way"})
    page.post(
        "/albums/", {"title": "Made there", "order": "added", "allows_talk": "on", "shows_location": ""}
    )
    made, usual = (Album.objects.get(title=title) for title in ("On the way", "Made there"))
    assert made.allows_talk
    assert (made.allows_talk, made.order) == (usual.allows_talk, usual.order)
