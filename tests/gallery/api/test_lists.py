"""Lists by piece, what has not changed, and how much may be asked."""

import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import timezone

from gallery import access_tokens
from gallery.models import Album, AlbumImage, GuestPicture, Image, Invitation, PartialUpload, ShareLink
from search.live_index import live_index
from tests.conftest import drawn, encoded, upload, wrong_fields

IMAGES = "/api/v1/images/"


def numbers(answer):
    return [image["id"] for image in answer.json()["results"]]


def all_pieces(api, between=lambda: None, **asked):
    """What a client gets that follows `next`; `between` is called once, after the first piece."""
    answer = api.get(IMAGES, asked)
    assert answer.status_code == 200, answer.json()
    found = numbers(answer)
    between()
    while address := answer.json()["next"]:
        answer = api.get(f"{IMAGES}?{urlsplit(address).query}")
        assert answer.status_code == 200, answer.json()
        found += numbers(answer)
    return found


@pytest.fixture
def dated(photo):
    """Four pictures by the year they were taken, of which two are of one moment."""
    years = {"coffee": 2001, "rocket": 1999, "chelsea": 2001}
    Image.objects.update(taken_at=None, taken_local=None)
    for name, year in years.items():
        moment = datetime(year, 5, 1, tzinfo=UTC)
        Image.objects.filter(pk=photo(name).pk).update(taken_at=moment, taken_local=moment)
    live_index.discard()
    return {name: photo(name).pk for name in years}


@pytest.mark.parametrize("order", ["-id", "id"])
def test_what_arrives_meanwhile_neither_repeats_nor_hides_a_picture(api, curator, order):
    before = set(Image.objects.filter(owner=curator).values_list("pk", flat=True))

    def arrive_and_go():
        api.post(IMAGES, {"file": upload(encoded(drawn("purple"), "PNG"))})

    found = all_pieces(api, arrive_and_go, limit=2, ordering=order)
    assert len(found) == len(set(found))
    assert before <= set(found)
    assert [pk for pk in found if pk in before] == sorted(before, reverse=order == "-id")


@pytest.mark.parametrize("order", ["taken", "-taken", "added", "size", "-size"])
def test_every_order_tells_each_picture_once(api, curator, dated, order):
    whole = all_pieces(api, ordering=order)
    assert sorted(whole) == sorted(Image.objects.filter(owner=curator).values_list("pk", flat=True))
    for limit in (1, 3):
        assert all_pieces(api, ordering=order, limit=limit) == whole


def test_by_date_and_by_filters_of_the_search(api, dated):
    among = list(dated.values())
    oldest = [pk for pk in all_pieces(api, ordering="taken", before="2010") if pk in among]
    assert oldest == [dated["rocket"], *sorted((dated["coffee"], dated["chelsea"]))]
    assert numbers(api.get(IMAGES, {"after": "2001", "before": "2002", "tag": "espresso"})) == [
        dated["coffee"]
    ]
    assert api.get(IMAGES, {"after": "2001", "before": "2002"}).json()["count"] == 2
    assert numbers(api.get(IMAGES, {"name": "rocket"})) == [dated["rocket"]]


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("images/?foo=1", "foo"),
        ("images/?page=2", "page"),
        ("images/?ordering=color", "ordering"),
        ("images/?cursor=x", "cursor"),
        ("images/?cursor=9_9_9&ordering=taken", "cursor"),
        ("images/?after=soon", "after"),
        ("images/?album=nowhere", "album"),
        ("images/?after=2001&status=pending", "status"),
        ("albums/?weight=1", "weight"),
        ("tags/?foo=1", "foo"),
        ("trash/?status=ready", "status"),
        ("share-links/?foo=1", "foo"),
        ("saved-searches/?foo=1", "foo"),
        ("invitations/?foo=1", "foo"),
        ("duplicates/?foo=1", "foo"),
        ("timeline/?foo=1", "foo"),
        ("suggestions/?foo=1", "foo"),
        ("tags/suggestions/?foo=1", "foo"),
        ("tokens/?foo=1", "foo"),
        ("people/?foo=1", "foo"),
    ],
)
def test_what_a_list_does_not_know_is_named(api, address, field):
    answer = api.get(f"/api/v1/{address}")
    assert (answer.status_code, wrong_fields(answer)) == (400, [field])


def test_what_has_not_changed_is_not_sent_again(api, photo):
    for address in (IMAGES, f"{IMAGES}{photo('coffee').pk}/", "/api/v1/albums/", "/api/v1/tags/"):
        tag = api.get(address)["ETag"]
        answer = api.get(address, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert api.get(address, headers={"If-None-Match": '"another"'}).status_code == 200
    address = f"{IMAGES}{photo('coffee').pk}/"
    tag = api.get(address)["ETag"]
    Image.objects.filter(pk=photo("coffee").pk).update(caption="espresso")
    assert api.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_what_changed_meanwhile_is_not_overwritten(api, photo):
    address = f"{IMAGES}{photo('coffee').pk}/"
    seen = api.get(address)["ETag"]
    mine = api.patch(address, {"caption": "mine"}, format="json", headers={"If-Match": seen})
    assert (mine.status_code, mine.json()["caption"]) == (200, "mine")
    late = api.patch(address, {"caption": "late"}, format="json", headers={"If-Match": seen})
    assert (late.status_code, late["Content-Type"]) == (412, "application/problem+json")
    assert api.get(address).json()["caption"] == "mine"
    assert api.delete(address, headers={"If-Match": seen}).status_code == 412
    assert api.delete(address, headers={"If-Match": api.get(address)["ETag"]}).status_code == 204
    assert api.patch(address, {"caption": "x"}, format="json", headers={"If-Match": "*"}).status_code == 404


def test_a_person_asks_so_much_in_a_minute(api, settings):
    cache.clear()
    settings.API_REQUESTS_PER_MINUTE = 2
    answers = [api.get("/api/v1/me/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"minute";q=2;w=60'
    assert [answer["RateLimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert answers[2]["Content-Type"] == "application/problem+json"
    settings.API_REQUESTS_PER_MINUTE = 0
    assert api.get("/api/v1/me/").status_code == 200


def test_other_sites_ask_where_they_may(client, settings):
    asked = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "GET"}
    assert "Access-Control-Allow-Origin" not in client.options(IMAGES, headers=asked)
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    answer = client.options(IMAGES, headers=asked)
    assert answer["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "If-Match".lower() in answer["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in client.options("/images/", headers=asked)


def test_the_pictures_before_and_after_one(api, dated, photo):
    """The same as the list says, in every order."""
    for order in ("-id", "taken", "-taken", "-size"):
        listed = all_pieces(api, ordering=order, before="2010")
        for place, pk in enumerate(listed):
            answer = api.get(f"{IMAGES}{pk}/neighbours/", {"ordering": order, "before": "2010"}).json()
            assert answer == {
                "previous": listed[place - 1] if place else None,
                "next": listed[place + 1] if place + 1 < len(listed) else None,
            }
    outside = api.get(f"{IMAGES}{photo('coffee').pk}/neighbours/", {"before": "1990"})
    assert outside.json() == {"previous": None, "next": None}
    assert api.get(f"{IMAGES}999999/neighbours/").status_code == 404
    assert wrong_fields(api.get(f"{IMAGES}{photo('coffee').pk}/neighbours/?limit=1")) == ["limit"]


LISTS = [
    "uploads/",
    "invitations/",
    "guest-pictures/",
    "albums/",
    "albums/{album}/images/",
    "trash/",
    "share-links/",
    "saved-searches/",
    "tokens/",
    "people/",
    "tags/",
]


@pytest.fixture
def listed(curator, photo, api):
    """Something in every list, an album in each of its orders, and what more of it can be made of."""
    albums = [Album.objects.create(owner=curator, title=title) for title in ("b", "a", "c", "d", "e")]
    pictures = list(Image.objects.filter(owner=curator).order_by("pk")[:9])
    for picture in pictures:
        albums[0].album_images.create(image=picture)
    for name in ("x", "y", "z"):
        access_tokens.create(curator, name)
        api.post("/api/v1/saved-searches/", {"name": name, "q": name}, format="json")
        api.post("/api/v1/share-links/", {"title": name, "album_id": albums[0].pk}, format="json")
        User.objects.create_user(f"person {name}")
        Invitation.objects.create(created_by=curator, token_hash=name)
        PartialUpload.objects.create(owner=curator, filename=name, length=9, expires_at=timezone.now())
    link, waiting = ShareLink.objects.first(), Image.objects.filter(owner=curator).order_by("pk")[9:13]
    for picture in waiting:
        GuestPicture.objects.create(link=link, image=picture)
    curator.is_staff = curator.is_superuser = True  # who may see invitations
    curator.save()
    gone = Image.objects.filter(owner=curator).order_by("-pk")[:5]
    Image.objects.filter(pk__in=gone.values("pk")).update(trashed_at=timezone.now())
    return albums[0]


def walked(api, address, between=lambda _row: None, limit=2):
    """The rows of a list as a client gets them that follows `next`."""
    answer, found = api.get(f"/api/v1/{address}?limit={limit}"), []
    while True:
        assert answer.status_code == 200, answer.json()
        rows = answer.json()["results"]
        found += rows
        if not (following := answer.json()["next"]):
            return found
        assert len(rows) == limit
        between(rows[-1])
        answer = api.get(following)


@pytest.mark.many
@pytest.mark.parametrize("address", LISTS)
def test_following_next_tells_each_row_once_and_in_order(api, listed, address):
    address = address.format(album=listed.pk)
    rows = walked(api, address)
    assert rows == api.get(f"/api/v1/{address}?limit=500").json()["results"]
    assert rows == api.get(f"/api/v1/{address}?limit=500&offset=0").json()["results"]
    assert len(rows) > 2


@pytest.mark.many
@pytest.mark.parametrize("order", ["added", "date", "hand"])
def test_an_album_is_told_whole_while_it_changes(api, curator, photo, listed, order):
    """In each of its orders: the row that one stands at goes, and others come in front."""
    images = list(listed.album_images.order_by("pk"))
    Image.objects.filter(album_images__in=images[:3]).update(taken_local=datetime(2001, 5, 1, tzinfo=UTC))
    Image.objects.filter(album_images__in=images[3:]).update(taken_local=None)
    for place, row in enumerate(images[:4]):
        listed.album_images.filter(pk=row.pk).update(position=place // 2)
    listed.order = order
    listed.save()
    whole = [row["id"] for row in api.get(f"/api/v1/albums/{listed.pk}/images/").json()["results"]]
    others, taken_out = iter([photo("rocket"), photo("coffee")]), []

    def disturb(row):
        if len(taken_out) < 2:
            listed.album_images.filter(image=row["id"]).delete()
            taken_out.append(row["id"])
            listed.album_images.get_or_create(image=next(others))

    found = [row["id"] for row in walked(api, f"albums/{listed.pk}/images/", disturb)]
    assert [pk for pk in found if pk in whole] == whole
    assert len(found) == len(set(found))


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0:1abc:def", "%00", "9" * 5000])
@pytest.mark.parametrize("address", ["albums/", "trash/", "uploads/"])
def test_a_cursor_that_is_none_is_named(api, address, cursor):
    assert wrong_fields(api.get(f"/api/v1/{address}?cursor={cursor}")) == ["cursor"]


def test_a_list_that_did_not_change_is_not_sent_again(api, listed, monkeypatch):
    first = api.get("/api/v1/albums/?limit=2")
    assert first.json()["next"]
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 100)
    again = api.get("/api/v1/albums/?limit=2", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304


def test_a_cursor_is_of_one_list(api, listed):
    following = api.get("/api/v1/albums/?limit=2").json()["next"]
    cursor = urlsplit(following).query
    assert wrong_fields(api.get(f"/api/v1/trash/?{cursor}")) == ["cursor"]
    assert wrong_fields(api.get(f"/api/v1/albums/?{cursor}&offset=2")) == ["cursor"]
    assert (
        api.get("/api/v1/albums/?limit=2&offset=2").json()["results"] == api.get(following).json()["results"]
    )


def test_which_albums_a_picture_is_in(api, curator, stranger, photo):
    rocket, coffee = photo("rocket"), photo("coffee")
    for title, images in (("Both", [rocket, coffee]), ("One", [coffee]), ("None", [])):
        album = Album.objects.create(owner=curator, title=title)
        AlbumImage.objects.bulk_create(AlbumImage(album=album, image=image) for image in images)
    AlbumImage.objects.create(album=Album.objects.create(owner=stranger, title="Hers"), image=coffee)

    def titles(image_id):
        return [own["title"] for own in api.get(f"/api/v1/albums/?image_id={image_id}").json()["results"]]

    assert (titles(coffee.pk), titles(rocket.pk), titles(10**9)) == (["Both", "One"], ["Both"], [])
    for wrong in ("0", "1.5", "x", str(2**60), ""):
        answer = api.get(f"/api/v1/albums/?image_id={wrong}")
        assert (answer.status_code, wrong_fields(answer)) == (400, ["image_id"]), wrong
