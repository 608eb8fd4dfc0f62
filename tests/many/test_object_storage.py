"""Files in an object store: few requests, and no picture suffers when it does not answer."""

import pytest
from django.core.files.storage import storages
from django.test import Client

from gallery import ingest, tasks, verification
from gallery.files.object_storage import ObjectStorage
from gallery.files.storage import StoreError
from gallery.files.thumbnails import thumbnail_name
from gallery.models import Image
from tests.conftest import ON_ONE_MACHINE, drawn, encoded, upload
from tests.servers import free_port

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(ON_ONE_MACHINE, reason="files are on this machine's disk"),
]


@pytest.fixture
def requests(monkeypatch):
    """The requests that both stores got, by method."""
    got: list[str] = []
    for name in ("default", "thumbnails"):
        events = storages[name].connection.meta.client.meta.events
        events.register("before-send.s3", lambda request, **_: got.append(request.method), unique_id="count")
    yield got
    for name in ("default", "thumbnails"):
        storages[name].connection.meta.client.meta.events.unregister("before-send.s3", unique_id="count")


@pytest.fixture
def away(monkeypatch):
    """A store that does not answer."""
    store = ObjectStorage(
        bucket_name="picfusion",
        access_key="key",
        secret_key="secret",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{free_port()}",
        location="originals",
    )
    monkeypatch.setattr(Image._meta.get_field("original"), "storage", store)
    return store


def test_a_thumbnail_that_exists_is_one_request(page: Client, photo, requests):
    address = f"/images/{photo('coffee').pk}/thumbnail/small"
    first = b"".join(page.get(address).streaming_content)
    requests.clear()
    again = page.get(address)
    assert b"".join(again.streaming_content) == first
    assert requests == ["GET"]
    requests.clear()
    assert page.get(address, headers={"If-None-Match": again["ETag"]}).status_code == 304
    assert requests == []


def test_an_original_is_one_request(page: Client, photo, requests):
    answer = page.get(f"/images/{photo('coffee').pk}/original")
    assert len(b"".join(answer.streaming_content)) == photo("coffee").size_bytes
    assert requests == ["GET"]


@pytest.mark.parametrize("address", ["/", "/images/", "/?q=coffee", "/images/{}/"])
def test_pages_ask_the_store_nothing(page: Client, photo, requests, address):
    assert page.get(address.format(photo("coffee").pk)).status_code == 200
    assert requests == []


def test_a_thumbnail_that_is_gone_is_made_anew(page: Client, photo):
    coffee = photo("coffee")
    address = f"/images/{coffee.pk}/thumbnail/small"
    first = b"".join(page.get(address).streaming_content)
    storages["thumbnails"].delete(thumbnail_name(coffee, "small"))
    assert b"".join(page.get(address).streaming_content) == first


@pytest.fixture
def own(stranger):
    """A picture of this test alone: what is deleted from the store does not roll back."""
    return ingest.add(stranger, upload(encoded(drawn("maroon")))).image


def test_a_missing_original_is_failed_and_one_of_a_store_that_is_away_waits(own, away, monkeypatch):
    for _ in range(4):
        assert tasks.extract_batch(16) == 0
    own.refresh_from_db()
    assert (own.status, own.attempts, own.error) == (Image.Status.PENDING, 0, "")
    monkeypatch.undo()
    storages["default"].delete(own.original.name)
    for _ in range(3):
        tasks.extract_batch(16)
    own.refresh_from_db()
    assert (own.status, own.error) == (Image.Status.FAILED, Image.Failure.MISSING)


def test_a_lost_original_comes_back_with_the_same_bytes(own, stranger):
    content = own.original.read()
    storages["default"].delete(own.original.name)
    again = ingest.add(stranger, upload(content))
    assert (again.created, again.image) == (False, own)
    own.refresh_from_db()
    assert own.original.read() == content


@pytest.mark.parametrize("path", ["/images/{}/original", "/api/v1/images/{}/original/"])
def test_a_store_that_is_away_is_a_moment_not_an_error(page: Client, photo, away, path):
    answer = page.get(path.format(photo("coffee").pk))
    assert answer.status_code == 503
    assert "cannot be reached right now" in answer.content.decode()
    assert answer["Retry-After"]


def test_an_upload_to_a_store_that_is_away_leaves_nothing_behind(page: Client, away):
    before = Image.objects.count()
    answer = page.post("/api/v1/images/", {"file": upload(encoded(drawn("olive")))})
    assert answer.status_code == 503
    assert Image.objects.count() == before


def test_verifying_says_that_the_store_is_away_and_marks_no_picture(curator, away):
    outcome = verification.Outcome()
    with pytest.raises(StoreError):
        verification.check_originals(outcome)
    assert not outcome.missing
    assert not Image.objects.filter(is_damaged=True).exists()
