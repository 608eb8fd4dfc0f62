"""What people do to tags, by the API and the admin."""

import pytest
from rest_framework.test import APIClient

from gallery import tasks
from gallery.models import Album, AlbumImage, AlbumMember, Image
from search import engine
from search.query.query import Query
from tests.conftest import wrong_fields


@pytest.fixture
def address(photo):
    return f"/api/v1/images/{photo('coffee').pk}/tags/"


def names(answer) -> list[str]:
    return [tag["name"] for tag in answer.json()]


def test_tags_are_given_and_found(api, curator, address):
    answer = api.post(address, {"name": "#Good  Morning"}, format="json")
    assert (answer.status_code, answer.json()["name"], answer.json()["source"]) == (
        201,
        "good morning",
        "person",
    )
    assert api.post(address, {"name": "good morning"}, format="json").status_code == 201
    assert names(api.get(address)) == ["good morning", "food", "drink", "espresso"]
    assert engine.search(Query(tags=("good morning",)), curator).count == 1


def test_a_machines_tag_is_removed_for_good(api, curator, address, photo):
    assert api.delete(f"{address}?name=espresso").status_code == 204
    assert names(api.get(address)) == ["food", "drink"]
    assert engine.search(Query(tags=("espresso",)), curator).unknown_tags == ["espresso"]
    Image.objects.filter(pk=photo("coffee").pk).update(status="pending")
    tasks.extract_batch(1)
    assert names(api.get(address)) == ["food", "drink"]
    assert api.post(address, {"name": "espresso"}, format="json").status_code == 201
    assert names(api.get(address)) == ["espresso", "food", "drink"]


@pytest.mark.parametrize("data", [{}, {"name": ""}, {"name": "#"}, {"name": "x" * 101}, {"name": ["a"]}])
def test_what_cannot_be_a_tag_is_named(api, address, data):
    answer = api.post(address, data, format="json")
    assert (answer.status_code, wrong_fields(answer)) == (400, ["name"])


def test_a_tag_that_is_not_there_cannot_be_removed(api, address):
    answer = api.delete(f"{address}?name=unicorn")
    said = [{"field": "name", "detail": "The picture does not carry this tag."}]
    assert (answer.status_code, answer.json()["errors"]) == (400, said)


def test_only_owners_and_editors_change_tags(stranger, curator, photo, address):
    other = APIClient()
    other.force_authenticate(stranger)
    album = Album.objects.create(owner=curator, title="Shared")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    member = AlbumMember.objects.create(album=album, user=stranger)
    for role, allowed in (("viewer", 404), ("contributor", 404), ("editor", 201)):
        member.role = role
        member.save()
        assert other.post(address, {"name": "mine"}, format="json").status_code == allowed
        assert other.get(address).status_code == 200


def test_a_tag_deleted_in_the_admin_stays_away(client, administrator, photo):
    client.force_login(administrator)
    image = photo("coffee")
    row = image.image_tags.get(tag__name="espresso")
    form = {
        "turn": 0,
        "image_tags-TOTAL_FORMS": 1,
        "image_tags-INITIAL_FORMS": 1,
        "image_tags-0-id": row.pk,
        "image_tags-0-image": image.pk,
        "image_tags-0-tag": row.tag_id,
        "image_tags-0-confidence": row.confidence,
        "image_tags-0-DELETE": "on",
        "embeddings-TOTAL_FORMS": 0,
        "embeddings-INITIAL_FORMS": 0,
    }
    assert client.post(f"/admin/gallery/image/{image.pk}/change/", form).status_code == 302
    Image.objects.filter(pk=image.pk).update(status="pending")
    tasks.extract_batch(1)
    assert image.image_tags.get(tag__name="espresso").source == "removed"
