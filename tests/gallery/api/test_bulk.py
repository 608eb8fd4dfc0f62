"""One change to many pictures by API: all that may be is done, and of the rest it is said."""

import pytest

from gallery.api.bulk import MOST
from gallery.models import Album, AlbumImage, AlbumMember, Favourite, Image, ImageTag
from tests.conftest import wrong_fields

BULK = "/api/v1/images/bulk/"


@pytest.fixture
def ids(photo):
    return [photo(name).pk for name in ("coffee", "rocket", "moon")]


def do(api, ids, action, **needed):
    answer = api.post(BULK, {"image_ids": ids, "action": action, **needed}, format="json")
    assert answer.status_code == 200, answer.json()
    return [own["outcome"] for own in answer.json()["outcomes"]]


def test_everything_that_can_be_done_with_many(api, curator, ids):
    images = Image.objects.filter(pk__in=ids)
    assert do(api, ids, "tag", tag="#Sea") == ["done"] * 3
    assert ImageTag.objects.filter(image__in=ids, tag__name="sea", source="person").count() == 3
    do(api, ids, "untag", tag="sea")
    assert ImageTag.objects.filter(image__in=ids, tag__name="sea", source="removed").count() == 3
    album = Album.objects.create(owner=curator, title="Many")
    do(api, ids, "add", album_id=album.pk)
    do(api, ids[:1], "remove", album_id=album.pk)
    assert set(album.images.values_list("pk", flat=True)) == set(ids[1:])
    do(api, ids, "favourite")
    do(api, ids[:2], "unfavourite")
    assert [own.image_id for own in Favourite.objects.filter(user=curator)] == ids[2:]
    do(api, ids, "caption", caption="Said")
    do(api, ids, "date", taken="1987")
    do(api, ids, "place", place="Attic")
    do(api, ids, "turn", quarters=-1)
    assert {(own.caption, own.taken_precision, own.place, own.turn) for own in images} == {
        ("Said", "year", "Attic", 3)
    }
    do(api, ids, "trash")
    assert all(own.trashed_at for own in images.all())
    assert do(api, ids, "restore") == ["done"] * 3


def test_each_picture_has_its_outcome(api, client, curator, stranger, ids, django_assert_max_num_queries):
    theirs = Image.objects.get(pk=ids[0])
    Image.objects.filter(pk=theirs.pk).update(owner=stranger)
    with django_assert_max_num_queries(20):
        assert do(api, [*ids, 10**9], "tag", tag="sea") == ["not there", "done", "done", "not there"]
    album = Album.objects.create(owner=stranger, title="Shared")
    AlbumImage.objects.create(album=album, image=theirs)
    AlbumMember.objects.create(album=album, user=curator, role="viewer")
    assert do(api, ids[:1], "tag", tag="sea") == ["not yours to change"]
    assert not ImageTag.objects.filter(image=theirs, tag__name="sea").exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "trash"}, "image_ids"),
        ({"image_ids": [], "action": "trash"}, "image_ids"),
        ({"image_ids": [1] * (MOST + 1), "action": "trash"}, "image_ids"),
        ({"image_ids": ["x"], "action": "trash"}, "image_ids"),
        ({"image_ids": [1], "action": "explode"}, "action"),
        ({"image_ids": [1], "action": "tag"}, "tag"),
        ({"image_ids": [1], "action": "tag", "tag": "#"}, "tag"),
        ({"image_ids": [1], "action": "add"}, "album_id"),
        ({"image_ids": [1], "action": "add", "album_id": 10**9}, "album_id"),
        ({"image_ids": [1], "action": "remove", "album_id": 10**9}, "album_id"),
        ({"image_ids": [1], "action": "date", "taken": "x"}, "taken"),
        ({"image_ids": [1], "action": "place", "place": "99, 0"}, "place"),
        ({"image_ids": [1], "action": "turn", "quarters": 9}, "quarters"),
        ({"image_ids": [1], "action": "trash", "sugar": 1}, "sugar"),
    ],
)
def test_wrong_bodies_name_the_field_and_change_nothing(api, body, field):
    answer = api.post(BULK, body, format="json")
    assert (answer.status_code, wrong_fields(answer)) == (400, [field])


def test_the_admin_corrects_many(client, administrator, ids):
    client.force_login(administrator)
    address = "/admin/gallery/image/"
    asked = client.post(address, {"action": "correct", "_selected_action": ids})
    assert "What is left empty stays" in asked.content.decode()
    client.post(
        address, {"action": "correct", "_selected_action": ids, "apply": "1", "taken": "1987", "place": ""}
    )
    client.post(address, {"action": "turn_left", "_selected_action": ids})
    found = Image.objects.filter(pk__in=ids)
    assert {(own.taken_precision, own.turn) for own in found} == {("year", 3)}
    wrong = client.post(address, {"action": "correct", "_selected_action": ids, "apply": "1", "taken": "x"})
    assert "Write a date like" in wrong.content.decode()


def test_what_failed_is_read_again(api, photo):
    failed, ready = photo("coffee"), photo("rocket")
    Image.objects.filter(pk=failed.pk).update(status="failed", error="crashed", attempts=3)
    said = {"image_ids": [failed.pk, ready.pk], "action": "retry"}
    answer = api.post("/api/v1/images/bulk/", said, format="json").json()
    assert answer["count"] == 1
    assert Image.objects.get(pk=failed.pk).status == "pending"
    assert Image.objects.get(pk=ready.pk).status == "ready"
