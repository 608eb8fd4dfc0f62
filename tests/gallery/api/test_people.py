"""Oneself, people, invitations, members, links and the trash by API."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from rest_framework.test import APIClient

from gallery import access_tokens, trash
from gallery.models import Album, AlbumImage, AlbumMember, Image, ShareLink
from tests.conftest import client_of, drawn, encoded, upload, wrong_fields


@pytest.fixture
def album(curator, photo):
    album = Album.objects.create(owner=curator, title="Corsica")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    return album


def test_me(api, curator, settings):
    settings.QUOTA_MB = 100
    me = api.get("/api/v1/me/").json()
    assert me["username"] == "curator"
    assert me["usage"]["pictures"] == Image.objects.filter(owner=curator).count()
    assert me["usage"]["most_bytes"] == 100_000_000
    assert api.patch("/api/v1/me/", {"email": "me@example.org"}).json()["email"] == "me@example.org"
    assert wrong_fields(api.patch("/api/v1/me/", {"email": "nowhere"})) == ["email"]
    assert api.patch("/api/v1/me/", {"is_staff": True}).status_code == 400
    curator.refresh_from_db()
    assert not curator.is_staff
    key = access_tokens.create(curator, "phone")[1]
    phone = APIClient(headers={"Authorization": f"Token {key}"})
    assert phone.patch("/api/v1/me/", {"email": "thief@example.org"}).status_code == 403


def test_people_are_those_one_may_share_with(api, stranger, settings):
    def names():
        return [own["username"] for own in api.get("/api/v1/people/").json()["results"]]

    settings.OPEN_REGISTRATION = False
    assert "stranger" in names()
    settings.OPEN_REGISTRATION = True
    assert "stranger" not in names()


def test_members_by_api(api, album, stranger):
    address = f"/api/v1/albums/{album.pk}/members/"
    made = api.post(address, {"username": "stranger", "role": "contributor"})
    assert made.status_code == 201
    assert client_of(stranger).get(f"/api/v1/albums/{album.pk}/").json()["my_role"] == "contributor"
    assert api.get(f"/api/v1/albums/{album.pk}/").json()["my_role"] == "owner"
    again = api.post(address, {"username": "stranger", "role": "viewer"})
    assert (again.status_code, again.json()["role"]) == (200, "viewer")
    api.post(address, {"username": "stranger", "role": "editor"})
    assert api.post(address, {"username": "stranger"}).json()["role"] == "editor"
    one = f"{address}{made.json()['id']}/"
    assert api.patch(one, {"role": "editor"}).json()["role"] == "editor"
    assert client_of(stranger).patch(one, {"role": "editor"}).status_code == 404
    for wrong in ({"username": "nobody"}, {"username": "curator"}, {"username": "stranger", "role": "king"}):
        assert api.post(address, wrong).status_code == 400
    assert client_of(stranger).delete(one).status_code == 204  # they leave
    assert client_of(stranger).get(address).status_code == 404


def test_share_links_by_api(api, album, photo, stranger):
    made = api.post(
        "/api/v1/share-links/",
        {"album_id": album.pk, "title": "Corsica", "password": "olives-and-bread", "allow_originals": True,
         "shows_location": True, "expires_at": (timezone.now() + timedelta(days=1)).isoformat()},
    )  # fmt: skip
    assert made.status_code == 201, made.json()
    said = made.json()
    path = said["url"].removeprefix("http://testserver")
    guest = Client()
    assert "Password required" in guest.get(path).content.decode()
    guest.post(path, {"password": "olives-and-bread"})
    assert "Corsica" in guest.get(path).content.decode()
    one = f"/api/v1/share-links/{said['id']}/"
    assert "url" not in api.get(one).json()
    assert api.get(one).json()["has_password"]
    assert api.patch(one, {"password": ""}).json()["has_password"] is False
    assert client_of(stranger).get(one).status_code == 404
    assert api.delete(one).status_code == 204
    assert Client().get(path).status_code == 404
    assert api.get(one).json()["is_alive"] is False


def test_wrong_links_are_refused_by_name(api, album, photo, stranger):
    theirs = Album.objects.create(owner=stranger, title="Theirs")
    past = (timezone.now() - timedelta(days=1)).isoformat()
    pictures = [photo("coffee").pk]
    for wrong, field in (
        ({"title": "x"}, "album_id"),
        ({"title": "x", "album_id": album.pk, "image_ids": pictures}, "album_id"),
        ({"title": "x", "album_id": theirs.pk}, "album_id"),
        ({"title": "x", "image_ids": [*pictures, 99999]}, "image_ids"),
        ({"title": "x", "image_ids": pictures, "allow_uploads": True}, "allow_uploads"),
        ({"title": "x", "image_ids": pictures, "expires_at": past}, "expires_at"),
        ({"title": "", "image_ids": pictures}, "title"),
        ({"title": "x", "image_ids": pictures, "colour": "red"}, "colour"),
    ):
        answer = api.post("/api/v1/share-links/", wrong, format="json")
        assert (answer.status_code, wrong_fields(answer)) == (400, [field]), wrong
    assert not ShareLink.objects.exists()


def test_invitations_by_api(api, administrator):
    assert api.get("/api/v1/invitations/").json()["count"] == 0
    assert api.post("/api/v1/invitations/", {}).status_code == 403
    admin = client_of(administrator)
    made = admin.post("/api/v1/invitations/", {"note": "Ana", "days": 3}).json()
    path = made["url"].removeprefix("http://testserver")
    words = {"username": "ana", "password1": "olives-and-bread", "password2": "olives-and-bread"}
    assert Client().post(path, words).status_code == 302
    assert User.objects.filter(username="ana").exists()
    assert admin.get("/api/v1/invitations/").json()["results"][0]["person"] == "ana"
    other = admin.post("/api/v1/invitations/", {}).json()
    assert admin.delete(f"/api/v1/invitations/{other['id']}/").status_code == 204
    assert admin.delete(f"/api/v1/invitations/{other['id']}/").status_code == 404


def test_the_trash_by_api(api, photo):
    pk = photo("coffee").pk
    api.delete(f"/api/v1/images/{pk}/")
    assert [own["id"] for own in api.get("/api/v1/trash/").json()["results"]] == [pk]
    assert api.get(f"/api/v1/trash/{pk}/").json()["trashed_at"]
    assert api.get(f"/api/v1/images/{pk}/thumbnails/small/").status_code == 200
    assert api.post(f"/api/v1/trash/{pk}/restore/").status_code == 204
    assert api.get(f"/api/v1/images/{pk}/").status_code == 200
    assert api.post(f"/api/v1/trash/{pk}/restore/").status_code == 404


def test_deleting_for_good_by_api(api, curator, photo):
    trash.move(Image.objects.filter(pk__in=[photo("coffee").pk, photo("rocket").pk]))
    pk = photo("coffee").pk
    assert api.delete(f"/api/v1/trash/{pk}/").status_code == 204
    assert not Image.objects.filter(pk=pk).exists()
    assert api.post("/api/v1/trash/empty/").json() == {"count": 1}
    assert not Image.objects.filter(owner=curator, filename="rocket.png").exists()


def test_the_worker_empties_a_full_trash(api, page, curator, photo, monkeypatch):
    """Within the request it would take minutes; what is deleted meanwhile stays."""
    monkeypatch.setattr(trash, "AT_A_TIME", 1)
    gone, later = [photo("coffee").pk, photo("rocket").pk], photo("chelsea").pk
    trash.move(Image.objects.filter(pk__in=gone))
    answer = api.post("/api/v1/trash/empty/")
    assert (answer.status_code, answer.json()) == (202, {"count": 2})
    assert "2 pictures are being" in page.post("/trash/empty", follow=True).content.decode()
    waiting = [task.task for task in OrmQ.objects.all()]
    asked = [task["args"] for task in waiting if task["func"] == "gallery.trash.empty_until"]
    assert len(asked) == 2
    trash.move(Image.objects.filter(pk=later))
    assert trash.empty_until(*asked[0]).startswith("2 ")
    assert not Image.objects.filter(pk__in=gone).exists()
    assert Image.objects.filter(pk=later).exists()


def test_which_files_are_there(api, photo, stranger):
    sha256, other = photo("coffee").sha256, "0" * 64
    said = api.post("/api/v1/images/check/", {"sha256": [sha256.upper(), other, other]}, format="json").json()
    assert said["there"] == [{"sha256": sha256, "image_id": photo("coffee").pk, "is_in_trash": False}]
    assert said["missing"] == [other]
    theirs = client_of(stranger).post("/api/v1/images/check/", {"sha256": [sha256]}, format="json").json()
    assert theirs == {"there": [], "missing": [sha256]}
    many = [f"{number:064x}" for number in range(10_000)]
    assert len(api.post("/api/v1/images/check/", {"sha256": many}, format="json").json()["missing"]) == 10_000
    for wrong in ([], ["xyz"], [*many, other]):
        assert api.post("/api/v1/images/check/", {"sha256": wrong}, format="json").status_code == 400


def test_a_token_shows_thumbnails_and_the_last_slash_may_be_left_out(photo, curator):
    key = access_tokens.create(curator, "phone")[1]
    client = APIClient(headers={"Authorization": f"Bearer {key}"})
    image = client.get(f"/api/v1/images/{photo('coffee').pk}").json()
    assert client.get(image["thumbnails"]["small"])["Content-Type"] == "image/jpeg"
    assert client.head(image["thumbnails"]["small"]).status_code == 200
    assert client.get(image["thumbnails"]["small"] + "x/").status_code == 404
    assert client.post("/api/v1/albums", {"title": "No slash"}).status_code == 201
    assert client.get("/api/v1/images/?format=JPEG").status_code == 200


def test_an_album_comes_as_a_zip(api, album):
    answer = api.get(f"/api/v1/albums/{album.pk}/download/")
    assert b"".join(answer.streaming_content)[:2] == b"PK"


def test_who_lists_members_sees_the_album(api, album, stranger):
    AlbumMember.objects.create(album=album, user=stranger)
    listed = client_of(stranger).get(f"/api/v1/albums/{album.pk}/members/").json()["results"]
    assert [own["username"] for own in listed] == ["stranger"]


def test_what_was_made_says_where_it_is(api, album):
    for address, said in (
        ("albums", {"title": "New"}),
        ("saved-searches", {"name": "Cats", "q": "cat"}),
        ("share-links", {"title": "x", "album_id": album.pk}),
        ("images", {"file": upload(encoded(drawn("green", (33, 44))), "new.png")}),
    ):
        made = api.post(f"/api/v1/{address}/", said)
        assert made.status_code == 201, made.json()
        assert api.get(made["Location"]).json()["id"] == made.json()["id"]
