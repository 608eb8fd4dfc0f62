"""Comments, hearts and activity: for an album's people, and for nobody else."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gallery import account_deletion, ingest, trash
from gallery.models import Album, AlbumImage, AlbumMember, Comment, Heart, Image
from tests.gallery.test_pages import text_of


@pytest.fixture
def album(curator, photo, stranger):
    album = Album.objects.create(owner=curator, title="Corsica")
    AlbumImage.objects.create(album=album, image=photo("coffee"), added_by=curator)
    AlbumMember.objects.create(album=album, user=stranger)
    return album


@pytest.fixture
def as_viewer(stranger):
    return browser_of(stranger)


@pytest.fixture
def outsider(db):
    return User.objects.create_user("outsider")


def browser_of(person):
    browser = Client()
    browser.force_login(person)
    return browser


def under(album, image, what="comment"):
    return f"/albums/{album.pk}/images/{image.pk}/{what}"


def test_members_talk_under_a_picture(page, as_viewer, album, photo):
    image = photo("coffee")
    as_viewer.post(under(album, image), {"text": "Lovely <b>cup</b>\n"})
    as_viewer.post(under(album, image, "heart"), {"action": "add"})
    as_viewer.post(under(album, image, "heart"), {"action": "add"})
    assert Heart.objects.count() == 1
    shown = page.get(f"/images/{image.pk}/").content.decode()
    assert "Lovely &lt;b&gt;cup&lt;/b&gt;" in shown
    said = text_of(page.get(f"/albums/{album.pk}/activity"))
    assert "stranger wrote:" in said
    assert "stranger likes a picture." in said
    assert "curator added a picture." in said
    as_viewer.post(under(album, image, "heart"), {"action": "remove"})
    assert not Heart.objects.exists()


def test_who_takes_a_comment_away(page, as_viewer, album, photo, outsider, administrator):
    AlbumMember.objects.create(album=album, user=administrator, role="editor")
    as_viewer.post(under(album, photo("coffee")), {"text": "one"})
    as_viewer.post(under(album, photo("coffee")), {"text": "two"})
    first, second = Comment.objects.all()
    for other in (outsider, administrator):
        assert browser_of(other).post(f"/comments/{first.pk}/remove").status_code == 404
    assert page.post(f"/comments/{first.pk}/remove").status_code == 302  # the album is the curator's
    assert as_viewer.post(f"/comments/{second.pk}/remove").status_code == 302
    assert not Comment.objects.exists()


def test_others_neither_read_nor_write(page, album, photo, outsider):
    page.post(under(album, photo("coffee")), {"text": "secret"})
    client = browser_of(outsider)
    assert client.get(f"/albums/{album.pk}/activity").status_code == 404
    assert client.post(under(album, photo("coffee")), {"text": "me too"}).status_code == 404
    assert client.post(under(album, photo("coffee"), "heart"), {"action": "add"}).status_code == 404
    assert Comment.objects.count() == 1


def test_an_album_may_be_silent(page, album, photo, as_viewer):
    page.post(under(album, photo("coffee")), {"text": "before"})
    Album.objects.filter(pk=album.pk).update(allows_talk=False)
    shown = as_viewer.get(f"/images/{photo('coffee').pk}/").content.decode()
    assert "before" not in shown
    assert as_viewer.post(under(album, photo("coffee")), {"text": "x"}).status_code == 404
    assert "before" not in text_of(as_viewer.get(f"/albums/{album.pk}/activity"))
    # Only its owner says so.
    as_viewer.post(f"/albums/{album.pk}/edit", {"title": "Corsica", "allows_talk": "on"})
    assert not Album.objects.get(pk=album.pk).allows_talk


@pytest.mark.parametrize("text", ["", "  \n", "x" * 1001, "a\0b"])
def test_a_comment_says_something_short(page, album, photo, text):
    assert page.post(under(album, photo("coffee")), {"text": text}).status_code == 400
    assert page.post(under(album, photo("coffee"), "heart"), {"action": "x"}).status_code == 400
    assert page.post(under(album, photo("rocket")), {"text": "not in it"}).status_code == 404


def test_words_come_back_with_the_picture(page, album, photo):
    page.post(under(album, photo("coffee")), {"text": "kept"})
    link = {"of_album": album.pk, "image": photo("coffee").pk}
    page.post("/selection/", {"action": "remove", **link})
    assert "kept" not in text_of(page.get(f"/albums/{album.pk}/activity"))
    page.post("/selection/undo")
    assert "kept" in text_of(page.get(f"/albums/{album.pk}/activity"))


def test_the_album_knows_who_added_what(page, album, photo, curator):
    page.post("/selection/", {"action": "add", "album": album.pk, "image": [photo("rocket").pk]})
    assert AlbumImage.objects.get(image=photo("rocket"), album=album).added_by == curator
    assert "curator added 2 pictures." in text_of(page.get(f"/albums/{album.pk}/activity"))


def test_activity_asks_as_often_for_many(page, album, photo, django_assert_max_num_queries):
    for image in Image.objects.all():
        AlbumImage.objects.get_or_create(album=album, image=image)
    for _ in range(30):
        Comment.objects.create(album=album, image=photo("coffee"), author=album.owner, text="x")
    with django_assert_max_num_queries(12):
        page.get(f"/albums/{album.pk}/activity")


def test_the_latest_words_are_shown(page, album, photo, curator):
    many = [Comment(album=album, image=photo("coffee"), author=curator, text=f"c{n}") for n in range(205)]
    Comment.objects.bulk_create(many)
    shown = text_of(page.get(f"/images/{photo('coffee').pk}/"))
    assert "c204" in shown
    assert page.post(f"/albums/{album.pk}/images/{10**30}/heart", {"action": "add"}).status_code == 404


def test_words_go_along_when_an_account_is_handed_over(album, photo, curator, stranger):
    Comment.objects.create(album=album, image=photo("coffee"), author=stranger, text="kept")
    Heart.objects.create(album=album, image=photo("coffee"), person=stranger)
    with photo("coffee").original.open() as original:
        twin = ingest.add(stranger, original, "twin.png").image
    trash.move(Image.objects.filter(pk=twin.pk))
    account_deletion.hand_over(curator, stranger)
    assert Comment.objects.get().image == Heart.objects.get().image == twin
    twin.refresh_from_db()
    assert twin.trashed_at is None
    assert list(Album.objects.get(pk=album.pk).images.all()) == [twin]
