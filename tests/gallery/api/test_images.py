"""The API for pictures, tags and tokens."""

import pytest
from rest_framework.test import APIClient

from gallery import tagging
from gallery.models import Album, AlbumImage, Image
from tests.conftest import demo_path, drawn, encoded, upload, wrong_fields

V1 = "/api/v1"


@pytest.mark.parametrize(
    "address", ["/images/", "/images/1/", "/images/1/original/", "/tags/", "/images/1/similar/"]
)
def test_strangers_are_asked_who_they_are(db, address):
    assert APIClient().get(V1 + address).status_code == 401
    assert APIClient().post(V1 + "/search/", {}).status_code == 401


def test_a_token_opens_the_api(curator):
    client = APIClient()
    answer = client.post(f"{V1}/token/", {"username": "curator", "password": "curator-password"})
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert client.get(f"{V1}/images/").json()["count"] == 21
    assert client.post(f"{V1}/token/", {"username": "curator", "password": "no"}).status_code == 400
    assert "username" in wrong_fields(client.post(f"{V1}/token/", {}))


def test_guessing_passwords_is_slowed_down(curator):
    codes = {
        APIClient().post(f"{V1}/token/", {"username": "curator", "password": str(i)}).status_code
        for i in range(25)
    }
    assert codes == {400, 429}


def test_pictures_are_listed_in_a_constant_number_of_queries(api, django_assert_num_queries):
    api.get(f"{V1}/images/")  # the index is there
    for limit in (2, 20):
        # Albums twice, the serving extractor twice, the log, what the index does not know yet, numbers,
        # pictures, tags: the index counts, for counting a million rows takes the database a second.
        with django_assert_num_queries(9):
            answer = api.get(f"{V1}/images/", {"limit": limit}).json()
        assert len(answer["results"]) == limit


def test_a_picture_tells_everything(api, photo):
    answer = api.get(f"{V1}/images/{photo('coffee').pk}/").json()
    assert (answer["filename"], answer["format"], answer["width"], answer["height"]) == (
        "coffee.png",
        "PNG",
        600,
        400,
    )
    assert (answer["status"], answer["owner"], answer["error"]) == ("ready", "curator", "")
    assert [tag["name"] for tag in answer["tags"]] == ["food", "drink", "espresso"]
    assert answer["original"].endswith("/original/")
    assert set(answer["thumbnails"]) == {"small", "medium", "large"}


def test_filters(api):
    assert [i["filename"] for i in api.get(f"{V1}/images/?tag=espresso").json()["results"]] == ["coffee.png"]
    assert api.get(f"{V1}/images/?status=failed").json()["count"] == 0
    answer = api.get(f"{V1}/images/?status=lost")
    assert (answer.status_code, wrong_fields(answer)) == (400, ["status"])


def test_uploading_reading_and_deleting(api, curator):
    content = encoded(drawn("purple"), "WEBP")
    answer = api.post(f"{V1}/images/", {"file": upload(content, "new.webp")})
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    address = f"{V1}/images/{answer.json()['id']}/"
    again = api.post(f"{V1}/images/", {"file": upload(content, "other.webp")})
    assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])
    original = api.get(address + "original/")
    assert b"".join(original.streaming_content) == content
    assert original["Content-Disposition"] == 'attachment; filename="new.webp"'
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "No file was submitted."),
        ({"file": "text"}, "The submitted data was not a file."),
        ({"file": upload(b"")}, "The file is empty."),
        ({"file": upload(b"<html>")}, "This file is not a picture"),
    ],
)
def test_a_wrong_upload_names_the_field(api, data, words):
    before = Image.objects.count()
    answer = api.post(f"{V1}/images/", data)
    assert answer.status_code == 400
    assert words in answer.json()["errors"][0]["detail"]
    assert Image.objects.count() == before


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "offset=-1", "offset=1e3", "limit=" + "9" * 30]
)
def test_a_wrong_page_names_the_field(api, query):
    answer = api.get(f"{V1}/images/?{query}")
    assert (answer.status_code, wrong_fields(answer)) == (400, [query.split("=")[0]])


def test_tags_count_only_what_you_may_see(api, curator, stranger):
    tags = {tag["name"]: tag["count"] for tag in api.get(f"{V1}/tags/?limit=500").json()["results"]}
    assert tags["espresso"] == 1
    other = APIClient()
    other.force_authenticate(stranger)
    assert other.get(f"{V1}/tags/").json()["results"] == []


def test_a_pictures_tags_and_similar_pictures(api, photo):
    pk = photo("coffee").pk
    assert api.get(f"{V1}/images/{pk}/tags/").json()[-1]["name"] == "espresso"
    similar = api.get(f"{V1}/images/{pk}/similar/").json()
    assert len(similar) == 12
    assert pk not in [result["image"]["id"] for result in similar]


@pytest.mark.parametrize("way", ["", "original/", "tags/", "similar/"])
def test_others_pictures_do_not_exist(stranger, photo, way):
    other = APIClient()
    other.force_authenticate(stranger)
    address = f"{V1}/images/{photo('coffee').pk}/"
    assert other.get(address + way).status_code == 404
    assert other.delete(address).status_code == 404


@pytest.mark.parametrize(
    "address", ["/api/nowhere", "/api/v1/images/x/", "/api/v1/images/99999999999999999999999/"]
)
def test_a_wrong_address_is_a_404_in_json(api, address):
    answer = api.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_admins_upload_is_the_same_upload(client, administrator, curator):
    client.force_login(administrator)
    address = "/admin/gallery/image/add/"
    refused = client.post(address, {"owner": curator.pk, "file": upload(b"<svg/>", "x.png")})
    assert b"This file is not a picture" in refused.content
    there = client.post(address, {"owner": curator.pk, "file": upload(demo_path("coffee").read_bytes())})
    assert b"curator has this picture already." in there.content
    added = client.post(address, {"owner": curator.pk, "file": upload(encoded(drawn("pink")), "pink.png")})
    assert added.status_code == 302
    assert Image.objects.get(filename="pink.png").owner == curator


@pytest.mark.parametrize("written", ["café au lait", "#Café  au lait", " CAFE\u0301 AU LAIT "])
def test_a_tag_is_asked_for_in_any_way_of_writing_it(api, photo, written):
    tagging.add(photo("coffee"), "café au lait")
    found = api.get("/api/v1/images/", {"tag": written}).json()["results"]
    assert [image["filename"] for image in found] == ["coffee.png"]


def test_a_tag_that_cannot_be_is_named(api):
    response = api.get("/api/v1/images/", {"tag": "x" * 101})
    assert response.status_code == 400
    assert "at most 100" in str(response.json()["errors"])


@pytest.mark.parametrize(
    "accept", ["image/jpeg", "image/*", "image/avif,image/webp,*/*;q=0.1", "application/zip"]
)
def test_a_client_may_name_the_type_that_it_wants(api, curator, photo, accept):
    image = photo("rocket")
    album = Album.objects.create(owner=curator, title="Space")
    AlbumImage.objects.create(album=album, image=image)
    for address in (
        f"/api/v1/images/{image.pk}/thumbnails/small/",
        f"/api/v1/images/{image.pk}/original/",
        f"/api/v1/albums/{album.pk}/download/",
    ):
        assert api.get(address, headers={"accept": accept}).status_code == 200, address
    missing = api.get("/api/v1/images/999999/original/", headers={"accept": accept})
    assert (missing.status_code, missing["Content-Type"]) == (404, "application/problem+json")


def test_a_part_that_is_not_there_is_a_problem(api, photo):
    answer = api.get(f"/api/v1/images/{photo('rocket').pk}/original/", headers={"range": "bytes=999999999-"})
    assert (answer.status_code, answer["Content-Type"]) == (416, "application/problem+json")
    assert answer["Content-Range"].startswith("bytes */")
