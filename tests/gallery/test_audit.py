"""The audit trail: who did what, from where, however it was done."""

import pytest
from django.core.files.base import ContentFile

from gallery import ingest
from gallery.models import AccessToken, Account, Album, AuditEntry, Invitation, ShareLink
from tests.conftest import drawn, encoded


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


def test_what_becomes_of_pictures(page, api, curator):
    added = ingest.add(curator, ContentFile(encoded(drawn("navy")), name="navy.png")).image
    page.post(f"/images/{added.pk}/delete")
    api.post(f"/api/v1/trash/{added.pk}/restore/")
    page.post("/selection/", {"action": "trash", "image": [added.pk]})
    page.post("/trash/empty")
    named = f"1: navy.png ({added.pk})"
    assert [row for row in trail() if row[1] != "signed in"] == [
        ("curator", "moved to the trash", named),
        ("curator", "restored", named),
        ("curator", "moved to the trash", named),
        ("curator", "deleted for good", named),
    ]


def test_what_administrators_set(client, administrator, curator, settings, tmp_path):
    settings.MODELS_DIR, settings.EXTRACTOR = tmp_path, "auto"
    client.force_login(administrator)
    Account.objects.create(user=curator, quota_mb=500)
    Account.objects.update_or_create(user=administrator, defaults={"offered_to": curator})
    client.post("/models/", {"action": "choose", "extractor": "lite"})
    link = ShareLink.objects.create(owner=curator, title="For all", token_hash="0" * 64)
    token = Invitation.objects.create(created_by=administrator, note="For Ana", token_hash="1" * 64)
    chosen = {"action": "revoke", "_selected_action": [link.pk]}
    client.post("/admin/gallery/sharelink/", chosen)
    client.post("/admin/gallery/invitation/", chosen | {"_selected_action": [token.pk]})
    done = [(person, action, what) for person, action, what in trail() if action != "signed in"]
    quotas = [what for _, action, what in done if action == "quota changed"]
    assert quotas == ["curator: 500 MB, as the setting says pictures"]  # an offer of pictures is none
    assert ("administrator", "model chosen", "lite") in done
    assert ("administrator", "share link changed", "For all") in done
    assert ("administrator", "invitation changed", "For Ana") in done
