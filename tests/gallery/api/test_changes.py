"""A client that keeps a copy follows what appears, changes and goes."""

import pytest

from gallery import tagging, trash
from gallery.api.images import sync_key
from gallery.models import Album, AlbumImage, AlbumMember, Image
from tests.conftest import wrong_fields
from tests.gallery.api.test_people import client_of


def since(client, cursor):
    answer = client.get("/api/v1/changes/", {"since": cursor})
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_what_appears_changes_and_goes(api, curator, photo):
    start = api.get("/api/v1/changes/").json()
    assert start["changed"] == start["gone"] == []
    tagging.add(photo("coffee"), "breakfast")
    said = since(api, start["cursor"])
    assert [own["id"] for own in said["changed"]] == [photo("coffee").pk]
    assert "breakfast" in [tag["name"] for tag in said["changed"][0]["tags"]]
    assert since(api, said["cursor"])["changed"] == []
    trash.move(Image.objects.filter(pk=photo("rocket").pk))
    gone = since(api, said["cursor"])
    assert [own["id"] for own in gone["gone"]] == [photo("rocket").pk]
    Image.objects.get(pk=photo("rocket").pk).delete()
    assert since(api, gone["cursor"])["gone"] != []


def test_strangers_pictures_are_not_told(api, stranger, photo):
    theirs = client_of(stranger)
    cursor = theirs.get("/api/v1/changes/").json()["cursor"]
    tagging.add(photo("coffee"), "breakfast")
    said = since(theirs, cursor)
    assert said["changed"] == []
    assert [own["id"] for own in said["gone"]] == [None]
    assert said["gone"][0]["sync_key"] != sync_key(photo("coffee").owner, photo("coffee").pk)


def test_what_is_shared_and_taken_back_resets(api, curator, stranger, photo):
    theirs = client_of(stranger)
    cursor = theirs.get("/api/v1/changes/").json()["cursor"]
    album = Album.objects.create(owner=curator, title="Corsica")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    member = AlbumMember.objects.create(album=album, user=stranger)
    said = since(theirs, cursor)
    assert said["reset"]
    assert [own["id"] for own in said["changed"]] == [photo("coffee").pk]
    AlbumImage.objects.filter(image=photo("coffee")).delete()
    after = since(theirs, said["cursor"])
    key = said["changed"][0]["sync_key"]
    assert after["gone"] == [{"sync_key": key, "id": None}]
    assert not after["reset"]
    member.delete()
    assert since(theirs, after["cursor"])["reset"]


def test_many_come_in_pieces(api, photo, monkeypatch):
    from gallery.api import changes

    monkeypatch.setattr(changes, "MOST", 2)
    cursor = api.get("/api/v1/changes/").json()["cursor"]
    for image in Image.objects.order_by("pk")[:5]:
        tagging.add(image, "breakfast")
    found, more = [], True
    while more:
        said = since(api, cursor)
        found += [own["id"] for own in said["changed"]]
        cursor, more = said["cursor"], said["has_more"]
    assert sorted(found) == sorted(Image.objects.order_by("pk").values_list("pk", flat=True)[:5])


def test_a_cursor_of_the_future_and_places_that_are_told_no_more_reset(api, curator, stranger, photo):
    cursor = api.get("/api/v1/changes/").json()["cursor"]
    ahead = since(api, "99999999-" + cursor.partition("-")[2])
    assert (ahead["reset"], ahead["cursor"]) == (True, cursor)
    album = Album.objects.create(owner=curator, title="Corsica", shows_location=True)
    AlbumMember.objects.create(album=album, user=stranger)
    theirs = client_of(stranger)
    cursor = theirs.get("/api/v1/changes/").json()["cursor"]
    Album.objects.filter(pk=album.pk).update(shows_location=False)
    assert since(theirs, cursor)["reset"]


@pytest.mark.parametrize("cursor", ["x", "5", "-abc", "1e3-abc", "9" * 30 + "-abc"])
def test_a_wrong_cursor_is_a_400(api, cursor):
    assert wrong_fields(api.get("/api/v1/changes/", {"since": cursor})) == ["since"]
    assert api.get("/api/v1/changes/", {"sinc": "1"}).status_code == 400


def test_ones_own_hearts_and_what_one_corrects_are_told(api, photo):
    cursor = api.get("/api/v1/changes/").json()["cursor"]
    image = f"/api/v1/images/{photo('coffee').pk}/"
    for change in (
        lambda: api.put(f"{image}favourite/"),
        lambda: api.delete(f"{image}favourite/"),
        lambda: api.patch(image, {"turn": 1}, format="json"),
        lambda: api.patch(image, {"place": "48.85, 2.35"}, format="json"),
    ):
        assert change().status_code < 300
        said = since(api, cursor)
        assert [own["id"] for own in said["changed"]] == [photo("coffee").pk]
        cursor = said["cursor"]


def test_a_new_album_of_ones_own_resets_nothing(api, curator, stranger, photo):
    cursor = api.get("/api/v1/changes/").json()["cursor"]
    album = Album.objects.create(owner=curator, title="Corsica")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    said = since(api, cursor)
    assert not said["reset"]
    AlbumMember.objects.create(album=album, user=stranger)  # may put in what was there before
    assert since(api, said["cursor"])["reset"]
