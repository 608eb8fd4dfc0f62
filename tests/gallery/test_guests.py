"""Guests of a link add pictures: nobody but its owner sees them until they are accepted."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from gallery import guests, ingest, trash
from gallery.models import Album, GuestPicture, Image, ShareLink
from tests.conftest import drawn, encoded, upload
from tests.gallery.test_pages import text_of
from tests.gallery.test_share_links import make


@pytest.fixture
def album(curator):
    return Album.objects.create(owner=curator, title="Wedding")


@pytest.fixture
def guest():
    return Client(REMOTE_ADDR="203.0.113.5")


@pytest.fixture
def address(page, album):
    return make(page, album=album.pk, allow_uploads="on")


def picture(number: int = 1):
    return upload(encoded(drawn("red", (90 + number, 60))), f"guest{number}.png")


def send(guest, address, *files, **fields):
    return guest.post(f"{address}add", {"files": list(files), **fields}, follow=True)


def test_what_guests_send_waits_where_its_owner_alone_sees_it(page, guest, address, album, stranger):
    answer = send(guest, address, picture(), name="Tante Anna")
    assert "Thank you. 1 picture waits" in text_of(answer)
    image = Image.objects.get(filename="guest1.png")
    assert not album.images.exists()
    for path in ("/images/", "/trash/", f"/albums/{album.pk}/"):
        assert f"/images/{image.pk}/" not in page.get(path).content.decode()
    assert page.get(f"/images/{image.pk}/").status_code == 404
    assert page.get(f"/images/{image.pk}/thumbnail/small").status_code == 200
    other = Client()
    other.force_login(stranger)
    assert other.get(f"/images/{image.pk}/thumbnail/small").status_code == 404
    assert "1 picture from guests waits for you" in text_of(page.get("/"))
    assert "Tante Anna" in text_of(page.get("/guests/"))


def test_accepted_it_is_in_the_album(page, guest, address, album):
    send(guest, address, picture(), picture(2))
    first, second = GuestPicture.objects.order_by("pk")
    page.post("/guests/", {"picture": [first.pk], "action": "accept"})
    assert [image.pk for image in album.images.all()] == [first.image_id]
    assert page.get(f"/images/{first.image_id}/").status_code == 200
    page.post("/guests/", {"picture": [second.pk], "action": "decline"})
    assert not GuestPicture.objects.exists()
    assert album.images.count() == 1
    assert f"/trash/{second.image_id}/" in page.get("/trash/").content.decode()


def test_it_waits_however_long_and_what_is_declined_has_its_thirty_days(page, guest, address):
    send(guest, address, picture())
    long_ago = timezone.now() - timedelta(days=90)
    Image.objects.filter(filename="guest1.png").update(trashed_at=long_ago)
    trash.purge()
    own = GuestPicture.objects.get()
    page.post("/guests/", {"picture": [own.pk], "action": "decline"})
    trash.purge()
    assert Image.objects.filter(pk=own.image_id).exists()


def test_what_the_owner_has_waits_for_the_album_alone(page, guest, address, album, photo):
    with photo("coffee").original.open() as original:
        send(guest, address, upload(original.read(), "same.png"))
    own = GuestPicture.objects.get()
    assert page.get(f"/images/{own.image_id}/").status_code == 200
    page.post("/guests/", {"picture": [own.pk], "action": "decline"})
    assert page.get(f"/images/{own.image_id}/").status_code == 200
    assert not album.images.exists()


def test_only_of_links_that_say_so(page, guest, album, photo):
    assert "Guests may add pictures" in text_of(page.get(f"/links/new?album={album.pk}"))
    closed = make(page, album=album.pk)
    assert "Add your pictures" not in text_of(guest.get(closed))
    assert send(guest, closed, picture()).status_code == 404
    single = make(page, image=photo("coffee").pk, allow_uploads="on")
    assert send(guest, single, picture()).status_code == 404
    assert not GuestPicture.objects.exists()


def test_a_password_stands_before_it(page, guest, album):
    address = make(page, album=album.pk, allow_uploads="on", password="olives-and-bread")
    assert send(guest, address, picture()).status_code == 404
    guest.post(address, {"password": "olives-and-bread"})
    assert "Thank you" in text_of(send(guest, address, picture()))


def test_it_is_bounded(page, guest, address, monkeypatch, settings):
    assert send(guest, address).status_code == 400
    assert send(guest, address, *[picture(n) for n in range(21)]).status_code == 400
    assert "not a picture" in text_of(send(guest, address, upload(b"hello", "a.txt")))
    monkeypatch.setattr(guests, "MOST_WAITING", 1)
    assert "Many pictures wait" in text_of(send(guest, address, picture(), picture(2)))
    assert GuestPicture.objects.count() == 1
    monkeypatch.setattr(guests, "MOST_WAITING", 100)
    settings.QUOTA_PICTURES = 1
    said = text_of(send(guest, address, picture(3)))
    assert "There is no room for more pictures here." in said
    assert "of at most" not in said
    settings.QUOTA_PICTURES = None
    for _ in range(5):
        send(guest, address, *[upload(b"x", "x.txt") for _ in range(20)])
    answer = guest.post(f"{address}add", {"files": [picture(4)]})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_nobody_accepts_for_another(stranger, guest, address, page):
    send(guest, address, picture())
    own = GuestPicture.objects.get()
    other = Client()
    other.force_login(stranger)
    other.post("/guests/", {"picture": [own.pk], "action": "accept"})
    assert GuestPicture.objects.filter(pk=own.pk).exists()
    assert page.post("/guests/", {"picture": [own.pk], "action": "x"}).status_code == 400
    assert page.post("/guests/", {"picture": ["x"], "action": "accept"}).status_code == 400


def test_it_stays_when_link_and_album_go(page, guest, address, album):
    send(guest, address, picture())
    album.delete()
    assert not ShareLink.objects.exists()
    own = GuestPicture.objects.get()
    page.post("/guests/", {"picture": [own.pk], "action": "accept"})
    assert page.get(f"/images/{own.image_id}/").status_code == 200


def test_a_dead_link_says_so_without_a_sign_in(page, guest, address, album):
    link = ShareLink.objects.get()
    page.post(f"/links/{link.pk}/revoke")
    for path in (address, f"{address}images/1/", f"{address}download", "/s/AAAAAAAAAAAAAAAAAAAAAA/"):
        answer = guest.get(path)
        assert answer.status_code == 404
        assert "Ask the person who sent it" in text_of(answer)
        assert "login" not in answer.content.decode()
    said = text_of(page.get("/links/"))
    assert said.index("Expired and revoked") < said.index("Wedding")


def test_messengers_get_a_title_and_a_picture_unless_switched_off(page, guest, album, photo):
    album.images.add(photo("coffee"))
    shown = guest.get(make(page, album=album.pk, has_preview="on")).content.decode()
    assert '<meta property="og:title" content="Corsica">' in shown
    assert f"/images/{photo('coffee').pk}/thumbnail/medium" in shown.split("og:image")[1]
    assert "og:" not in guest.get(make(page, album=album.pk)).content.decode()
    hidden = make(page, album=album.pk, has_preview="on", password="olives-and-bread")
    assert "og:" not in guest.get(hidden).content.decode()


def test_a_new_link_has_a_code_to_scan(page, album):
    answer = page.post("/links/", {"title": "Code", "days": 30, "album": album.pk}, follow=True)
    assert 'class="qr" src="data:image/svg+xml' in answer.content.decode()


def test_the_owner_adding_it_takes_it(page, curator, guest, address, tmp_path):
    send(guest, address, picture())
    own = GuestPicture.objects.get()
    added = ingest.add(curator, picture(), restore=False)  # as a watched folder does
    assert not added.was_trashed
    assert page.get(f"/images/{own.image_id}/").status_code == 200
    page.post("/selection/", {"action": "trash", "image": [own.image_id]})
    assert f"/trash/{own.image_id}/" in page.get("/trash/").content.decode()
    page.post("/selection/undo")
    assert page.get(f"/images/{own.image_id}/").status_code == 200


def test_what_its_owner_deleted_stays_deleted(page, guest, address, photo):
    image = photo("coffee")
    page.post("/selection/", {"action": "trash", "image": [image.pk]})
    with image.original.open() as original:
        send(guest, address, upload(original.read(), "again.png"))
    assert not GuestPicture.objects.exists()
    assert f"/trash/{image.pk}/" in page.get("/trash/").content.decode()


def test_a_link_that_was_revoked_meanwhile_stays_so(address):
    stale = ShareLink.objects.get()
    ShareLink.objects.get().end()
    stale.title = "Another"
    stale.save_terms()
    assert not ShareLink.objects.get().is_alive
