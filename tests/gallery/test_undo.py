"""What was done with pictures last is taken back, where one still may."""

import json

import pytest

from gallery.models import Album, AlbumImage, AlbumMember, Image
from tests.gallery.test_pages import text_of
from tests.gallery.test_trash import act


def take_back(page):
    return page.post("/selection/undo", {"next": "/images/"}, follow=True)


def state(*images) -> list:
    """Everything that the actions below may change of pictures."""
    return [
        (
            sorted(image.image_tags.values_list("tag__name", "source", "confidence", "extractor")),
            sorted(image.album_images.values_list("album_id", "position")),
            Image.objects.filter(pk=image.pk).values(
                "trashed_at", "taken_local", "taken_at", "taken_precision", "place", "latitude", "turn",
                "width", "corrected",
            )[0],
            image.favourites.count() if hasattr(image, "favourites") else 0,
        )
        for image in images
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("tag", {"tag": "breakfast"}),
        ("tag", {"tag": "espresso"}),  # the extractor's own word becomes a person's, and is its own again
        ("untag", {"tag": "espresso"}),
        ("favourite", {}),
        ("trash", {}),
        ("date", {"taken": "1987-06"}),
        ("place", {"place": "Attic"}),
        ("turn-left", {}),
        ("turn-right", {}),
        ("add", {"new_album": "Made for this"}),
        ("remove", {}),
    ],
)
def test_everything_is_taken_back(page, curator, photo, action, fields):
    album = Album.objects.create(owner=curator, title="Before")
    images = [photo("coffee"), photo("rocket")]
    for position, image in enumerate(images):
        AlbumImage.objects.create(album=album, image=image, position=position)
    before = state(*images)
    done = act(page, action, images, of_album=album.pk, **fields)
    assert done.status_code == 200 and "Undo" in text_of(done)
    assert action == "favourite" or state(*images) != before
    assert "Undone for" in text_of(take_back(page))
    assert state(*images) == before
    assert take_back(page).status_code == 400  # once


def test_a_script_is_told_which_pictures_are_gone(page, photo):
    ids = [photo("coffee").pk, photo("rocket").pk]
    data = {"action": "trash", "image": ids, "next": "/images/"}
    answer = page.post("/selection/", data, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    html = answer.content.decode()
    assert f'data-gone="{min(ids)} {max(ids)}"' in html
    assert "Undo" in html and "/trash/" in html and "<html" not in html


def test_what_one_may_not_change_any_more_stays(client, curator, stranger, photo):
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    member = AlbumMember.objects.create(album=album, user=stranger, role="editor")
    client.force_login(stranger)
    act(client, "remove", [photo("coffee")], of_album=album.pk)
    assert not album.images.exists()
    member.delete()
    take_back(client)
    assert not album.images.exists()


def test_an_editor_puts_back_what_they_took_out(client, curator, stranger, photo):
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    AlbumMember.objects.create(album=album, user=stranger, role="editor")
    client.force_login(stranger)
    act(client, "remove", [photo("coffee")], of_album=album.pk)
    take_back(client)
    assert list(album.images.all()) == [photo("coffee")]


def test_it_is_kept_for_an_hour(page, photo, monkeypatch):
    from gallery import undo

    act(page, "trash", [photo("coffee")])
    monkeypatch.setattr(undo.time, "time", lambda: 4e9)
    assert take_back(page).status_code == 400
    assert photo("coffee").pk in Image.objects.filter(trashed_at__isnull=False).values_list("pk", flat=True)


def test_a_session_can_hold_it(page, photo):
    act(page, "date", [photo("coffee")], taken="2001")
    json.dumps(dict(page.session))


def test_an_album_is_made_from_the_selection(page, curator, photo):
    response = act(page, "add", [photo("coffee")], new_album="  Sea   side ")
    album = Album.objects.get(owner=curator, title="Sea side")
    assert album.images.count() == 1
    assert f'href="/albums/{album.pk}/"' in response.content.decode()
    act(page, "add", [photo("rocket")], new_album="Sea side")  # the same one
    assert album.images.count() == 2
    assert act(page, "add", [photo("rocket")], new_album="x" * 201).status_code == 400
