"""The audit trail: who did what, from where, however it was done."""

import pytest

from gallery.models import AccessToken, Album, AuditEntry, ShareLink


def trail() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("person", "action", "what"))


@pytest.fixture(autouse=True)
def _empty(db):
    AuditEntry.objects.all().delete()


def test_signing_in_and_failing_to(client, curator):
    client.post("/accounts/login/", {"username": "curator", "password": "wrong"}, REMOTE_ADDR="203.0.113.7")
    client.post("/accounts/login/", {"username": "curator", "password": "curator-password"})
    client.post("/accounts/logout/")
    assert trail() == [
        ("", "sign-in failed", "curator"), ("curator", "signed in", ""), ("curator", "signed out", ""),
    ]  # fmt: skip
    assert AuditEntry.objects.last().address == "203.0.113.7"  # the oldest: newest come first


def test_sharing_roles_and_tokens_by_page_and_api(page, api, curator, stranger):
    album = Album.objects.create(owner=curator, title="Summer")
    AuditEntry.objects.all().delete()
    page.post(f"/albums/{album.pk}/members", {"username": "stranger", "role": "viewer"})
    page.post(f"/albums/{album.pk}/members", {"username": "stranger", "role": "editor"})
    page.post("/links/", {"album": album.pk, "title": "For all", "days": 30})
    page.post(f"/links/{ShareLink.objects.get().pk}/revoke")
    api.post("/api/v1/tokens/", {"name": "phone"}, format="json")
    api.delete(f"/api/v1/tokens/{AccessToken.objects.get().pk}/")
    actions = [(action, what) for _, action, what in trail() if action != "signed in"]
    assert actions[:2] == [
        ("membership made", "stranger in Summer as viewer"),
        ("membership changed", "stranger in Summer as editor"),
    ]  # fmt: skip
    assert ("share link made", "For all") in actions
    assert ("share link ended", "For all") in actions or ("share link changed", "For all") in actions
    assert ("token made", "phone (all)") in actions
    assert ("token ended", "phone (all)") in actions
    assert not any("picfusion_" in what for _, what in actions)  # never a key
    assert {person for person, action, _ in trail() if action.startswith(("membership", "share"))} == {
        "curator"
    }


def test_administrators_read_it_and_change_nothing(client, administrator, curator):
    curator.is_staff = True
    curator.save()
    assert trail()[-1] == ("", "account changed", "curator: active, staff")
    client.force_login(administrator)
    assert client.get("/admin/gallery/auditentry/").status_code == 200
    entry = AuditEntry.objects.first().pk
    assert client.post(f"/admin/gallery/auditentry/{entry}/delete/", {"post": "yes"}).status_code == 403
    client.force_login(curator)
    assert client.get("/admin/gallery/auditentry/").status_code == 403
