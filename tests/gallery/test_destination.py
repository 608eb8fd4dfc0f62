"""Uploads name their album and tags before they begin; who was invited into an album is told."""

import pytest
from django.core import mail

from gallery import letters
from gallery.models import Album, AlbumMember, Image
from tests.conftest import drawn, encoded, upload, wrong_fields
from tests.gallery.test_pages import text_of


def picture(number: int = 1):
    return upload(encoded(drawn("red", (90 + number, 60))), f"new{number}.png")


def test_the_api_puts_an_upload_into_an_album_and_tags_it(api, curator):
    answer = api.post("/api/v1/images/", {"file": picture(), "album": "Summer", "tags": "Sea, #sand"})
    assert answer.status_code == 201, answer.json()
    image = Image.objects.get(pk=answer.json()["id"])
    assert [album.title for album in image.albums.all()] == ["Summer"]
    assert set(image.tags.values_list("name", flat=True)) == {"sea", "sand"}
    album = Album.objects.get(owner=curator, title="Summer")
    again = api.post("/api/v1/images/", {"file": picture(2), "album_id": album.pk})
    assert again.status_code == 201
    assert album.images.count() == 2


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"album_id": 99999}, "album_id"),
        ({"album_id": "x"}, "album_id"),
        ({"album": "x" * 201}, "album"),
        ({"tags": "x" * 101}, "tags"),
        ({"tags": ",".join(f"t{number}" for number in range(21))}, "tags"),
    ],
)
def test_what_is_wrong_names_the_field_and_nothing_is_kept(api, fields, name):
    before = Image.objects.count()
    answer = api.post("/api/v1/images/", {"file": picture(), **fields})
    assert answer.status_code == 400
    assert wrong_fields(answer) == [name]
    assert Image.objects.count() == before


def test_the_page_does_so_too(page, curator):
    album = Album.objects.create(owner=curator, title="Mine")
    assert f'value="{album.pk}" selected' in page.get(f"/upload/?album={album.pk}").content.decode()
    page.post("/upload/", {"files": [picture(3)], "album_id": album.pk, "tags": "one"})
    assert [tag.name for tag in album.images.get().tags.all()] == ["one"]
    assert page.post("/upload/", {"files": [picture(4)], "album_id": 999}).status_code == 400


def test_the_invited_see_it_on_their_first_page_until_they_looked(client, curator, stranger):
    album = Album.objects.create(owner=curator, title="Corsica")
    client.force_login(curator)
    answer = client.post(
        f"/albums/{album.pk}/members", {"username": "stranger", "role": "viewer"}, follow=True
    )
    assert "stranger can see this album now." in text_of(answer)
    client.force_login(stranger)
    assert "curator shared an album with you: Corsica" in text_of(client.get("/"))
    client.get(f"/albums/{album.pk}/")
    assert "shared an album" not in text_of(client.get("/"))


def test_a_letter_goes_where_there_is_an_address(curator, stranger, settings):
    album = Album.objects.create(owner=curator, title="Corsica\r\nBcc: x@example.org")
    AlbumMember.objects.create(album=album, user=stranger)
    assert letters.tell_of_album(stranger.pk, album.pk, "http://x/") == "nobody is told"
    stranger.email = "ana@example.org"
    stranger.save()
    assert letters.tell_of_album(stranger.pk, album.pk, "http://x/albums/1/") == "told"
    [letter] = mail.outbox
    assert letter.to == ["ana@example.org"] and "http://x/albums/1/" in letter.body
    assert letter.subject == "curator shared “Corsica Bcc: x@example.org” with you"


def test_people_are_picked_from_a_list_as_far_as_one_may_know_them(client, curator, stranger, settings):
    album = Album.objects.create(owner=curator, title="Corsica")
    client.force_login(curator)
    assert '<option value="stranger">' in client.get(f"/albums/{album.pk}/").content.decode()
    settings.OPEN_REGISTRATION = True
    assert '<option value="stranger">' not in client.get(f"/albums/{album.pk}/").content.decode()
