"""The worker's part: claims, leases, retries, and what ends up in the database."""

import io
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ
from PIL import Image as Pillow
from sorl.thumbnail import default as sorl
from sorl.thumbnail.images import ImageFile
from sorl.thumbnail.kvstores.base import add_prefix
from sorl.thumbnail.models import KVStore

from gallery import ingest, rereading, tasks
from gallery.extraction import registry
from gallery.extraction.pipeline import Reading
from gallery.files import thumbnails
from gallery.files.thumbnails import SIZES, NewThumbnails, thumbnail_name
from gallery.models import Embedding, Image, ImageTag, Tag
from tests.conftest import demo_path, drawn, encoded, upload


@pytest.fixture
def pending(stranger):
    """pending(n) are n new images that wait to be read."""

    def make(count: int) -> list[Image]:
        colors = [(40 * i % 256, 90, 255 - 30 * i % 256) for i in range(count)]
        return [ingest.add(stranger, upload(encoded(drawn(color)))).image for color in colors]

    return make


def break_original(image: Image) -> None:
    """The file on disk rots after it was accepted."""
    Path(image.original.path).write_bytes(b"rotten")


def test_an_upload_asks_the_worker_with_its_own_commit(stranger, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        ingest.add(stranger, upload(encoded(drawn())))
    assert not callbacks
    assert [task.func() for task in OrmQ.objects.all()] == ["gallery.tasks.extract_pending"]


def test_a_photo_gets_tags_an_embedding_and_is_ready(stranger):
    image = ingest.add(stranger, upload(demo_path("coffee").read_bytes())).image
    assert tasks.extract_batch(16) == 1
    image.refresh_from_db()
    assert (image.status, image.error, image.lease_expires_at) == (Image.Status.READY, "", None)
    tag = image.image_tags.get(tag__name="espresso")
    assert (tag.source, tag.extractor) == ("extractor", "lite/2")
    assert 0.5 < tag.confidence <= 1
    vector = image.embeddings.get().as_array()
    assert vector.shape == (384,)
    assert abs(float(vector @ vector) - 1) < 1e-5


def test_a_failing_picture_does_not_fail_its_batch(pending):
    images = pending(4)
    break_original(images[1])
    tasks.extract_batch(16)
    assert [Image.objects.get(pk=image.pk).status for image in images] == [
        "ready",
        "pending",
        "ready",
        "ready",
    ]


def test_after_three_attempts_it_is_failed_with_the_reason(pending):
    [image] = pending(1)
    break_original(image)
    while tasks.extract_batch(16):
        pass
    image.refresh_from_db()
    assert (image.status, image.attempts) == (Image.Status.FAILED, 3)
    assert image.error == Image.Failure.UNREADABLE


def test_a_missing_original_is_named_as_such(pending):
    [image] = pending(1)
    Path(image.original.path).unlink()
    tasks.extract_batch(16)
    image.refresh_from_db()
    assert image.error == Image.Failure.MISSING


def test_retry_begins_anew(pending):
    [image] = pending(1)
    content = Path(image.original.path).read_bytes()
    break_original(image)
    while tasks.extract_batch(16):
        pass
    Path(image.original.path).write_bytes(content)
    assert tasks.retry(Image.objects.filter(pk=image.pk)) == 1
    tasks.extract_batch(16)
    image.refresh_from_db()
    assert (image.status, image.attempts, image.error) == (Image.Status.READY, 0, "")


def test_a_killed_workers_images_return_when_the_lease_runs_out(pending):
    images = pending(3)
    assert {image.pk for image in tasks.claim(16)} == {image.pk for image in images}
    assert tasks.claim(16) == []
    Image.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    returned = []
    while claimed := tasks.claim(16):
        returned.append([image.pk for image in claimed])
    # One at a time, the newest first: whichever killed the worker takes no other with it.
    assert returned == [[image.pk] for image in reversed(images)]


def test_what_kills_the_worker_three_times_is_failed(pending):
    [killer] = pending(1)
    for _ in range(3):
        assert tasks.claim(16) == [killer]
        Image.objects.filter(pk=killer.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert tasks.claim(16) == []
    killer.refresh_from_db()
    assert (killer.status, killer.error) == (Image.Status.FAILED, Image.Failure.CRASHED)


def test_an_image_deleted_while_it_is_read_is_passed_over(pending):
    images = pending(2)
    claimed = tasks.claim(16)
    extractor = registry.load(registry.describe("lite"))
    readings = [Reading(extraction, 0, 0) for extraction in extractor.extract([drawn(), drawn("blue")])]
    Image.objects.get(pk=images[0].pk).delete()
    tasks.store({image.pk: own for image, own in zip(claimed, readings, strict=True)}, "lite/2")
    assert Image.objects.get(pk=images[1].pk).status == Image.Status.READY
    assert not Embedding.objects.filter(image_id=images[0].pk).exists()


def test_a_persons_tag_stays_the_persons(stranger):
    image = ingest.add(stranger, upload(demo_path("coffee").read_bytes())).image
    for name in ("espresso", "breakfast"):
        ImageTag.objects.create(image=image, tag=Tag.objects.get_or_create(name=name)[0])
    tasks.extract_batch(16)
    sources = dict(image.image_tags.values_list("tag__name", "source"))
    assert sources["espresso"] == sources["breakfast"] == "person"


def test_the_command_reads_everything_in_the_foreground(pending, capsys):
    images = pending(5)
    break_original(images[0])
    call_command("extract", "--batch-size", "2")
    assert Image.objects.filter(pk__in=[image.pk for image in images], status="ready").count() == 4
    assert "1 failed" in capsys.readouterr().out


def test_deleting_an_image_removes_its_files_once_committed(pending, django_capture_on_commit_callbacks):
    [image] = pending(1)
    path = Path(image.original.path)
    with django_capture_on_commit_callbacks(execute=True):
        image.delete()
        assert path.exists()
    assert not path.exists()


def test_pictures_from_before_hashes_are_hashed_when_there_is_nothing_else_to_do(curator):
    hashes = dict(curator.images.values_list("pk", "perceptual_hash"))
    gone = curator.images.first()
    curator.images.update(perceptual_hash=None, color=None)
    Path(gone.original.path).rename(gone.original.path + ".away")
    try:
        while rereading.measure_batch(8):
            pass
    finally:
        Path(gone.original.path + ".away").rename(gone.original.path)
    again = dict(curator.images.values_list("pk", "perceptual_hash"))
    assert again.pop(gone.pk) == 0
    # Decoded at another size than for the extractor: nearly the same.
    assert all(((hashes[pk] ^ value) % 2**64).bit_count() <= 8 for pk, value in again.items())
    assert not curator.images.filter(color=None).exists()


def test_people_take_turns_and_the_newest_come_first(curator, stranger):
    for owner, count in ((curator, 30), (stranger, 5)):
        for i in range(count):
            color = (i * 8, 90 if owner == curator else 10, 20)
            ingest.add(owner, ContentFile(encoded(drawn(color)), name=f"{i}.png"))
    [first, second] = (tasks.claim(8) for _ in range(2))
    assert [image.owner_id for image in first].count(stranger.pk) == 4
    own = [image.filename for image in first if image.owner_id == curator.pk]
    assert own == ["29.png", "28.png", "27.png", "26.png"]
    assert stranger.pk in {image.owner_id for image in second}
    assert len(second) == 8


@pytest.fixture
def unread(curator):
    """A picture that waits, wider than high."""
    content = ContentFile(encoded(drawn(size=(1200, 800)), "JPEG") + os.urandom(8), name="wide.jpg")
    return ingest.add(curator, content).image


@pytest.fixture
def no_more_decoding(monkeypatch):
    """From here on nothing is decoded any more."""

    def start():
        monkeypatch.setattr("gallery.files.thumbnails.decoder", lambda: pytest.fail("decoded again"))

    return start


def test_thumbnails_of_grids_are_made_while_a_picture_is_read(page, unread, no_more_decoding):
    tasks.extract_batch(16)
    no_more_decoding()
    for size, width in (("small", 320), ("medium", 640)):
        picture = Pillow.open(io.BytesIO(b"".join(page.get(f"/images/{unread.pk}/thumbnail/{size}"))))
        assert picture.size == (width, round(width * 2 / 3))
        left, right = picture.getpixel((5, 50)), picture.getpixel((width - 5, 50))
        assert left[0] > 200, "red"
        assert left[2] < 50
        assert min(right) > 240, "white"


def test_thumbnails_of_a_turned_picture_are_turned_once(page, unread, no_more_decoding):
    tasks.extract_batch(16)
    Image.objects.filter(pk=unread.pk).update(turn=1, width=800, height=1200)
    tasks.read_turned([unread.pk])
    no_more_decoding()
    picture = Pillow.open(io.BytesIO(b"".join(page.get(f"/images/{unread.pk}/thumbnail/small"))))
    assert picture.size == (213, 320)
    assert picture.getpixel((100, 5))[2] < 50, "what was left is above"


def test_a_picture_that_is_read_again_keeps_its_thumbnails(unread):
    tasks.extract_batch(16)
    name = thumbnail_name(unread, "small")
    before = sorl.storage.listdir(os.path.dirname(name))
    tasks.read_turned([unread.pk])
    assert sorl.storage.listdir(os.path.dirname(name)) == before


def test_early_thumbnails_go_with_their_picture(unread, django_capture_on_commit_callbacks):
    tasks.extract_batch(16)
    names = [thumbnail_name(unread, size) for size in ("small", "medium")]
    assert all(sorl.storage.exists(name) for name in names)
    with django_capture_on_commit_callbacks(execute=True):
        unread.delete()
    assert not any(sorl.storage.exists(name) for name in names)


def test_thumbnails_of_a_picture_that_goes_while_it_is_read_go_too(
    unread, monkeypatch, django_capture_on_commit_callbacks
):
    names = [thumbnail_name(unread, size) for size in ("small", "medium")]
    register = NewThumbnails.register

    def register_later(self):
        with django_capture_on_commit_callbacks(execute=True):
            Image.objects.get(pk=unread.pk).delete()
        assert sorl.storage.exists(names[0])
        register(self)

    # As if both happened at once: its thumbnails are looked for before they are there.
    monkeypatch.setattr(thumbnails.Made, "remove", lambda self: None)
    monkeypatch.setattr(NewThumbnails, "register", register_later)
    tasks.extract_batch(16)
    assert not any(sorl.storage.exists(name) for name in names)
    assert not KVStore.objects.filter(value__contains=unread.original.name).exists()


def test_two_processes_may_make_thumbnails_of_one_picture(unread, page, django_capture_on_commit_callbacks):
    """Each adds to the list of them that both keep: neither goes by what it remembers of it."""
    page.get(f"/images/{unread.pk}/thumbnail/small")
    own = cache._cache.copy(), cache._expire_info.copy()
    tasks.extract_batch(16)
    cache._cache, cache._expire_info = own  # the web process has not seen what the worker did
    with django_capture_on_commit_callbacks(execute=True):
        unread.delete()
    assert not any(sorl.storage.exists(thumbnail_name(unread, size)) for size in SIZES)
    assert not KVStore.objects.filter(value__contains=unread.sha256[:16]).exists()


def test_thumbnails_that_a_worker_made_and_could_not_tell_of_are_told_of(unread, monkeypatch):
    with monkeypatch.context() as patches:
        patches.setattr(NewThumbnails, "register", lambda self: None)  # it died
        tasks.extract_batch(16)
    tasks.read_turned([unread.pk])
    known = {row.key for row in KVStore.objects.all()}
    for size in ("small", "medium"):
        assert add_prefix(ImageFile(thumbnail_name(unread, size), sorl.storage).key) in known


def test_a_picture_is_read_though_its_thumbnails_cannot_be_kept(unread, monkeypatch):
    def refuse(*args):
        raise OSError("no space left")

    monkeypatch.setattr(sorl.storage, "save", refuse)
    assert tasks.extract_batch(16) == 1
    unread.refresh_from_db()
    assert unread.status == Image.Status.READY
    assert not sorl.storage.exists(thumbnail_name(unread, "small"))


def test_a_claim_looks_everything_up_by_its_index(stranger, photo):
    """However many wait: without statistics SQLite would go through all of them for each batch."""
    if connection.vendor != "sqlite":
        pytest.skip("how PostgreSQL looks things up depends on its statistics")
    Image.objects.filter(pk=photo("coffee").pk).update(status="pending", attempts=0)
    with CaptureQueriesContext(connection) as asked:
        assert len(tasks.claim(16)) == 1
    looked = [own["sql"] for own in asked if "IN ('pending', 'processing')" in own["sql"]]
    assert len(looked) >= 4
    with connection.cursor() as cursor:
        for sql in looked:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(str(row[-1]) for row in cursor.fetchall())
            assert "TEMP B-TREE" not in plan, (sql, plan)
