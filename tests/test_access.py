"""Every address of the site and what each kind of person gets there. An address without a rule fails the test."""

import pytest
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern

from gallery.models import Album, AlbumImage, AlbumMember
from search import pictures
from search.models import SavedSearch
from tests.conftest import demo_path, upload

# Who looks: nobody signed in, a stranger, a viewer of an album with the picture, its owner, an administrator.
PEOPLE = ("anonymous", "stranger", "viewer", "owner", "administrator")

LOGIN = (302, 200, 200, 200, 200)  # a page of one's own: signing in is all it takes
SHARED = (302, 404, 200, 200, 404)  # about a picture or album that is shared
FILE = (302, 404, 200, 200, 200)  # a file, which the admin site shows to administrators
OWN = (302, 404, 404, 302, 404)  # nobody else's business; a redirect to what it stands for
POST_ONLY = (302, 405, 405, 405, 405)
API_OWN = (401, 200, 200, 200, 200)
API_SHARED = (401, 404, 200, 200, 404)
PUBLIC = (200,) * 5

GET_RULES = {
    "search": LOGIN,
    "searches": LOGIN,
    "saved-search": OWN,
    "saved-search-cover": OWN,
    "saved-search-delete": POST_ONLY,
    "duplicates": LOGIN,
    "duplicates-decide": POST_ONLY,
    "query-picture": LOGIN,  # whoever is signed in and knows the key
    "browse": LOGIN,
    "image": SHARED,
    "image-delete": POST_ONLY,
    "image-original": FILE,
    "image-thumbnail": FILE,
    "image-albums": POST_ONLY,
    "selection": POST_ONLY,
    "trash": LOGIN,
    "albums": LOGIN,
    "album": SHARED,
    "album-download": SHARED,
    "album-edit": POST_ONLY,
    "album-delete": POST_ONLY,
    "album-members": POST_ONLY,
    "album-member-remove": POST_ONLY,
    "album-image-remove": POST_ONLY,
    "tags": LOGIN,
    "upload": LOGIN,
    "login": (200, 302, 302, 302, 302),
    "logout": POST_ONLY,
    "password_change": LOGIN,
    "healthz": PUBLIC,
    "api-token": (405,) * 5,
    "api-image-list": API_OWN,
    "api-image-detail": API_SHARED,
    "api-image-original": API_SHARED,
    "api-image-tags": API_SHARED,
    "api-image-similar": API_SHARED,
    "api-album-list": API_OWN,
    "api-album-detail": API_SHARED,
    "api-album-images": API_SHARED,
    "api-tag-list": API_OWN,
    "api-search": (401, 405, 405, 405, 405),
    "api-tag-suggestions": API_OWN,
    "schema": PUBLIC,
    "api-docs": PUBLIC,
}
# With a form that says nothing: what is refused for who one is comes before what is refused for what one sent.
POST_RULES = {
    "image-delete": (302, 404, 404, 302, 404),
    "image-albums": (302, 404, 404, 400, 404),
    "albums": (302, 400, 400, 400, 400),
    "album-edit": (302, 404, 404, 400, 404),
    "album-delete": (302, 404, 404, 302, 404),
    "album-members": (302, 404, 404, 400, 404),
    "album-member-remove": (302, 404, 302, 302, 404),
    "album-image-remove": (302, 404, 404, 302, 404),
    "selection": (302, 400, 400, 400, 400),
    "upload": (302, 400, 400, 400, 400),
    "search": (302, 302, 302, 302, 302),
    "searches": (302, 400, 400, 400, 400),
    "saved-search-delete": (302, 404, 404, 302, 404),
    "duplicates-decide": (302, 400, 400, 400, 400),
    "api-image-list": (401, 400, 400, 400, 400),
    "api-image-tags": (401, 404, 404, 400, 404),
    "api-album-list": (401, 400, 400, 400, 400),
    "api-album-images": (401, 404, 404, 400, 404),
    "api-search": (401, 200, 200, 200, 200),
}
DELETE_RULES = {
    "api-image-detail": (401, 404, 404, 204, 404),
    "api-image-tags": (401, 404, 404, 400, 404),
    "api-album-detail": (401, 404, 404, 204, 404),
    "api-album-images": (401, 404, 400, 400, 404),
}


def patterns(resolver=None, prefix: str = ""):
    """(name, address) of every address outside the admin site, which keeps its own rules."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield pattern.name, address
        elif address != "admin/":
            yield from patterns(pattern, address)


ADDRESSES = dict(patterns())


@pytest.fixture
def world(curator, stranger, administrator, photo, django_user_model):
    """A shared picture in an album with a viewer; what addresses are made of, and the people by kind."""
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    viewer = django_user_model.objects.create_user("viewer")
    member = AlbumMember.objects.create(album=album, user=viewer)
    key = pictures.add(upload(demo_path("rocket").read_bytes())).key
    search = SavedSearch.objects.create(owner=curator, name="Cats", address="q=cat")
    people = (None, stranger, viewer, curator, administrator)
    return {"album": album.pk, "image": photo("coffee").pk, "member": member.pk, "key": key, "search": search.pk}, dict(
        zip(PEOPLE, people, strict=True)
    )


def address(name: str, parts: dict) -> str:
    arguments = {}
    if "<int:pk>" in ADDRESSES[name]:
        kind = "search" if "search" in name else "album" if "album" in name and name != "image-albums" else "image"
        arguments["pk"] = parts[kind]
    for part in ("member", "image"):
        if f"<int:{part}>" in ADDRESSES[name]:
            arguments[part] = parts[part]
    if "<slug:key>" in ADDRESSES[name]:
        arguments["key"] = parts["key"]
    if "<slug:size>" in ADDRESSES[name]:
        arguments["size"] = "small"
    return reverse(name, kwargs=arguments)


def test_every_address_has_a_rule():
    assert set(ADDRESSES) == set(GET_RULES)


@pytest.mark.parametrize("number", range(len(PEOPLE)), ids=PEOPLE)
@pytest.mark.parametrize(
    ("method", "name"),
    [("get", name) for name in GET_RULES]
    + [("post", name) for name in POST_RULES]
    + [("delete", name) for name in DELETE_RULES],
)
def test_what_each_person_gets(client, world, method, name, number):
    parts, people = world
    rules = {"get": GET_RULES, "post": POST_RULES, "delete": DELETE_RULES}[method]
    person = people[PEOPLE[number]]
    if person:
        client.force_login(person)
    response = getattr(client, method)(address(name, parts))
    assert response.status_code == rules[name][number]
    if response.status_code == 302 and person is None:
        assert "/accounts/login/" in response["Location"]


def test_the_admin_site_is_for_administrators(client, world):
    _, people = world
    for kind, person in people.items():
        if person:
            client.force_login(person)
        status = client.get("/admin/gallery/image/").status_code
        assert status == (200 if kind == "administrator" else 302), kind
