"""What the API does not know it refuses, by name; what it made it gives the address of."""

import io
import re

import pytest
from django.core.cache import cache
from django.db import connection
from drf_spectacular.generators import SchemaGenerator

from gallery.models import Album, AlbumImage, Image
from tests.conftest import client_of, drawn, encoded, upload, wrong_fields


@pytest.fixture
def album(curator, photo):
    album = Album.objects.create(owner=curator, title="Corsica")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    return album


def test_parameters_that_nobody_knows(api, album, photo):
    image = f"images/{photo('coffee').pk}/"
    for address in (
        "me/", "changes/", image, f"{image}original/", f"{image}tags/", f"{image}thumbnails/small/",
        f"{image}similar/", f"{image}neighbours/", f"albums/{album.pk}/", f"albums/{album.pk}/images/",
        f"albums/{album.pk}/activity/", f"albums/{album.pk}/download/", f"albums/{album.pk}/members/",
        "timeline/", "suggestions/", "uploads/", "duplicates/", "tags/", "trash/", "tokens/",
    ):  # fmt: skip
        assert api.get(f"/api/v1/{address}").status_code == 200, address
        answer = api.get(f"/api/v1/{address}", {"nonsense": 1})
        assert (answer.status_code, address) == (400, address)
        assert wrong_fields(answer) == ["nonsense"]
        if address != "uploads/":  # where HEAD is of another protocol
            assert api.head(f"/api/v1/{address}", {"nonsense": 1}).status_code == 400
    assert api.patch(f"/api/v1/{image}?nonsense=1", {"caption": "x"}, format="json").status_code == 400
    assert Image.objects.get(pk=photo("coffee").pk).caption == ""


def test_every_operation_refuses_parameters_that_nobody_knows(administrator, photo):
    """What it would do besides: nothing; where there is nothing of that number, a 404 is right, too."""
    client, schema = client_of(administrator), SchemaGenerator().get_schema(request=None, public=True)
    refused = 0
    for path, operations in schema["paths"].items():
        address = re.sub(r"\{\w+\}", str(photo("coffee").pk), path) + "?nonsense=1"
        for method in operations.keys() & {"get", "post", "put", "patch", "delete"}:
            sent = {} if method == "get" else {"data": {}, "format": "json"}
            answer = getattr(client, method)(address, **sent)
            assert answer.status_code in (400, 404), (method, address)
            if answer.status_code == 400:
                assert wrong_fields(answer) == ["nonsense"]
                refused += 1
    assert refused > 60
    assert Image.objects.filter(pk=photo("coffee").pk, trashed_at=None).exists()


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("albums/", {"title": "Summer"}),
        ("albums/{album}/images/", {"image_id": "{image}"}),
        ("albums/{album}/arrange/", {"image_ids": ["{image}"]}),
        ("images/{image}/tags/", {"name": "cup"}),
        ("tokens/", {"name": "phone"}),
    ],
)
def test_fields_that_nobody_knows(api, album, photo, address, body):
    def filled(value):
        own = {"{image}": photo("coffee").pk}
        return [filled(one) for one in value] if isinstance(value, list) else own.get(value, value)

    body = {name: filled(value) for name, value in body.items()}
    address = "/api/v1/" + address.format(album=album.pk, image=photo("coffee").pk)
    answer = api.post(address, body | {"colour": "red"}, format="json")
    assert (answer.status_code, wrong_fields(answer)) == (400, ["colour"])
    assert api.post(address, body, format="json").status_code in (201, 204)


def test_of_an_upload_too(api, album):
    file = upload(encoded(drawn("teal")), "teal.png")
    answer = api.post("/api/v1/images/", {"file": file, "albums": "Summer"})
    assert (answer.status_code, wrong_fields(answer)) == (400, ["albums"])
    both = {"file": upload(encoded(drawn("teal")), "teal.png"), "album_id": album.pk, "album": "Summer"}
    assert wrong_fields(api.post("/api/v1/images/", both)) == ["album"]
    assert not Album.objects.filter(title="Summer").exists()


def test_what_was_made_has_an_address(api, curator, stranger, album, photo, administrator):
    curator.is_staff = curator.is_superuser = True
    curator.save()
    for address, body, where in (
        (f"albums/{album.pk}/members/", {"username": "stranger"}, f"/api/v1/albums/{album.pk}/members/"),
        ("tokens/", {"name": "phone"}, "/api/v1/tokens/"),
        ("invitations/", {"note": "Ana"}, "/api/v1/invitations/"),
        (f"images/{photo('coffee').pk}/tags/", {"name": "cup"}, f"/api/v1/images/{photo('coffee').pk}/tags/"),
    ):
        answer = api.post(f"/api/v1/{address}", body, format="json")
        assert answer.status_code == 201, answer.content
        assert answer["Location"].startswith(f"http://testserver{where}")


def test_choices_are_named(api, album, stranger):
    answer = api.post(
        f"/api/v1/albums/{album.pk}/members/", {"username": "stranger", "role": "king"}, format="json"
    )
    assert "Choose one of: viewer, contributor, editor" in answer.json()["detail"]
    assert "Choose one of: " in api.patch(
        f"/api/v1/albums/{album.pk}/", {"order": "sideways"}, format="json"
    ).json()["detail"]  # fmt: skip


def test_a_cursor_of_another_order(api):
    following = api.get("/api/v1/images/", {"limit": 5}).json()["next"]
    assert api.get(following).status_code == 200
    other = following.replace("limit=5", "limit=5&ordering=id")
    assert wrong_fields(api.get(other)) == ["cursor"]
    by_size = api.get("/api/v1/images/", {"limit": 5, "ordering": "-size"}).json()["next"]
    assert api.get(by_size).status_code == 200
    assert wrong_fields(api.get(by_size.replace("ordering=-size", "ordering=size"))) == ["cursor"]


def test_nothing_to_do_is_not_forbidden(api, photo):
    own = photo("coffee").pk
    answer = api.post("/api/v1/images/bulk/", {"action": "retry", "image_ids": [own, 10**9]}, format="json")
    assert answer.json()["outcomes"] == [
        {"image_id": own, "outcome": "nothing to do"}, {"image_id": 10**9, "outcome": "not there"},
    ]  # fmt: skip


def test_strangers_are_counted_too(client, curator, settings):
    settings.API_REQUESTS_PER_MINUTE = 5
    cache.clear()
    for headers in ({}, {"Authorization": "Token wrong"}):
        cache.clear()
        codes = [client.get("/api/v1/images/", headers=headers).status_code for _ in range(8)]
        assert codes == [401] * 5 + [429] * 3
    assert int(client.get("/api/v1/images/")["Retry-After"]) <= 60


def test_where_nothing_can_be_looked_at_no_tag_matches(api):
    token = api.post("/api/v1/tokens/", {"name": "phone"}, format="json").json()["id"]
    address = f"/api/v1/tokens/{token}/"
    assert api.delete(address, headers={"If-Match": '"of-something"'}).status_code == 412
    assert api.delete(address, headers={"If-Match": "*"}).status_code == 204


def test_a_change_with_parameters_is_compared_too(api, album, photo):
    image = photo("coffee").pk
    api.post(f"/api/v1/images/{image}/tags/", {"name": "boat"}, format="json")
    for address, name in (
        (f"/api/v1/images/{image}/tags/", "name=boat"),
        (f"/api/v1/albums/{album.pk}/images/", f"image_id={image}"),
    ):
        seen = api.get(address)["ETag"]
        whole = f"{address}?{name}"
        assert api.delete(whole, headers={"If-Match": '"of-something"'}).status_code == 412
        assert api.delete(whole, headers={"If-Match": seen}).status_code == 204
    assert api.options("/api/v1/images/?limit=5").status_code == 200


def test_nobody_holds_the_database_with_a_body_that_comes_slowly(api, album):
    """What comes along is read before the lock is taken that comparing needs."""
    held = []

    class Slowly(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            held.append(len(connection.savepoint_ids))
            return super().read(size)

    body = b'{"title": "Summer"}'
    answer = api.generic(
        "PATCH", f"/api/v1/albums/{album.pk}/", body, "application/json",
        headers={"If-Match": "*"}, **{"wsgi.input": Slowly(body)},
    )  # fmt: skip
    assert answer.status_code == 200
    assert held
    assert set(held) == {len(connection.savepoint_ids)}


def test_lists_come_in_an_order_that_is_asked_for(api, curator):
    for title in ("b", "c", "a"):
        Album.objects.create(owner=curator, title=title)

    def titles(**asked):
        first = api.get("/api/v1/albums/", {"limit": 2, **asked}).json()
        return [own["title"] for own in [*first["results"], *api.get(first["next"]).json()["results"]]]

    assert titles(ordering="title") == ["a", "b", "c"]
    assert titles(ordering="-title") == ["c", "b", "a"]
    assert titles(ordering="-created_at") == ["a", "c", "b"]
    wrong = api.get("/api/v1/albums/", {"ordering": "weight"})
    assert wrong_fields(wrong) == ["ordering"]
    assert "Choose one of: title, created_at, -title, -created_at." in wrong.json()["detail"]
    for address, orders in (
        ("trash", ["trashed_at", "-size", "filename"]), ("saved-searches", ["-name"]),
        ("share-links", ["title"]), ("tokens", ["-created_at"]), ("people", ["username"]),
        ("invitations", ["note"]),
    ):  # fmt: skip
        for order in orders:
            assert api.get(f"/api/v1/{address}/", {"ordering": order}).status_code == 200, (address, order)
