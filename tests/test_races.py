"""What two requests do at the same moment, and what a reload does again."""

import pytest

from gallery.models import AccessToken, Album, Invitation
from search.forms import SavedSearchForm
from search.models import QueryPicture, SavedSearch
from search.query import query_pictures
from search.tasks import remove_expired
from tests.conftest import demo_path, upload
from tests.gallery.test_backup import Site


@pytest.mark.django_db(transaction=False)
def test_the_same_title_twice_at_once_is_refused(page, api, curator, monkeypatch):
    """Each request has looked before the other one wrote: the look is taken out."""
    Album.objects.create(owner=curator, title="Summer")
    monkeypatch.setattr(Album, "check_title", lambda *_: None)
    monkeypatch.setattr(Album, "validate_constraints", lambda *_, **__: None)
    answer = page.post("/albums/", {"title": "Summer"})
    assert (answer.status_code, "another request" in answer.content.decode()) == (400, True)


def test_so_is_a_title_by_the_api(api, curator, monkeypatch):
    Album.objects.create(owner=curator, title="Summer")
    monkeypatch.setattr(Album, "check_title", lambda *_: None)
    answer = api.post("/api/v1/albums/", {"title": "Summer"}, format="json")
    assert (answer.status_code, "another request" in answer.json()["detail"]) == (400, True)


def test_so_is_a_saved_search(page, curator, monkeypatch):
    SavedSearch.objects.create(owner=curator, name="Cats", address="q=cat")
    monkeypatch.setattr(SavedSearchForm, "clean_name", lambda form: form.cleaned_data["name"])
    monkeypatch.setattr(SavedSearch, "validate_constraints", lambda *_, **__: None)
    assert page.post("/searches/", {"name": "Cats", "address": "q=cat"}).status_code == 400


def once_of(html: str) -> str:
    return html.split('name="once" value="')[1].split('"', maxsplit=1)[0]


def test_a_reload_makes_no_second_token_or_invitation(page, client, administrator, curator):
    number = once_of(page.get("/account/tokens/").content.decode())
    for status in (200, 302, 302):
        form = {"name": "Phone", "scope": "all", "once": number}
        assert page.post("/account/tokens/", form).status_code == status
    assert AccessToken.objects.filter(user=curator).count() == 1
    client.force_login(administrator)
    number = once_of(client.get("/invitations/").content.decode())
    for status in (200, 302):
        assert (
            client.post("/invitations/", {"note": "Ana", "days": "7", "once": number}).status_code == status
        )
    assert Invitation.objects.count() == 1


def test_query_pictures_are_bounded_for_each_person_and_all(curator, stranger, monkeypatch):
    monkeypatch.setattr(query_pictures, "MOST", 2)
    keys = [query_pictures.add(upload(demo_path("coffee").read_bytes()), curator).key for _ in range(3)]
    theirs = query_pictures.add(upload(demo_path("coffee").read_bytes()), stranger).key
    assert set(QueryPicture.objects.values_list("key", flat=True)) == {*keys[1:], theirs}
    monkeypatch.setattr("search.tasks.MOST_KEPT", 1)
    remove_expired()
    assert list(QueryPicture.objects.values_list("key", flat=True)) == [theirs]


def test_a_cover_tells_nothing_of_other_pictures(api, curator, photo):
    album = Album.objects.create(owner=curator, title="Empty")
    answers = [
        api.patch(f"/api/v1/albums/{album.pk}/", {"cover": pk}, format="json").json()
        for pk in (photo("coffee").pk, 999_999)
    ]
    assert answers[0] == answers[1]


TWO_AT_ONCE = """
import threading
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.test import APIClient
from gallery.models import Album
ana = User.objects.create_user("ana")
def client():
    own = APIClient()
    own.force_authenticate(ana)
    return own
codes = []
for number in range(10):
    address = f"/api/v1/albums/{Album.objects.create(owner=ana, title=str(number)).pk}/"
    seen, gate = client().get(address)["ETag"], threading.Barrier(2)
    def change(title):
        own = client()
        gate.wait(10)
        answer = own.patch(address, {"title": title}, format="json", headers={"If-Match": seen})
        codes.append(answer.status_code)
        connection.close()
    threads = [threading.Thread(target=change, args=(f"{number} {own}",)) for own in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
print(codes.count(200), codes.count(412))
"""


def test_of_two_changes_with_the_same_tag_one_is_made(tmp_path):
    """Both looked before either changed, had they not queued."""
    site = Site(tmp_path / "site")
    site.manage("migrate", "-v0")
    done = site.manage("shell", "-c", TWO_AT_ONCE, ALLOWED_HOSTS="testserver")
    assert done.stdout.split()[-2:] == ["10", "10"], done.stderr
