"""API tokens: several a person, by their digest, with an end and a scope."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from gallery import access_tokens
from gallery.models import AccessToken
from tests.conftest import wrong_fields

LIST, IMAGES = "/api/v1/tokens/", "/api/v1/images/"


def with_key(key: str, word: str = "Token") -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{word} {key}")
    return client


@pytest.mark.parametrize("word", ["Token", "Bearer", "bearer"])
def test_a_key_opens_the_api_and_is_not_kept(curator, word):
    token, key = access_tokens.create(curator, "phone")
    assert with_key(key, word).get(IMAGES).status_code == 200
    token.refresh_from_db()
    assert token.used_at is not None
    assert key not in str(vars(token))
    assert key.startswith(token.beginning)


def test_wrong_ended_and_malformed_keys_are_refused(curator):
    _, key = access_tokens.create(curator, "old", expires_at=timezone.now() - timedelta(seconds=1))
    _, good = access_tokens.create(curator, "good")
    for wrong in (key, "x", "\u00e9", f"{good} {good}", ""):
        answer = with_key(wrong).get(IMAGES)
        assert answer.status_code == 401, wrong
        assert answer["WWW-Authenticate"] == "Token"
    curator.is_active = False
    curator.save()
    assert with_key(good).get(IMAGES).status_code == 401


def test_one_that_may_only_read_searches_and_changes_nothing(curator, photo):
    _, key = access_tokens.create(curator, "frame", AccessToken.Scope.READ)
    client, coffee = with_key(key), photo("coffee").pk
    assert client.get(IMAGES).status_code == 200
    assert client.post("/api/v1/search/", {"text": "coffee"}, format="json").status_code == 200
    for answer in (
        client.delete(f"{IMAGES}{coffee}/"),
        client.patch(f"{IMAGES}{coffee}/", {"caption": "x"}, format="json"),
        client.post("/api/v1/albums/", {"title": "x"}, format="json"),
        client.post(LIST, {"name": "x"}, format="json"),
    ):
        assert (answer.status_code, answer.json()["detail"]) == (403, "This token may only read.")


def test_made_listed_and_revoked_by_the_api(api, curator, stranger):
    end = timezone.now() + timedelta(days=3)
    answer = api.post(LIST, {"name": "sync", "scope": "read", "expires_at": end}, format="json")
    assert answer.status_code == 201
    made = answer.json()
    assert with_key(made["key"]).get(IMAGES).status_code == 200
    [listed] = api.get(LIST).json()["results"]
    assert "key" not in listed
    assert (listed["name"], listed["scope"]) == ("sync", "read")
    other, _ = access_tokens.create(stranger, "theirs")
    assert api.delete(f"{LIST}{other.pk}/").status_code == 404
    assert api.delete(f"{LIST}{made['id']}/").status_code == 204
    assert with_key(made["key"]).get(IMAGES).status_code == 401


@pytest.mark.parametrize(
    ("field", "body"),
    [("name", {}), ("name", {"name": ""}), ("name", {"name": "x" * 101}),
     ("scope", {"name": "x", "scope": "god"}),
     ("expires_at", {"name": "x", "expires_at": "yesterday"}),
     ("expires_at", {"name": "x", "expires_at": "2001-01-01T00:00:00Z"})],
)  # fmt: skip
def test_what_is_wrong_is_named(api, field, body):
    answer = api.post(LIST, body, format="json")
    assert (answer.status_code, wrong_fields(answer)) == (400, [field])


def test_there_is_an_end_to_them(api, curator):
    for number in range(access_tokens.MOST):
        access_tokens.create(curator, str(number))
    assert api.post(LIST, {"name": "one more"}, format="json").status_code == 400
    answer = APIClient().post("/api/v1/token/", {"username": "curator", "password": "curator-password"})
    assert answer.status_code == 400


def test_a_password_is_traded_for_a_new_one(curator):
    form = {"username": "curator", "password": "curator-password"}
    first, second = (APIClient().post("/api/v1/token/", form).json()["token"] for _ in range(2))
    assert first != second
    assert with_key(first).get(IMAGES).status_code == with_key(second).get(IMAGES).status_code == 200


def test_on_the_account_page(page, curator):
    answer = page.post("/account/tokens/", {"name": "Phone", "scope": "all", "days": "30"})
    html = answer.content.decode()
    token = AccessToken.objects.get(user=curator)
    assert html.count(token.beginning) == 2  # whole once, and its beginning in the list
    assert token.beginning in page.get("/account/tokens/").content.decode()
    assert timedelta(days=29) < token.expires_at - timezone.now() < timedelta(days=31)
    for wrong in (
        {"name": "", "scope": "all"},
        {"name": "x", "scope": "?"},
        {"name": "x", "scope": "all", "days": "0"},
    ):
        assert page.post("/account/tokens/", wrong).status_code == 400
    page.post(f"/account/tokens/{token.pk}/revoke")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("revoke", [True, False])
def test_a_new_password_ends_them_if_one_wants(page, curator, revoke):
    access_tokens.create(curator, "phone")
    passwords = {
        "old_password": "curator-password",
        "new_password1": "another-word-9",
        "new_password2": "another-word-9",
    }
    assert (
        page.post("/accounts/password/", passwords | ({"revoke_tokens": "on"} if revoke else {})).status_code
        == 302
    )
    assert AccessToken.objects.exists() is not revoke


def test_signing_in_again_and_again_never_fills_the_list(curator):
    client = APIClient()
    form = {"username": "curator", "password": "curator-password"}
    access_tokens.create(curator, "API")
    for _ in range(60):
        answer = client.post("/api/v1/token/", form)
        assert answer.status_code == 200
        client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
        assert client.get(IMAGES).status_code == 200
        client.credentials()
    assert AccessToken.objects.filter(user=curator).count() == access_tokens.MOST_ALIKE + 1


def test_tokens_that_expired_are_shown_for_a_while_and_then_gone(curator):
    for days in (1, 30):
        access_tokens.create(curator, f"{days} days", expires_at=timezone.now() - timedelta(days=days))
    access_tokens.create(curator, "for good")
    access_tokens.forget_expired()
    assert {own.name for own in AccessToken.objects.all()} == {"1 days", "for good"}
