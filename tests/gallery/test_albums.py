"""Albums: what each role may do, by pages and by API, and that pictures follow."""

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from gallery import ingest, trash
from gallery.models import Album, AlbumImage, AlbumMember, Image
from search import engine
from search.query.query import Query
from tests.conftest import drawn, encoded, upload, wrong_fields
from tests.gallery.test_pages import text_of

ROLES = ("stranger", "viewer", "contributor", "editor", "owner")


@pytest.fixture
def album(curator, photo):
    """The curator's album with two demo photos, and a member in every role, who all have a picture of their
    own."""
    album = Album.objects.create(owner=curator, title="Shared")
    for name in ("coffee", "rocket"):
        AlbumImage.objects.create(album=album, image=photo(name))
    for number, role in enumerate(("viewer", "contributor", "editor", "nobody")):
        person = get_user_model().objects.create_user(role)
        ingest.add(person, upload(encoded(drawn((number, 9, 9))), f"{role}.png"))
        if role != "nobody":
            AlbumMember.objects.create(album=album, user=person, role=role)
    return album


def person(role: str):
    return get_user_model().objects.get(username={"stranger": "nobody", "owner": "curator"}.get(role, role))


def own(role: str) -> Image:
    return Image.objects.filter(owner=person(role)).order_by("pk").first()


# What each role gets, in the order of ROLES.
PAGES = {
    "look": ("get", "/albums/{album}/", {}, (404, 200, 200, 200, 200)),
    "rename": ("post", "/albums/{album}/edit", {"title": "New"}, (404, 404, 404, 302, 302)),
    "add own": ("post", "/images/{own}/albums", {"album": "{album}"}, (404, 404, 302, 302, 302)),
    "add another's": ("post", "/images/{coffee}/albums", {"album": "{album}"}, (404, 404, 404, 404, 302)),
    "take out another's": ("post", "/albums/{album}/images/{coffee}/remove", {}, (404, 404, 404, 302, 302)),
    "invite": (
        "post",
        "/albums/{album}/members",
        {"username": "nobody", "role": "viewer"},
        (404, 404, 404, 404, 302),
    ),
    "end another's membership": (
        "post",
        "/albums/{album}/members/{viewer}/remove",
        {},
        (404, 302, 404, 404, 302),
    ),
    "delete": ("post", "/albums/{album}/delete", {}, (404, 404, 404, 404, 302)),
}
API = {
    "look": ("get", "/api/v1/albums/{album}/", {}, (404, 200, 200, 200, 200)),
    "pictures": ("get", "/api/v1/albums/{album}/images/", {}, (404, 200, 200, 200, 200)),
    "rename": ("patch", "/api/v1/albums/{album}/", {"title": "New"}, (404, 404, 404, 200, 200)),
    "add own": ("post", "/api/v1/albums/{album}/images/", {"image_id": "{own}"}, (404, 404, 204, 204, 204)),
    "add another's": (
        "post",
        "/api/v1/albums/{album}/images/",
        {"image_id": "{coffee}"},
        (404, 404, 400, 400, 204),
    ),
    "take out another's": (
        "delete",
        "/api/v1/albums/{album}/images/?image_id={coffee}",
        {},
        (404, 404, 404, 204, 204),
    ),
    "delete": ("delete", "/api/v1/albums/{album}/", {}, (404, 404, 404, 404, 204)),
}
CASES = [
    (kind, action, role, table[action][:3], table[action][3][number])
    for kind, table in (("page", PAGES), ("api", API))
    for action in table
    for number, role in enumerate(ROLES)
]


@pytest.mark.parametrize(
    ("kind", "action", "role", "call", "status"), CASES, ids=lambda value: str(value)[:20]
)
def test_what_each_role_may_do(client, album, photo, kind, action, role, call, status):
    names = {
        "album": album.pk,
        "own": own(role).pk,
        "coffee": photo("coffee").pk,
        "viewer": AlbumMember.objects.get(user__username="viewer").pk,
    }
    method, path, data = call
    data = {key: value.format(**names) for key, value in data.items()}
    if kind == "api":
        client = APIClient()
        client.force_authenticate(person(role))
        answer = getattr(client, method)(path.format(**names), data, format="json")
    else:
        client.force_login(person(role))
        answer = getattr(client, method)(path.format(**names), data)
    assert answer.status_code == status, action


def found(role: str) -> set[str]:
    results = engine.search(Query(text="anything"), person(role)).results
    return {result.image.filename for result in results}


def test_a_contributor_adds_and_takes_out_only_their_own(client, album):
    client.force_login(person("contributor"))
    mine = own("contributor")
    client.post(f"/images/{mine.pk}/albums", {"album": album.pk})
    assert album.images.filter(pk=mine.pk).exists()
    assert client.post(f"/albums/{album.pk}/images/{mine.pk}/remove").status_code == 302
    assert not album.images.filter(pk=mine.pk).exists()


def test_pictures_are_seen_and_found_while_they_are_shared(client, album, photo):
    assert found("viewer") == {"coffee.png", "rocket.jpg"}
    client.force_login(person("owner"))
    client.post(f"/albums/{album.pk}/images/{photo('coffee').pk}/remove")
    assert found("viewer") == {"rocket.jpg"}
    client.post(f"/albums/{album.pk}/delete")
    assert found("viewer") == set()
    assert Image.objects.filter(filename="rocket.jpg").exists()


def test_a_member_who_leaves_sees_nothing_more(client, album):
    client.force_login(person("editor"))
    membership = AlbumMember.objects.get(user=person("editor"))
    assert client.post(f"/albums/{album.pk}/members/{membership.pk}/remove").status_code == 302
    assert found("editor") == set()


def test_albums_are_made_listed_and_searched(client, curator, album):
    client.force_login(curator)
    made = client.post("/albums/", {"title": "Summer", "description": "at the sea"}, follow=True)
    assert "This album is empty" in text_of(made)
    words = text_of(client.get("/albums/"))
    assert "Summer 0 pictures" in words
    assert "Shared 2 pictures" in words
    inside = client.get("/", {"q": "space launch", "album": album.pk, "all": 1})
    assert [result.image.filename for result in inside.context["results"].results] == [
        "rocket.jpg",
        "coffee.png",
    ]
    assert "In the album Shared" in text_of(inside)


@pytest.mark.parametrize(
    ("address", "data", "words"),
    [
        ("/albums/", {}, "This field is required."),
        ("/albums/", {"title": "Shared"}, "You already have an album called 'Shared'."),
        ("/albums/", {"title": "x" * 201}, "at most 200 characters"),
        ("/albums/{}/edit", {"title": ""}, "This field is required."),
        (
            "/albums/{}/members",
            {"username": "unicorn", "role": "viewer"},
            "There is no user named 'unicorn'.",
        ),
        (
            "/albums/{}/members",
            {"username": "curator", "role": "viewer"},
            "The owner can't be added as a member.",
        ),
        ("/albums/{}/members", {"username": "viewer", "role": "king"}, "is not one of the available choices"),
        ("/images/{image}/albums", {"album": "x"}, "Choose an album."),
        ("/images/{image}/albums", {}, "Choose an album."),
    ],
)
def test_what_is_wrong_is_a_400_in_words(client, curator, album, photo, address, data, words):
    client.force_login(curator)
    response = client.post(address.format(album.pk, image=photo("coffee").pk), data)
    assert response.status_code == 400
    assert words in text_of(response).replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "Shared"}, "title"),
        ({"title": "y" * 201}, "title"),
    ],
)
def test_a_wrong_album_names_the_field_in_the_api(api, album, data, field):
    answer = api.post("/api/v1/albums/", data, format="json")
    assert (answer.status_code, wrong_fields(answer)) == (400, [field])


def test_albums_in_the_api(api, album):
    made = api.post("/api/v1/albums/", {"title": "Summer"}, format="json")
    assert (made.status_code, made.json()["pictures"], made.json()["owner"]) == (201, 0, "curator")
    listed = {entry["title"]: entry["pictures"] for entry in api.get("/api/v1/albums/").json()["results"]}
    assert listed == {"Shared": 2, "Summer": 0}
    assert api.get(f"/api/v1/albums/{album.pk}/images/").json()["count"] == 2


def test_pages_take_a_constant_number_of_queries(client, curator, album, photo, django_assert_num_queries):
    client.force_login(curator)
    for count in (2, 12):
        for number in range(count):
            Album.objects.get_or_create(owner=curator, title=f"album {number}")
            AlbumImage.objects.get_or_create(album=album, image=Image.objects.filter(owner=curator)[number])
        with django_assert_num_queries(4):  # session, person, count, albums
            client.get("/albums/")
        # session, person, album, that it was opened, its roles three times, count, pictures, what they show
        # in words (extractor, tags), members, whom to add, choice
        with django_assert_num_queries(14):
            client.get(f"/albums/{album.pk}/")


def test_tags_count_only_what_is_seen(client, album):
    client.force_login(person("viewer"))
    words = text_of(client.get("/tags/"))
    assert "#espresso 1" in words
    assert "tabby cat" not in words


def test_the_api_shows_no_trash_in_an_album(api, curator, photo):
    album = Album.objects.create(owner=curator, title="A")
    for name in ("coffee", "rocket"):
        AlbumImage.objects.create(album=album, image=photo(name))
    trash.move(Image.objects.filter(pk=photo("coffee").pk))
    listed = api.get(f"/api/v1/albums/{album.pk}/images/").json()["results"]
    assert [image["filename"] for image in listed] == ["rocket.jpg"]
