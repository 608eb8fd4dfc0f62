"""Accounts: invited, registered, their password forgotten, deleted with a word on what becomes of their
pictures."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.utils import timezone

from gallery import account_deletion, ingest
from gallery.models import Album, AlbumImage, AlbumMember, Image, Invitation
from search import engine
from search.query.query import Query
from tests.conftest import drawn, encoded, upload
from tests.gallery.test_pages import text_of

PASSWORD = "long-and-unlikely-9"
NEW = {"username": "ana", "email": "ana@example.org", "password1": PASSWORD, "password2": PASSWORD}
People = get_user_model()


@pytest.fixture
def office(administrator):
    """A browser signed in as an administrator."""
    client = Client()
    client.force_login(administrator)
    return client


@pytest.fixture
def guest():
    return Client()


def invite(office) -> str:
    """An invitation's address."""
    answer = office.post("/invitations/", {"note": "Ana", "days": 7})
    address = re.search(r'readonly value="http://testserver(/join/[^"]+)"', answer.content.decode())[1]
    assert "/join/" not in office.get("/invitations/").content.decode()
    return address


def test_an_invitation_is_good_for_one_account(office, guest):
    address = invite(office)
    assert guest.post(address, NEW).status_code == 302
    assert guest.get("/").status_code == 200  # signed in
    assert "Used by ana" in text_of(office.get("/invitations/"))
    second = Client()
    assert second.get(address).status_code == 404
    assert second.post(address, NEW | {"username": "eve"}).status_code == 404
    assert not People.objects.filter(username="eve").exists()


@pytest.mark.parametrize("way", ["revoked", "expired"])
def test_an_invitation_ends(office, guest, way):
    address = invite(office)
    if way == "revoked":
        office.post(f"/invitations/{Invitation.objects.get().pk}/revoke")
    else:
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert guest.post(address, NEW).status_code == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"username": "curator"}, "already exists"),
        ({"username": ""}, "required"),
        ({"email": "no mail"}, "valid email"),
        ({"password2": "another-one-9"}, "match"),
        ({"password1": "123", "password2": "123"}, "too short"),
    ],
)
def test_a_wrong_form_makes_no_account_and_keeps_the_invitation(office, guest, curator, fields, words):
    address = invite(office)
    answer = guest.post(address, NEW | fields)
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert guest.post(address, NEW).status_code == 302


def test_registration_is_closed_unless_a_setting_opens_it(guest, settings, db):
    assert (
        guest.get("/accounts/register/").status_code
        == guest.post("/accounts/register/", NEW).status_code
        == 404
    )
    assert "Create an account" not in text_of(guest.get("/accounts/login/"))
    settings.OPEN_REGISTRATION = True
    assert "Create an account" in text_of(guest.get("/accounts/login/"))
    assert guest.post("/accounts/register/", NEW).status_code == 302
    assert guest.get("/").status_code == 200


def test_a_forgotten_password_is_chosen_anew_by_mail(guest, curator):
    assert "Forgot" in text_of(guest.get("/accounts/login/"))
    curator.email = "curator@example.org"
    curator.save()
    guest.post("/accounts/reset/", {"email": "curator@example.org"})
    [letter] = mail.outbox
    address = re.search(r"http://testserver(\S+)", letter.body)[1]
    form = guest.get(address, follow=True)
    guest.post(form.redirect_chain[-1][0], {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert Client().login(username="curator", password=PASSWORD)
    assert "already used" in text_of(Client().get(address, follow=True))


def test_nobody_is_told_whether_a_mail_address_is_known(guest, db):
    answer = guest.post("/accounts/reset/", {"email": "nobody@example.org"}, follow=True)
    assert "If there is an account" in text_of(answer)
    assert mail.outbox == []


@pytest.fixture
def ana(db):
    """A person with two pictures, one of which is in an album with a member, and one that the stranger has
    too."""
    ana = People.objects.create_user("ana", password=PASSWORD)
    for color in ("red", "blue"):
        ingest.add(ana, upload(encoded(drawn(color)), f"{color}.png"))
    album = Album.objects.create(owner=ana, title="Summer")
    AlbumImage.objects.create(album=album, image=ana.images.get(filename="red.png"))
    return ana


@pytest.fixture
def leaving(ana):
    client = Client()
    client.force_login(ana)
    return client


def test_an_account_goes_with_its_pictures(leaving, ana, django_capture_on_commit_callbacks):
    paths = [Path(image.original.path) for image in ana.images.all()]
    with django_capture_on_commit_callbacks(execute=True):
        assert (
            leaving.post("/account/delete", {"pictures": "delete", "password": PASSWORD}).status_code == 302
        )
    assert not People.objects.filter(username="ana").exists()
    assert not any(path.exists() for path in paths)
    assert leaving.get("/").status_code == 302


def test_an_account_hands_its_pictures_over(leaving, ana, stranger):
    ingest.add(stranger, upload(encoded(drawn("red")), "mine.png"))  # the very same file as ana's
    Album.objects.create(owner=stranger, title="Summer")
    AlbumMember.objects.create(album=ana.albums.get(), user=stranger, role="viewer")
    form = {"pictures": "hand over", "to": "stranger", "password": PASSWORD}
    assert leaving.post("/account/delete", form).status_code == 302
    assert ana.images.count() == 2  # nothing happens before the other one accepts
    receiver = Client()
    receiver.force_login(stranger)
    assert "ana would like you to take" in text_of(receiver.get("/"))
    assert receiver.post(f"/account/offers/{ana.pk}/", {"action": "accept"}).status_code == 302
    assert not People.objects.filter(username="ana").exists()
    assert sorted(stranger.images.values_list("filename", flat=True)) == ["blue.png", "mine.png"]
    handed = stranger.albums.get(title="Summer (ana)")
    assert handed.images.get().filename == "mine.png"
    assert not handed.memberships.exists()


def test_nobody_is_given_pictures_that_they_do_not_want(leaving, ana, stranger, curator):
    form = {"pictures": "hand over", "to": "stranger", "password": PASSWORD}
    leaving.post("/account/delete", form)
    assert "Waiting for stranger" in text_of(leaving.get("/account/"))
    other = Client()
    other.force_login(curator)
    address = f"/account/offers/{ana.pk}/"
    assert other.post(address, {"action": "accept"}).status_code == 404
    receiver = Client()
    receiver.force_login(stranger)
    assert receiver.post(address, {"action": "eat"}).status_code == 400
    assert receiver.post(address, {"action": "decline"}).status_code == 302
    assert receiver.post(address, {"action": "accept"}).status_code == 404
    leaving.post("/account/delete", form)
    leaving.post(address, {"action": "withdraw"})
    assert receiver.post(address, {"action": "accept"}).status_code == 404
    assert ana.images.count() == 2


def test_pictures_handed_over_are_searchable_by_who_has_them_now(curator, stranger):
    assert engine.search(Query(text="cat"), stranger).count == 0
    count = engine.search(Query(text="cat"), curator).count
    People.objects.create_superuser("chief")
    account_deletion.hand_over(curator, stranger)
    assert engine.search(Query(text="cat"), stranger).count == count > 10


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "required"),
        ({"pictures": "hand over", "to": "nobody", "password": PASSWORD}, "No other user"),
        ({"pictures": "hand over", "to": "ana", "password": PASSWORD}, "No other user"),
        ({"pictures": "delete", "password": "wrong"}, "Wrong password"),
    ],
)
def test_an_account_stays_when_the_form_is_wrong(leaving, fields, words):
    answer = leaving.post("/account/delete", fields)
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert Image.objects.filter(owner__username="ana").count() == 2


def test_the_last_administrator_stays(office, administrator):
    administrator.set_password(PASSWORD)
    administrator.save()
    office.force_login(administrator)
    answer = office.post("/account/delete", {"pictures": "delete", "password": PASSWORD})
    assert answer.status_code == 400
    assert "last administrator" in text_of(answer)


def test_the_admin_site_asks_what_becomes_of_a_persons_pictures(office, ana):
    answer = office.get(f"/admin/auth/user/{ana.pk}/delete/")
    assert answer["Location"] == f"/people/{ana.pk}/delete"
    assert "ana has 2 pictures" in text_of(office.get(answer["Location"]))
    assert b"delete_selected" not in office.get("/admin/auth/user/").content
    form = {"pictures": "hand over", "to": "administrator", "password": "administrator-password"}
    assert office.post(answer["Location"], form).status_code == 302
    assert Image.objects.filter(owner__username="administrator").count() == 2


def test_only_a_superuser_deletes_a_superuser(client, curator, administrator, ana):
    from_the_office = Permission.objects.get(codename="delete_user")
    curator.is_staff = True
    curator.save()
    curator.user_permissions.add(from_the_office)
    client.force_login(curator)
    assert client.get(f"/people/{ana.pk}/delete").status_code == 200
    assert client.get(f"/people/{administrator.pk}/delete").status_code == 404


def test_the_account_page_shows_the_quota_and_takes_a_mail_address(page, curator, settings):
    settings.QUOTA_PICTURES = 50
    assert "of 50 pictures" in text_of(page.get("/account/"))
    assert page.post("/account/", {"email": "nonsense"}).status_code == 400
    page.post("/account/", {"email": "c@example.org"})
    assert People.objects.get(pk=curator.pk).email == "c@example.org"


def test_the_theme_is_kept_in_a_cookie(page):
    assert "data-theme" not in page.get("/account/").content.decode()
    assert page.post("/account/theme", {"theme": "dark", "next": "//evil.example"})["Location"] == "/"
    assert 'data-theme="dark"' in page.get("/account/").content.decode()
    page.post("/account/theme", {"theme": '"><script>'})
    assert 'data-theme="dark"' in page.get("/account/").content.decode()
    page.post("/account/theme", {"theme": "auto"})
    assert "data-theme" not in page.get("/account/").content.decode()
