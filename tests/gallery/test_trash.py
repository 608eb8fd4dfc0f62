"""The trash: gone everywhere at once, brought back with everything, deleted for good after thirty days."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from gallery import ingest, tagging, trash
from gallery.models import Album, AlbumImage, AlbumMember, Image
from search import duplicates, engine, suggestions
from search.models import LookAlikes
from search.query.query import Query
from tests.conftest import demo_path, drawn, encoded
from tests.gallery.test_pages import text_of


def act(client, action: str, images: list[Image], **fields):
    return client.post(
        "/selection/", {"action": action, "image": [image.pk for image in images]} | fields, follow=True
    )


@pytest.fixture
def shared(curator, stranger, photo):
    """Coffee and rocket in an album that the stranger is a viewer of."""
    album = Album.objects.create(owner=curator, title="Shared")
    for name in ("coffee", "rocket"):
        AlbumImage.objects.create(album=album, image=photo(name))
    AlbumMember.objects.create(album=album, user=stranger)
    return album


def found(user) -> list[str]:
    return [result.image.filename for result in engine.search(Query(tags=("espresso",)), user).results]


def test_what_is_in_the_trash_is_gone_everywhere_for_everyone(page, client, curator, stranger, photo, shared):
    coffee = photo("coffee")
    assert found(stranger) == found(curator) == ["coffee.png"]
    act(page, "trash", [coffee])
    assert found(stranger) == found(curator) == []
    assert suggestions.complete("espresso", curator) == []
    assert page.get(f"/images/{coffee.pk}/").status_code == 404
    assert f"/images/{coffee.pk}/" not in page.get("/images/").content.decode()
    assert "1 picture" in text_of(page.get(f"/albums/{shared.pk}/"))
    assert "Shared 1 picture" in text_of(page.get("/albums/"))
    assert "coffee.png" in page.get("/trash/").content.decode()
    assert page.get(f"/images/{coffee.pk}/thumbnail/small").status_code == 200  # in the owner's trash
    client.force_login(stranger)
    for address in ("", "original", "thumbnail/small"):
        assert client.get(f"/images/{coffee.pk}/{address}").status_code == 404
    assert "coffee.png" not in client.get("/trash/").content.decode()


def test_it_comes_back_with_its_tags_and_albums(page, stranger, photo, shared):
    coffee = photo("coffee")
    tagging.add(coffee, "breakfast")
    act(page, "trash", [coffee])
    assert "1 picture restored." in text_of(act(page, "restore", [coffee], next="/trash/"))
    assert found(stranger) == ["coffee.png"]
    assert coffee.tags.filter(name="breakfast").exists()


def test_uploading_it_again_brings_it_back(page, curator, photo):
    coffee = photo("coffee")
    act(page, "trash", [coffee])
    added = ingest.add(curator, ContentFile(demo_path("coffee").read_bytes(), name="again.png"))
    assert (added.image, added.created) == (coffee, False)
    assert page.get(f"/images/{coffee.pk}/").status_code == 200


def test_after_thirty_days_it_is_deleted_with_its_files(
    page, curator, photo, django_capture_on_commit_callbacks
):
    image = ingest.add(curator, ContentFile(demo_path("coffee").read_bytes() + b" ", name="latte.png")).image
    path = Path(image.original.path)
    act(page, "trash", [image, photo("rocket")])
    Image.objects.filter(pk=image.pk).update(trashed_at=timezone.now() - timedelta(days=29, hours=23))
    assert trash.purge() == "0 pictures deleted for good"
    Image.objects.filter(pk=image.pk).update(trashed_at=timezone.now() - timedelta(days=30, minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        assert trash.purge() == "1 pictures deleted for good"
    assert not Image.objects.filter(pk=image.pk).exists()
    assert not path.exists()


def test_its_owner_can_delete_for_good_what_is_in_the_trash_and_nothing_else(page, client, stranger, photo):
    coffee, rocket = photo("coffee"), photo("rocket")
    act(page, "trash", [coffee])
    client.force_login(stranger)
    assert act(client, "purge", [coffee]).status_code == 404
    assert act(client, "restore", [coffee]).status_code == 404
    client.force_login(coffee.owner)
    words = text_of(act(client, "purge", [coffee, rocket], next="/trash/"))
    assert "1 picture permanently deleted. 1 skipped" in words
    assert list(Image.objects.filter(pk__in=[coffee.pk, rocket.pk])) == [rocket]


def test_it_is_no_duplicate(page, curator, photo):
    first, second = sorted(curator.images.values_list("pk", flat=True))[:2]
    LookAlikes.objects.create(first_id=first, second_id=second)
    assert len(duplicates.groups(curator)) == 1
    act(page, "trash", list(curator.images.all()))
    assert list(duplicates.groups(curator)) == []
    assert engine.search(Query(text="animal"), curator).count == 0


@pytest.mark.parametrize("days", ["-5", "9999999999", "x"])
def test_days_that_cannot_be_empty_nothing(curator, days):
    image = ingest.add(curator, ContentFile(encoded(drawn("teal")), name="a.png")).image
    trash.move(Image.objects.filter(pk=image.pk))
    with pytest.raises(CommandError, match="whole number of days"):
        call_command("trash", "empty", f"--older-than={days}")
    assert Image.objects.filter(pk=image.pk).exists()
