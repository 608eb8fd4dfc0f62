"""Comments, hearts, activity and guests' pictures by API."""

import pytest
from django.core.files.base import ContentFile

from gallery import guests
from gallery.models import Album, AlbumImage, AlbumMember, Comment, GuestPicture, Heart, Image, ShareLink
from tests.conftest import client_of, drawn, encoded

V1 = "/api/v1"


@pytest.fixture
def album(curator, photo):
    album = Album.objects.create(owner=curator, title="Corsica")
    AlbumImage.objects.create(album=album, image=photo("coffee"), added_by=curator)
    return album


@pytest.fixture
def viewer(album, django_user_model):
    person = django_user_model.objects.create_user("viewer", password="viewer-password")
    AlbumMember.objects.create(album=album, user=person, role="viewer")
    return client_of(person)


def test_members_talk_under_a_picture(api, viewer, album, photo, django_assert_max_num_queries):
    place = f"{V1}/albums/{album.pk}/images/{photo('coffee').pk}"
    said = viewer.post(f"{place}/talk/", {"text": "  What a morning!\nReally. "}, format="json")
    assert said.status_code == 201
    assert said.json()["text"] == "What a morning!\nReally."
    api.post(f"{place}/talk/", {"text": "Yes"}, format="json")
    assert viewer.put(f"{place}/heart/").status_code == viewer.put(f"{place}/heart/").status_code == 204
    with django_assert_max_num_queries(8):
        talk = viewer.get(f"{place}/talk/").json()
    assert [(own["author"], own["is_removable"]) for own in talk["comments"]] == [
        ("viewer", True),
        ("curator", False),
    ]
    assert (talk["hearts"], talk["is_liked"]) == (["viewer"], True)
    assert api.get(f"{place}/talk/").json()["is_liked"] is False
    assert viewer.delete(f"{place}/heart/").status_code == 204
    assert not Heart.objects.exists()
    comments = f"{V1}/comments"
    assert viewer.delete(f"{comments}/{talk['comments'][1]['id']}/").status_code == 404
    assert api.delete(f"{comments}/{talk['comments'][0]['id']}/").status_code == 204  # the album's owner may
    assert Comment.objects.count() == 1


@pytest.mark.parametrize("text", ["", "   ", "x" * 1001, "a\0b", None, 5.5j])
def test_wrong_comments_are_refused(api, album, photo, text):
    body = {} if text == 5.5j else {"text": text}
    answer = api.post(f"{V1}/albums/{album.pk}/images/{photo('coffee').pk}/talk/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "text"


def test_where_an_album_is_silent_and_of_pictures_that_are_not_in_it_there_is_no_talk(api, album, photo):
    assert api.get(f"{V1}/albums/{album.pk}/images/{photo('rocket').pk}/talk/").status_code == 404
    Album.objects.filter(pk=album.pk).update(allows_talk=False)
    assert api.get(f"{V1}/albums/{album.pk}/images/{photo('coffee').pk}/talk/").status_code == 404
    assert api.put(f"{V1}/albums/{album.pk}/images/{photo('coffee').pk}/heart/").status_code == 404


def test_activity_tells_who_did_what(api, viewer, album, photo, stranger):
    coffee = photo("coffee").pk
    viewer.post(f"{V1}/albums/{album.pk}/images/{coffee}/talk/", {"text": "Nice"}, format="json")
    viewer.put(f"{V1}/albums/{album.pk}/images/{coffee}/heart/")
    events = api.get(f"{V1}/albums/{album.pk}/activity/").json()
    assert sorted((own["kind"], own["person"], own["image_ids"]) for own in events) == [
        ("added", "curator", [coffee]),
        ("commented", "viewer", [coffee]),
        ("liked", "viewer", [coffee]),
    ]
    assert next(own["text"] for own in events if own["kind"] == "commented") == "Nice"
    assert client_of(stranger).get(f"{V1}/albums/{album.pk}/activity/").status_code == 404


def test_pictures_from_guests_are_accepted_and_declined(api, curator, album, stranger):
    link = ShareLink(owner=curator, album=album, title="Corsica", allow_uploads=True)
    link.new_token()
    link.save()
    for color in ("navy", "plum", "sienna"):
        guests.receive(link, ContentFile(encoded(drawn(color)), name=f"{color}.png"), name="Oma")
    address = f"{V1}/guest-pictures"
    listed = api.get(f"{address}/").json()["results"]
    assert sorted((own["filename"], own["name"], own["album_id"]) for own in listed) == [
        (f"{color}.png", "Oma", album.pk) for color in ("navy", "plum", "sienna")
    ]
    by_name = {own["filename"]: own for own in listed}
    chosen = {"ids": [by_name["navy.png"]["id"]]}
    other = client_of(stranger)
    assert other.get(f"{address}/").json()["results"] == []
    assert other.post(f"{address}/accept/", chosen, format="json").json() == {"count": 0}
    assert api.post(f"{address}/accept/", chosen, format="json").json() == {"count": 1}
    assert album.images.filter(filename="navy.png", trashed_at=None).exists()
    declined = {"ids": [by_name["plum.png"]["id"], by_name["navy.png"]["id"]]}
    assert api.post(f"{address}/decline/", declined, format="json").json() == {"count": 1}
    assert Image.objects.get(filename="plum.png").trashed_at
    assert [own.image.filename for own in GuestPicture.objects.all()] == ["sienna.png"]
    for wrong in ({}, {"ids": []}, {"ids": ["x"]}, {"ids": [1], "more": 1}):
        assert api.post(f"{address}/accept/", wrong, format="json").status_code == 400
