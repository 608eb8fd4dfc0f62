"""Share links: what they show to whom, and what never gets out."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from gallery import ingest
from gallery.models import Album, AlbumImage, AlbumMember, Image, ShareLink
from gallery.models.secret_address import hash_of
from tests.conftest import drawn, encoded, upload
from tests.gallery.imaging.test_places import photo_at
from tests.gallery.test_pages import text_of

pytestmark = pytest.mark.many


@pytest.fixture
def album(curator, photo):
    album = Album.objects.create(owner=curator, title="Corsica")
    for name in ("coffee", "rocket"):
        AlbumImage.objects.create(album=album, image=photo(name))
    return album


@pytest.fixture
def guest():
    """A browser that nobody is signed in with."""
    return Client()


def make(page, **fields) -> str:
    """Make a link by the form and return its address, which is shown this once."""
    answer = page.post("/links/", {"title": "Corsica", "days": 30, **fields}, follow=True)
    address = re.search(
        r'class="address" readonly value="http://testserver(/s/[^"]+)"', answer.content.decode()
    )[1]
    assert "/s/" not in page.get("/links/").content.decode()
    return address


def test_a_link_shows_the_album_as_it_is_and_nothing_else(page, guest, album, photo):
    address = make(page, album=album.pk)
    words = text_of(guest.get(address))
    assert "Corsica" in words
    assert "curator" not in words
    assert "coffee.png" not in guest.get(address).content.decode()
    picture = guest.get(f"{address}images/{photo('coffee').pk}/")
    assert "1 / 2" in text_of(picture) or "2 / 2" in text_of(picture)
    assert guest.get(f"{address}images/{photo('coffee').pk}/thumbnail/large")["Content-Type"] == "image/jpeg"
    # Not a picture that is not in it, and no way in to the rest of the site.
    for inside in ("", "thumbnail/small", "original"):
        assert guest.get(f"{address}images/{photo('chelsea').pk}/{inside}").status_code == 404
    assert guest.get(f"/images/{photo('coffee').pk}/thumbnail/small").status_code == 302
    AlbumImage.objects.filter(image=photo("coffee")).delete()
    assert guest.get(f"{address}images/{photo('coffee').pk}/").status_code == 404
    page.post("/selection/", {"action": "trash", "image": photo("rocket").pk})
    assert guest.get(f"{address}images/{photo('rocket').pk}/thumbnail/small").status_code == 404


def test_only_a_hash_of_the_token_is_kept(page, album):
    token = make(page, album=album.pk).split("/")[2]
    link = ShareLink.objects.get()
    assert link.token_hash == hash_of(token)
    assert len(token) >= 22
    assert token not in str([vars(link), list(ShareLink.objects.values())])


def test_originals_only_where_allowed_and_without_their_place(page, guest, curator):
    image = ingest.add(curator, upload(photo_at(), "home.jpg")).image
    closed = make(page, image=image.pk)
    assert guest.get(f"{closed}images/{image.pk}/original").status_code == 404
    assert guest.get(f"{closed}download").status_code == 404
    place = Image.objects.get(pk=image.pk)
    assert place.latitude is not None
    for told, fields in ((False, {}), (True, {"shows_location": "on"})):
        address = make(page, image=image.pk, allow_download="on", **fields)
        sent = b"".join(guest.get(f"{address}images/{image.pk}/original").streaming_content)
        zipped = b"".join(guest.get(f"{address}download").streaming_content)
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            assert archive.read("home.jpg") == sent
        assert (sent == photo_at()) is told


def test_a_link_never_tells_where_other_peoples_pictures_were_taken(page, guest, album, stranger):
    AlbumMember.objects.create(album=album, user=stranger, role="contributor")
    image = ingest.add(stranger, upload(photo_at(), "theirs.jpg")).image
    AlbumImage.objects.create(album=album, image=image)
    address = make(page, album=album.pk, allow_download="on", shows_location="on")
    assert b"".join(guest.get(f"{address}images/{image.pk}/original").streaming_content) != photo_at()


def test_a_password_is_asked_for_before_anything_is_shown(page, guest, album, photo):
    address = make(page, album=album.pk, password="secret tune", allow_download="on")
    inside = [f"{address}images/{photo('coffee').pk}/{rest}" for rest in ("", "thumbnail/small", "original")]
    assert "Corsica" not in text_of(guest.get(address))
    for at in (inside[2], f"{address}download"):
        assert guest.get(at)["Location"] == address  # where it is asked for
    asked = f"{address}?picture={photo('coffee').pk}"
    assert guest.get(inside[0])["Location"] == asked
    assert "sessionid" not in guest.cookies  # nothing is kept of whoever only looks, as messengers do
    assert f'action="{asked}"' in guest.get(asked).content.decode()
    assert guest.get(inside[1]).status_code == 404
    assert guest.post(address, {"password": "wrong"}).status_code == 400
    gone = guest.post(f"{address}?picture=999", {"password": "secret tune"})
    assert gone["Location"] == address
    guest.cookies.clear()
    assert guest.post(asked, {"password": "secret tune"})["Location"] == inside[0]
    assert "Corsica" in text_of(guest.get(address))
    assert [guest.get(at).status_code for at in inside] == [200] * 3
    # Another password shuts everyone out again.
    link = ShareLink.objects.get()
    page.post(f"/links/{link.pk}/", {"title": "Corsica", "days": 7, "password": "another"})
    assert guest.get(inside[0])["Location"] == asked


def test_a_link_without_downloads_says_so(page, guest, album, photo):
    address = make(page, album=album.pk)
    for at in (f"images/{photo('coffee').pk}/original", "download"):
        refused = guest.get(address + at)
        assert refused.status_code == 404
        assert "No downloads" in text_of(refused)
        assert "doesn't work" not in text_of(refused)


def test_passwords_cannot_be_tried_for_ever(page, guest, album):
    address = make(page, album=album.pk, password="secret tune")
    statuses = [guest.post(address, {"password": str(number)}).status_code for number in range(12)]
    assert statuses == [400] * 10 + [429] * 2
    assert guest.post(address, {"password": "secret tune"}).status_code == 429


@pytest.mark.parametrize("way", ["revoked", "expired", "owner left", "owner switched off"])
def test_a_link_ends(page, guest, curator, album, photo, way):
    address = make(page, album=album.pk)
    inside = f"{address}images/{photo('coffee').pk}/thumbnail/small"
    assert guest.get(inside).status_code == 200
    link = ShareLink.objects.get()
    match way:
        case "revoked":
            assert page.post(f"/links/{link.pk}/revoke").status_code == 302
        case "expired":
            ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        case "owner left":
            Album.objects.filter(pk=album.pk).delete()
        case "owner switched off":
            curator.is_active = False
            curator.save()
    assert guest.get(address).status_code == 404
    assert guest.get(inside).status_code == 404


def test_a_links_end_moves_only_when_it_is_said(page, album):
    make(page, album=album.pk, days=7)
    link = ShareLink.objects.get()
    page.post(f"/links/{link.pk}/", {"title": "Another", "days": -1})
    again = ShareLink.objects.get()
    assert (again.title, again.expires_at) == ("Another", link.expires_at)
    page.post(f"/links/{link.pk}/", {"title": "Another", "days": 0})
    assert ShareLink.objects.get().expires_at is None
    assert page.post("/links/", {"title": "New", "days": -1, "album": album.pk}).status_code == 400


def test_views_are_counted_once_a_browser(page, album):
    address = make(page, album=album.pk)
    for _ in range(2):
        guest = Client()
        guest.get(address)
        guest.get(address)
    assert ShareLink.objects.get().views == 2
    assert "Viewed 2 times" in text_of(page.get("/links/"))


def test_a_selection_is_shared_but_only_of_ones_own(page, guest, stranger, photo, client):
    chosen = [photo("coffee").pk, photo("chelsea").pk]
    form = page.post("/selection/", {"action": "share", "image": chosen})
    assert form.status_code == 200
    address = make(page, image=chosen)
    assert guest.get(address).content.decode().count('<div class="tile"') == 2
    others = Client()
    others.force_login(stranger)
    assert others.post("/links/", {"title": "Mine", "days": 1, "image": chosen}).status_code == 404
    assert others.post("/selection/", {"action": "share", "image": chosen}).status_code == 404


def test_only_an_albums_owner_makes_a_link_of_it(album, stranger):
    AlbumMember.objects.create(album=album, user=stranger, role="editor")
    editor = Client()
    editor.force_login(stranger)
    assert editor.get(f"/links/new?album={album.pk}").status_code == 404
    assert editor.post("/links/", {"title": "Mine", "days": 1, "album": album.pk}).status_code == 404


def test_a_slideshow_goes_on_by_itself_and_pauses(page, guest, album, photo):
    address = make(page, album=album.pk)
    first = Image.objects.get(pk=re.search(r"images/(\d+)/\?play", guest.get(address).content.decode())[1])
    playing = guest.get(f"{address}images/{first.pk}/?play").content.decode()
    assert 'http-equiv="refresh"' in playing
    assert "Pause" in playing
    assert 'http-equiv="refresh"' not in guest.get(f"{address}images/{first.pk}/").content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": "", "days": 1}, "required"),
        ({"title": "x", "days": 12345}, "valid choice"),
        ({"title": "x" * 201, "days": 1}, "200"),
    ],
)
def test_a_wrong_form_says_what_is_wrong(page, album, fields, words):
    answer = page.post("/links/", {"album": album.pk, **fields})
    assert answer.status_code == 400
    assert words in text_of(answer)


@pytest.mark.parametrize("target", [{}, {"image": "x"}, {"image": "1" * 30}, {"image": list(range(1, 600))}])
def test_a_link_to_nothing_is_refused(page, target):
    assert page.post("/links/", {"title": "x", "days": 1, **target}).status_code == 400


def test_pages_of_a_link_take_a_constant_number_of_queries(page, curator, album, django_assert_num_queries):
    address = make(page, album=album.pk)
    guest = Client()
    guest.get(address)
    for count in (2, 12):
        for number in range(count):
            image = ingest.add(curator, upload(encoded(drawn((number, count, 3))), f"{number}.png")).image
            AlbumImage.objects.create(album=album, image=image)
        with django_assert_num_queries(4):  # link, session, count, pictures
            guest.get(address)
