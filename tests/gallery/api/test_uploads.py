"""Uploads in pieces, by tus 1.0: nothing that came is sent twice, and nothing is taken in half."""

import base64
import errno
import hashlib
import io
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from gallery import access_tokens, partial_uploads
from gallery.models import Album, Image, PartialUpload
from tests.conftest import drawn, encoded, wrong_fields

UPLOADS = "/api/v1/uploads/"
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = "application/offset+octet-stream"


@pytest.fixture
def content():
    return encoded(drawn("teal"), "PNG")


SAID = {
    "filename": "in pieces.png",
    "album": "Holiday",
    "tags": "sea, sand",
    "modified": "2003-07-01T12:00:00Z",
}


def metadata(**said):
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())


def begin(api, length, body=b"", **said):
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(**said)}
    return api.generic("POST", UPLOADS, body, OCTETS if body else "", headers=headers)


def send(api, address, body, offset, **fields):
    headers = {**TUS, "Upload-Offset": str(offset), **fields}
    return api.generic("PATCH", address, body, OCTETS, headers=headers)


def test_a_file_in_pieces_becomes_a_picture(api, curator, content):
    begun = begin(api, len(content), **SAID)
    assert (begun.status_code, begun["Upload-Offset"], begun["Tus-Resumable"]) == (201, "0", "1.0.0")
    address = begun["Location"]
    assert send(api, address, content[:100], 0)["Upload-Offset"] == "100"
    looked = api.head(address, headers=TUS)
    assert (looked["Upload-Offset"], looked["Upload-Length"]) == ("100", str(len(content)))
    assert send(api, address, content[100:], 100).status_code == 204
    told = api.get(address).json()
    assert (told["offset"], told["filename"]) == (len(content), "in pieces.png")
    image = Image.objects.get(pk=told["image_id"], owner=curator)
    assert api.head(address, headers=TUS)["Content-Location"].endswith(f"/api/v1/images/{image.pk}/")
    assert (image.taken_local.year, image.taken_is_guess) == (2003, True)
    with image.original.open() as file:
        assert file.read() == content
    assert Album.objects.get(title="Holiday").album_images.get().image == image
    assert {"sea", "sand"} <= set(image.image_tags.values_list("tag__name", flat=True))
    assert not PartialUpload.objects.get().path.exists()
    assert [own["image_id"] for own in api.get(UPLOADS).json()["results"]] == [image.pk]
    assert send(api, address, b"", len(content)).status_code == 204  # asked once more, it is still done


def test_all_of_it_comes_along_with_the_first_request(api, content):
    begun = begin(api, len(content), content, filename="one.png")
    assert begun["Upload-Offset"] == str(len(content))
    assert api.get(begun["Location"]).json()["image_id"]


class Broken(io.BytesIO):
    """A connection that breaks after what it holds."""

    def read(self, size=-1):
        if piece := super().read(size):
            return piece
        raise OSError("gone")


def test_what_came_before_the_connection_broke_stays(api, curator, content):
    upload = PartialUpload.objects.get(pk=begin(api, len(content))["Location"].split("/")[-2])
    partial_uploads.write(upload, Broken(content[:70]), 0)
    assert api.head(f"{UPLOADS}{upload.pk}/", headers=TUS)["Upload-Offset"] == "70"
    with pytest.raises(partial_uploads.ChecksumError):
        partial_uploads.write(upload, Broken(content[70:90]), 70, ("sha1", b"another"))
    assert upload.offset == 70


def test_another_byte_another_file_and_too_much_are_refused(api, content):
    address = begin(api, len(content))["Location"]
    assert send(api, address, content, 5).status_code == 409
    assert send(api, address, content, "x").status_code == 400
    wrong = base64.b64encode(b"0" * 20).decode()
    mismatch = send(api, address, content, 0, **{"Upload-Checksum": f"sha1 {wrong}"})
    assert (mismatch.status_code, mismatch["Content-Type"]) == (460, "application/problem+json")
    assert api.head(address, headers=TUS)["Upload-Offset"] == "0"
    right = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert send(api, address, content, 0, **{"Upload-Checksum": f"sha256 {right}"}).status_code == 204
    refused = begin(api, 12, b"no picture!!")
    assert (refused.status_code, wrong_fields(refused)) == (400, ["file"])
    assert PartialUpload.objects.count() == 1
    more = begin(api, 3, b"longer than said")
    assert more.status_code == 400  # three bytes are taken, and they are no picture


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({}, 400, "Upload-Length"),
        ({"Upload-Length": "-1"}, 400, "Upload-Length"),
        ({"Upload-Length": "9" * 14}, 413, "Upload-Length"),
        ({"Upload-Length": "9", "Upload-Metadata": "filename ä"}, 400, "Upload-Metadata"),
        ({"Upload-Length": "9", "Upload-Metadata": "x " * 9000}, 400, "Upload-Metadata"),
        ({"Upload-Length": "9", "Upload-Metadata": metadata(album_id="7000")}, 400, "album_id"),
        ({"Upload-Length": "9", "Upload-Metadata": metadata(album_id="x")}, 400, "album_id"),
        ({"Upload-Length": "9", "Upload-Metadata": metadata(album="a\0b")}, 400, "Upload-Metadata"),
        ({"Upload-Length": "9", "Upload-Metadata": metadata(modified="soon")}, 400, "modified"),
        ({"Upload-Length": "9", "Upload-Checksum": "md5 x"}, 201, None),
    ],
)
def test_wrong_beginnings(api, fields, status, field):
    answer = api.generic("POST", UPLOADS, b"", "", headers={**TUS, **fields})
    assert answer.status_code == status
    assert field is None or wrong_fields(answer) == [field]


def test_the_version_and_what_is_here(api):
    answer = api.options(UPLOADS)
    assert (answer.status_code, answer["Tus-Version"]) == (204, "1.0.0")
    assert {"creation", "termination", "expiration"} <= set(answer["Tus-Extension"].split(","))
    assert api.generic("POST", UPLOADS, b"", "", headers={"Upload-Length": "9"}).status_code == 412


def test_a_full_disk_is_told_and_nothing_that_came_is_lost(api, content, monkeypatch):
    upload = PartialUpload.objects.get(pk=begin(api, len(content))["Location"].split("/")[-2])
    partial_uploads.write(upload, Broken(content[:70]), 0)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    api.raise_request_exception = False  # the site's own answer, as a client gets it
    with monkeypatch.context() as disk:
        disk.setattr(partial_uploads.os, "fsync", full)
        assert send(api, f"{UPLOADS}{upload.pk}/", content[70:80], 70).status_code == 507
    assert send(api, f"{UPLOADS}{upload.pk}/", content[upload.offset :], upload.offset).status_code == 204
    assert api.get(f"{UPLOADS}{upload.pk}/").json()["image_id"]


def test_an_album_that_went_meanwhile_costs_no_picture(api, curator, content):
    album = Album.objects.create(owner=curator, title="Short")
    address = begin(api, len(content), album_id=str(album.pk), tags="kept")["Location"]
    album.delete()
    assert send(api, address, content, 0).status_code == 204
    image = Image.objects.get(pk=api.get(address).json()["image_id"])
    assert image.image_tags.filter(tag__name="kept").exists()


def test_bytes_that_vanished_are_asked_for_again(api, content):
    upload = PartialUpload.objects.get(pk=begin(api, len(content), content[:9])["Location"].split("/")[-2])
    upload.path.unlink()
    assert api.head(f"{UPLOADS}{upload.pk}/", headers=TUS)["Upload-Offset"] == "0"
    assert send(api, f"{UPLOADS}{upload.pk}/", content, 0).status_code == 204


def test_only_its_owner_reaches_it(api, stranger, curator, content):
    address = begin(api, len(content))["Location"]
    other = APIClient()
    other.force_authenticate(stranger)
    assert other.head(address, headers=TUS).status_code == 404
    assert send(other, address, content, 0).status_code == 404
    assert other.delete(address, headers=TUS).status_code == 404
    reader = APIClient(
        headers={"Authorization": f"Token {access_tokens.create(curator, 'r', scope='read')[1]}"}
    )
    assert send(reader, address, content, 0).status_code == 403
    assert api.delete(address, headers=TUS).status_code == 204
    assert api.get(address).status_code == 404


def test_room_is_counted_before_bytes_come(api, curator, content, settings):
    settings.QUOTA_MB = 1
    begin(api, 600_000)
    answer = begin(api, 600_000)
    assert (answer.status_code, wrong_fields(answer)) == (507, ["Upload-Length"])


def test_the_worker_finishes_what_is_whole_and_forgets_the_rest(api, curator, content, monkeypatch):
    with monkeypatch.context() as killed:  # between the last byte and the picture
        killed.setattr(partial_uploads, "finish", lambda upload: None)
        begin(api, len(content), content, filename="late.png")
    abandoned = PartialUpload.objects.get(pk=begin(api, 99, b"half")["Location"].split("/")[-2])
    PartialUpload.objects.filter(pk=abandoned.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert partial_uploads.tend() == "1 uploads finished"
    assert Image.objects.get(filename="late.png").owner == curator
    assert not abandoned.path.exists()
    assert not PartialUpload.objects.filter(pk=abandoned.pk).exists()
