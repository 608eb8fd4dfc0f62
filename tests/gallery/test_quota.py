"""How much a person may keep: shown, and enforced wherever pictures come in."""

import pytest

from gallery import ingest, quota, trash
from gallery.models import Account
from gallery.refusal import RefusedError
from tests.conftest import drawn, encoded, upload
from tests.gallery.test_pages import text_of

pytestmark = pytest.mark.many


def test_by_default_there_is_no_limit(page, curator):
    usage = quota.usage(curator)
    assert (usage.pictures, usage.most_pictures, usage.most_bytes) == (21, None, None)
    assert usage.bytes == sum(curator.images.values_list("size_bytes", flat=True))
    assert "21 pictures" in text_of(page.get("/upload/"))


@pytest.mark.parametrize("way", ["settings", "account"])
def test_pictures_beyond_it_are_refused_with_a_sentence(page, curator, settings, way):
    if way == "settings":
        settings.QUOTA_PICTURES = 22
    else:
        Account.objects.create(user=curator, quota_pictures=22)
    assert "21 of 22 pictures" in text_of(page.get("/upload/"))
    assert page.post("/upload/", {"files": upload(encoded(drawn("red")))}).status_code == 200
    response = page.post("/upload/", {"files": upload(encoded(drawn("blue")))})
    assert response.status_code == 400
    assert "You have 22 of at most 22 pictures." in text_of(response)
    assert curator.images.count() == 22


def test_bytes_count_and_the_api_says_so_too(api, curator):
    Account.objects.create(user=curator, quota_mb=0)
    answer = api.post("/api/v1/images/", {"file": upload(encoded(drawn("red")))})
    assert answer.status_code == 507
    assert answer.json()["errors"][0]["detail"].startswith("You have used 4.9 MB of 0 MB")


def test_what_is_there_already_is_no_addition_and_the_trash_counts(curator, photo):
    Account.objects.create(user=curator, quota_pictures=21)
    trash.move(curator.images.filter(pk=photo("coffee").pk))
    with pytest.raises(RefusedError):
        ingest.add(curator, upload(encoded(drawn("red"))))
    coffee = photo("coffee")
    with coffee.original.open() as file:
        assert not ingest.add(curator, upload(file.read(), "again.png")).created


def test_administrators_set_it(client, administrator, curator):
    client.force_login(administrator)
    response = client.get(f"/admin/auth/user/{curator.pk}/change/")
    assert b"account-0-quota_mb" in response.content
