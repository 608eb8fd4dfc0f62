"""Every address of the site and what each kind of person gets there.

An address without a rule fails the test.
"""

from copy import copy
from datetime import timedelta
from functools import cache

import pytest
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern
from django.utils import timezone

from gallery import access_tokens
from gallery.models import Album, AlbumImage, AlbumMember, Comment, Invitation, PartialUpload, ShareLink
from search.models import QueryPicture, SavedSearch
from search.query import query_pictures
from tests.conftest import demo_path, upload

# Who looks: nobody signed in; nobody signed in who has a share link of the album; a stranger; a viewer, a
# contributor and an editor of an album with the picture; the owner of both; an administrator.
PEOPLE = ("anonymous", "link holder", "stranger", "viewer", "contributor", "editor", "owner", "administrator")


def who(nobody, stranger, viewer, contributor, editor, owner, administrator, holder=None):
    """The statuses in the order of PEOPLE; a link's holder is No other user unless said."""
    return (nobody, holder or nobody, stranger, viewer, contributor, editor, owner, administrator)


def members(nobody, stranger, member, owner, administrator):
    """Where members of every role are alike."""
    return who(nobody, stranger, member, member, member, owner, administrator)


LOGIN = members(302, 200, 200, 200, 200)  # a page of one's own: signing in is all it takes
SHARED = members(302, 404, 200, 200, 404)  # about a picture or album that is shared
FILE = members(302, 404, 200, 200, 200)  # a file, which the admin site shows to administrators
OWN = members(302, 404, 404, 302, 404)  # No other user's business; a redirect to what it stands for
OWN_PAGE = members(302, 404, 404, 200, 404)
ADMINISTRATORS = members(302, 404, 404, 404, 200)
POST_ONLY = members(302, 405, 405, 405, 405)
API_OWN = members(401, 200, 200, 200, 200)
API_SHARED = members(401, 404, 200, 200, 404)
API_MINE = members(401, 404, 404, 200, 404)
PUBLIC = (200,) * 8
LINK = who(*[404] * 7, holder=200)  # by its token alone, which the others have not

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
    "image-albums": OWN_PAGE,
    "image-tags": POST_ONLY,
    "tokens": LOGIN,
    "token-revoke": POST_ONLY,
    "models": ADMINISTRATORS,
    "image-caption": POST_ONLY,
    "image-correct": POST_ONLY,
    "image-favourite": POST_ONLY,
    "waiting": LOGIN,
    "region": SHARED,
    "selection": POST_ONLY,
    "undo": POST_ONLY,
    "trash": LOGIN,
    "trashed": members(302, 404, 404, 404, 404),  # it is in no trash
    "trash-empty": POST_ONLY,
    "tag-change": POST_ONLY,
    "saved-search-edit": POST_ONLY,
    "help": PUBLIC,
    "manifest": PUBLIC,
    "service-worker": PUBLIC,
    "offline": PUBLIC,
    "received": LOGIN,
    "albums": LOGIN,
    "album": SHARED,
    "album-download": SHARED,
    "album-activity": SHARED,
    "album-comment": POST_ONLY,
    "album-heart": POST_ONLY,
    "comment-remove": POST_ONLY,
    "guests": LOGIN,
    "album-edit": POST_ONLY,
    "album-delete": POST_ONLY,
    "album-members": POST_ONLY,
    "album-member-remove": POST_ONLY,
    "album-image-remove": POST_ONLY,
    "album-arrange": POST_ONLY,
    "album-cover": POST_ONLY,
    "links": LOGIN,
    "link-new": OWN_PAGE,
    "link-edit": OWN_PAGE,
    "link-revoke": POST_ONLY,
    "shared": LINK,
    "shared-image": LINK,
    "shared-thumbnail": LINK,
    "shared-original": LINK,
    "shared-download": LINK,
    "shared-add": (405,) * 8,
    "account": LOGIN,
    "account-delete": LOGIN,
    "account-offer": POST_ONLY,
    "theme": (405,) * 8,
    "set_language": (302,) * 8,  # back to where one came from, and nothing changed
    "texts": PUBLIC,
    "person-delete": ADMINISTRATORS,
    "invitations": ADMINISTRATORS,
    "invitation-revoke": POST_ONLY,
    "join": PUBLIC,  # with an invitation
    "register": (404,) * 8,  # while it is not open
    "password_reset": PUBLIC,
    "password_reset_done": PUBLIC,
    "password_reset_confirm": PUBLIC,  # says that the address is not valid
    "tags": LOGIN,
    "upload": LOGIN,
    "login": members(200, 302, 302, 302, 302),
    "logout": POST_ONLY,
    "password_change": LOGIN,
    "healthz": PUBLIC,
    "metrics": members(404, 404, 404, 404, 200),
    "readyz": (503,) * 8,  # no worker runs beside the tests
    "api-token": (405,) * 8,
    "api-image-list": API_OWN,
    "api-image-neighbours": API_SHARED,
    "api-access-token-list": API_OWN,
    "api-access-token-detail": members(401, 405, 405, 405, 405),
    "api-image-detail": API_SHARED,
    "api-image-bulk": members(401, 405, 405, 405, 405),
    "api-image-original": API_SHARED,
    "api-image-tags": API_SHARED,
    "api-image-similar": API_SHARED,
    "api-album-list": API_OWN,
    "api-album-detail": API_SHARED,
    "api-album-images": API_SHARED,
    "api-album-arrange": members(401, 405, 405, 405, 405),
    "api-tag-list": API_OWN,
    "api-search": members(401, 405, 405, 405, 405),
    "api-tag-suggestions": API_OWN,
    "api-suggestions": API_OWN,
    "api-image-favourite": members(401, 405, 405, 405, 405),
    "api-me": API_OWN,
    "api-changes": API_OWN,
    "api-uploads": API_OWN,
    "api-upload": API_MINE,
    "api-image-check": members(401, 405, 405, 405, 405),
    "api-image-thumbnail": members(401, 404, 200, 200, 200),
    "api-album-download": API_SHARED,
    "api-member-list": API_SHARED,
    "api-member-detail": members(401, 405, 405, 405, 405),
    "api-talk": API_SHARED,
    "api-heart": members(401, 405, 405, 405, 405),
    "api-comment": members(401, 405, 405, 405, 405),
    "api-album-activity": API_SHARED,
    "api-guest-picture-list": API_OWN,
    "api-guest-picture-accept": members(401, 405, 405, 405, 405),
    "api-guest-picture-decline": members(401, 405, 405, 405, 405),
    "api-invitation-list": API_OWN,
    "api-invitation-detail": members(401, 405, 405, 405, 405),
    "api-person-list": API_OWN,
    "api-share-link-list": API_OWN,
    "api-share-link-detail": API_MINE,
    "api-trash-list": API_OWN,
    "api-trash-detail": members(401, 404, 404, 404, 404),
    "api-trash-restore": members(401, 405, 405, 405, 405),
    "api-trash-empty": members(401, 405, 405, 405, 405),
    "api-saved-search-list": API_OWN,
    "api-saved-search-detail": API_MINE,
    "api-saved-search-results": API_MINE,
    "api-duplicates": API_OWN,
    "api-timeline": API_OWN,
    "schema": API_OWN,
    "api-docs": API_OWN,
}
# With a form that says nothing: what is refused for who one is comes before what is refused for what one
# sent.
POST_RULES = {
    "image-tags": who(302, 404, 404, 404, 400, 400, 404),
    "image-correct": who(302, 404, 404, 404, 400, 400, 404),
    "image-caption": who(302, 404, 404, 404, 302, 302, 404),
    "image-favourite": members(302, 404, 400, 400, 404),
    "region": members(302, 400, 400, 400, 400),
    "album-arrange": who(302, 404, 404, 404, 400, 400, 404),
    "album-cover": who(302, 404, 404, 404, 400, 400, 404),
    "links": members(302, 400, 400, 400, 400),
    "link-edit": members(302, 404, 404, 400, 404),
    "link-revoke": members(302, 404, 404, 302, 404),
    "shared": who(*[404] * 7, holder=302),
    "account": members(302, 302, 302, 302, 302),
    "account-delete": members(302, 400, 400, 400, 400),
    "person-delete": members(302, 404, 404, 404, 400),
    "theme": (302,) * 8,
    "set_language": (302,) * 8,
    "invitations": members(302, 404, 404, 404, 400),
    "models": members(302, 404, 404, 404, 400),
    "invitation-revoke": members(302, 404, 404, 404, 302),
    "join": (400,) * 8,
    "register": (404,) * 8,
    "password_reset": (400,) * 8,  # anybody may ask; these forms are empty
    "api-album-arrange": who(401, 404, 404, 404, 400, 400, 404),
    "tokens": members(302, 400, 400, 400, 400),
    "token-revoke": members(302, 404, 404, 302, 404),
    "api-access-token-list": members(401, 400, 400, 400, 400),
    "image-delete": members(302, 404, 404, 302, 404),
    "image-albums": members(302, 404, 404, 400, 404),
    "albums": members(302, 400, 400, 400, 400),
    "album-edit": who(302, 404, 404, 404, 400, 400, 404),
    "album-delete": members(302, 404, 404, 302, 404),
    "album-members": members(302, 404, 404, 400, 404),
    "album-member-remove": who(302, 404, 302, 404, 404, 302, 404),
    "album-image-remove": who(302, 404, 404, 404, 302, 302, 404),
    "album-comment": members(302, 404, 400, 400, 404),
    "album-heart": members(302, 404, 400, 400, 404),
    "comment-remove": who(302, 404, 302, 404, 404, 302, 404),
    "guests": members(302, 400, 400, 400, 400),
    "shared-add": who(*[404] * 7, holder=400),
    "undo": members(302, 400, 400, 400, 400),
    "trash-empty": members(302, 302, 302, 302, 302),
    "tag-change": members(302, 400, 400, 400, 400),
    "saved-search-edit": members(302, 404, 404, 400, 404),
    "selection": members(302, 400, 400, 400, 400),
    "upload": members(302, 400, 400, 400, 400),
    "search": members(302, 302, 302, 302, 302),
    "searches": members(302, 400, 400, 400, 400),
    "saved-search-delete": members(302, 404, 404, 302, 404),
    "duplicates-decide": members(302, 400, 400, 400, 400),
    "api-image-list": members(401, 400, 400, 400, 400),
    "api-image-tags": who(401, 404, 404, 404, 400, 400, 404),
    "api-album-list": members(401, 400, 400, 400, 400),
    "api-album-images": who(401, 404, 404, 400, 400, 400, 404),
    "api-search": members(401, 200, 200, 200, 200),
    "api-image-bulk": members(401, 400, 400, 400, 400),
    "api-image-check": members(401, 400, 400, 400, 400),
    "api-member-list": who(401, 404, 404, 404, 404, 400, 404),
    "api-talk": members(401, 404, 400, 400, 404),
    "api-guest-picture-accept": members(401, 400, 400, 400, 400),
    "api-guest-picture-decline": members(401, 400, 400, 400, 400),
    "api-invitation-list": members(401, 403, 403, 403, 201),
    "api-share-link-list": members(401, 400, 400, 400, 400),
    "api-trash-restore": members(401, 404, 404, 404, 404),
    "api-trash-empty": members(401, 200, 200, 200, 200),
    "api-saved-search-list": members(401, 400, 400, 400, 400),
    "api-duplicates": members(401, 400, 400, 400, 400),
    "api-uploads": members(401, 412, 412, 412, 412),  # without the protocol's header field
}
DELETE_RULES = {
    "api-member-detail": who(401, 404, 204, 404, 404, 204, 404),
    "api-invitation-detail": members(401, 404, 404, 404, 204),
    "api-share-link-detail": members(401, 404, 404, 204, 404),
    "api-trash-detail": members(401, 404, 404, 404, 404),
    "api-saved-search-detail": members(401, 404, 404, 204, 404),
    "api-access-token-detail": members(401, 404, 404, 204, 404),
    "api-image-detail": members(401, 404, 404, 204, 404),
    "api-image-tags": who(401, 404, 404, 404, 400, 400, 404),
    "api-image-favourite": members(401, 404, 204, 204, 404),
    "api-heart": members(401, 404, 204, 204, 404),
    "api-comment": who(401, 404, 204, 404, 404, 204, 404),
    "api-album-detail": members(401, 404, 404, 204, 404),
    "api-album-images": members(401, 404, 400, 400, 404),
    "api-upload": members(401, 412, 412, 412, 412),
}
PATCH_RULES = {
    "api-upload": members(401, 412, 412, 412, 412),
    "api-me": members(401, 200, 200, 200, 200),
    "api-member-detail": who(401, 404, 404, 404, 404, 400, 404),
    "api-share-link-detail": API_MINE,
    "api-saved-search-detail": API_MINE,
    "api-album-detail": who(401, 404, 404, 404, 200, 200, 404),
    "api-image-detail": who(401, 404, 404, 404, 200, 200, 404),
}
PUT_RULES = {
    "api-image-favourite": members(401, 404, 204, 204, 404),
    "api-heart": members(401, 404, 204, 204, 404),
}
RULES = {
    "get": GET_RULES,
    "post": POST_RULES,
    "delete": DELETE_RULES,
    "patch": PATCH_RULES,
    "put": PUT_RULES,
}


def patterns(resolver=None, prefix: str = ""):
    """(name, address, view) of every address outside the admin site, which keeps its own rules."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield pattern.name, address, pattern.callback
        elif address != "admin/":
            yield from patterns(pattern, address)


ADDRESSES = {name: address for name, address, _ in patterns()}
API_METHODS = {
    (method, name)
    for name, _, view in patterns()
    for method in getattr(view, "actions", {})
    if method in view.cls.http_method_names and method != "head"
}


@cache
def _embedded() -> QueryPicture:
    return query_pictures.add(upload(demo_path("rocket").read_bytes()))


def _query_picture() -> QueryPicture:
    """A query picture, which was embedded once for all tests."""
    row = copy(_embedded())
    row.pk, row.key, row.created_at = None, "k" * 22, timezone.now()
    row.save(force_insert=True)
    return row


@pytest.fixture
def world(curator, stranger, administrator, photo, django_user_model):
    """A shared picture in an album with a member of every role.

    What addresses are made of, and the people by kind.
    """
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    roles = {role: django_user_model.objects.create_user(role) for role in AlbumMember.Role.values}
    memberships = {
        role: AlbumMember.objects.create(album=album, user=user, role=role).pk for role, user in roles.items()
    }
    link = ShareLink(owner=curator, album=album, title="Shared", allow_download=True, allow_uploads=True)
    link_token = link.new_token()
    link.save()
    invitation = Invitation(created_by=administrator, expires_at=timezone.now() + timedelta(days=1))
    invitation_token = invitation.new_token()
    invitation.save()
    parts = {
        "album": album.pk,
        "image": photo("coffee").pk,
        "member": memberships["viewer"],
        "key": _query_picture().key,
        "comment": Comment.objects.create(
            album=album, image=photo("coffee"), author=roles["viewer"], text="Lovely"
        ).pk,
        "search": SavedSearch.objects.create(owner=curator, name="Cats", address="q=cat").pk,
        "link": link.pk,
        "invitation": invitation.pk,
        "person": django_user_model.objects.create_user("another").pk,
        "shared": link_token,
        "join": invitation_token,
        "token": access_tokens.create(curator, "phone")[0].pk,
        "upload": PartialUpload.objects.create(
            owner=curator, length=9, expires_at=timezone.now() + timedelta(days=1)
        ).pk,
    }
    people = {"anonymous": None, "link holder": None, "stranger": stranger, **roles}
    return parts, people | {"owner": curator, "administrator": administrator}


def address(name: str, parts: dict) -> str:
    arguments = {}
    if "<int:pk>" in ADDRESSES[name]:
        kinds = ("token", "search", "link", "invitation", "person", "album", "comment", "member", "image")
        kind = "image" if name == "image-albums" else next((kind for kind in kinds if kind in name), "image")
        arguments["pk"] = parts["image"] if name.startswith("shared") else parts[kind]
    if "<uuid:pk>" in ADDRESSES[name]:
        arguments["pk"] = parts["upload"]
    for part in ("album", "member", "image"):
        if f"<int:{part}>" in ADDRESSES[name]:
            arguments[part] = parts[part]
    if "<slug:token>" in ADDRESSES[name]:
        arguments["token"] = parts["join" if name == "join" else "shared"]
    if "<uidb64>" in ADDRESSES[name]:
        arguments |= {"uidb64": "MQ", "token": "no-token"}
    if "<slug:key>" in ADDRESSES[name]:
        arguments["key"] = parts["key"]
    if "<slug:size>" in ADDRESSES[name]:
        arguments["size"] = "small"
    query = {
        "link-new": f"?album={parts['album']}",
        "region": f"?image={parts['image']}&of={parts['image']}",
    }.get(name, "")
    return reverse(name, kwargs=arguments) + query


def test_every_address_has_a_rule():
    assert set(ADDRESSES) == set(GET_RULES)


def test_every_api_method_has_a_rule():
    stated = {(method, name) for method, rules in RULES.items() for name in rules}
    assert stated >= API_METHODS


@pytest.mark.parametrize("number", range(len(PEOPLE)), ids=PEOPLE)
@pytest.mark.parametrize(
    ("method", "name"), [(method, name) for method, rules in RULES.items() for name in rules]
)
def test_what_each_person_gets(client, world, method, name, number):
    parts, people = world
    person = people[PEOPLE[number]]
    if PEOPLE[number] != "link holder":
        parts["shared"] = "no-such-token"
    if person:
        client.force_login(person)
    response = getattr(client, method)(address(name, parts))
    assert response.status_code == RULES[method][name][number]
    if (
        response.status_code == 302
        and person is None
        and not name.startswith(("theme", "set_language", "shared"))
    ):
        assert "/accounts/login/" in response["Location"]


def test_the_admin_site_is_for_administrators(client, world):
    _, people = world
    for kind, person in people.items():
        if person:
            client.force_login(person)
        status = client.get("/admin/gallery/image/").status_code
        assert status == (200 if kind == "administrator" else 302), kind
