"""The admin site for pictures, tags and albums."""

from pathlib import Path

import pytest

from gallery import ingest, tasks
from gallery.models import Image
from tests.conftest import drawn, encoded, upload


@pytest.fixture
def admin(client, administrator):
    client.force_login(administrator)
    return client


def test_pictures_are_listed_with_thumbnails_that_the_administrator_is_sent(admin, photo):
    listing = admin.get("/admin/gallery/image/")
    source = f"/images/{photo('coffee').pk}/thumbnail/small"
    assert source.encode() in listing.content
    assert admin.get(source).status_code == 200


def test_the_list_takes_a_constant_number_of_queries(admin, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        admin.get("/admin/gallery/image/")


@pytest.mark.parametrize("model", ["image", "tag", "album"])
def test_lists_and_searches_answer(admin, model):
    assert admin.get(f"/admin/gallery/{model}/").status_code == 200
    assert admin.get(f"/admin/gallery/{model}/?q=cat").status_code == 200
    assert admin.get(f"/admin/gallery/{model}/add/").status_code == 200


def test_one_picture_shows_its_tags_and_can_be_deleted(admin, photo):
    image = photo("coffee")
    response = admin.get(f"/admin/gallery/image/{image.pk}/change/")
    assert b"espresso" in response.content
    assert admin.post(f"/admin/gallery/image/{image.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Image.objects.filter(pk=image.pk).exists()


def test_failed_pictures_show_the_reason_and_can_be_retried(admin, curator):
    image = ingest.add(curator, upload(encoded(drawn("gold")))).image
    Path(image.original.path).write_bytes(b"rotten")
    while tasks.extract_batch(16):
        pass
    assert b"decoded" in admin.get(f"/admin/gallery/image/{image.pk}/change/").content
    response = admin.post(
        "/admin/gallery/image/", {"action": "retry", "_selected_action": [image.pk]}, follow=True
    )
    assert b"1 pictures wait to be read again." in response.content
    image.refresh_from_db()
    assert image.status == Image.Status.PENDING


def test_an_administrator_without_the_permission_is_sent_nothing(client, stranger, photo):
    stranger.is_staff = True
    stranger.save()
    client.force_login(stranger)
    assert client.get(f"/images/{photo('coffee').pk}/thumbnail/small").status_code == 404
