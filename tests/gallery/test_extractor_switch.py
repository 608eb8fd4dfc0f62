"""Another extractor takes over.

The old one serves until the new one has read everything, and people's word stays.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from gallery import extractor_switch, ingest, tagging, tasks
from gallery.extraction import registry
from gallery.extraction.pipeline import Reading
from gallery.extraction.ram import WeightsError
from gallery.models import Embedding, Image, ImageTag
from search import engine
from search.query.query import Query
from tests.conftest import demo_path, drawn, encoded, upload
from tests.gallery.extraction import tiny

pytestmark = pytest.mark.many


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder of models with tiny weights for `full`, and what `lite` keeps there."""
    folder = tmp_path_factory.mktemp("models")
    tiny.save_ram(folder / "ram")
    tiny.save_clip(folder / "clip")
    for path in Path(django_settings.MODELS_DIR).glob("lite-*.npy"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def library(curator, settings, models):
    """The demo photos as `lite` read them."""
    settings.MODELS_DIR = models
    extractor_switch.remember(registry.describe("lite"))
    return Image.objects.filter(owner=curator)


@pytest.fixture
def full(settings):
    """full() makes the extractor `full` the one that is asked for."""

    def ask() -> str:
        settings.EXTRACTOR = "full"
        return registry.target().key

    return ask


def first(text: str, user) -> str:
    return engine.search(Query(text=text), user).results[0].image.filename


def test_full_reads_pictures_with_ram_and_clip(library, full):
    full()
    extractor = registry.load(registry.target())
    pictures = [drawn("red", (300, 200)), drawn("blue", (90, 400))]
    together = extractor.extract(pictures)
    for picture, extraction in zip(pictures, together, strict=True):
        assert extraction.embedding.shape == (24,)
        assert set(extraction.tags) <= {f"tag {i}" for i in range(tiny.TAGS)}
        assert extraction.tags
        [alone] = extractor.extract([picture])
        np.testing.assert_allclose(alone.embedding, extraction.embedding, atol=2e-2)
    assert extractor.embed_texts(["a", "b"]).shape == (2, 24)
    assert extractor.extract([]) == []


def test_the_old_extractor_serves_until_the_new_one_is_done(library, full, curator):
    old, new = extractor_switch.current().key, full()
    assert extractor_switch.current().key == old == "lite/2"
    count = library.count()
    assert tasks.reextract_batch(8) == 8
    progress = extractor_switch.progress()
    assert (progress.serving, progress.target, progress.done, progress.total) == (old, new, 8, count)
    assert first("a kitten", curator) == "chelsea.png"  # still lite's words and vectors
    assert not ImageTag.objects.shown(old).filter(tag__name__startswith="tag ").exists()

    # A picture that arrives meanwhile is searchable at once, and read by the new one later.
    ingest.add(curator, ContentFile(demo_path("coffee").read_bytes() + b" ", name="latte.png"))
    tasks.extract_batch(8)
    assert engine.search(Query(tags=("espresso",)), curator).count == 2

    while tasks.reextract_batch(8):
        pass
    assert extractor_switch.current().key == new
    assert not extractor_switch.progress().is_switching
    page = engine.search(Query(text="a kitten"), curator)
    assert page.count == count + 1
    assert Embedding.objects.filter(extractor=new).count() == count + 1
    assert engine.search(Query(tags=("espresso",)), curator).unknown_tags == ["espresso"]


def test_switching_back_is_immediate(library, full, settings, curator):
    full()
    while tasks.reextract_batch(16):
        pass
    settings.EXTRACTOR = "lite"
    assert tasks.reextract_batch(16) == 0
    assert extractor_switch.current().key == "lite/2"
    assert first("a kitten", curator) == "chelsea.png"


def test_the_worker_goes_on_by_itself(library, full):
    from django_q.models import OrmQ

    full()
    for _ in range(3):
        OrmQ.objects.all().delete()
        tasks.extract_pending()
    assert not OrmQ.objects.exists()
    assert not extractor_switch.progress().is_switching


def test_a_worker_that_dies_loses_nothing(library, full):
    full()
    extractor_switch.claim_unread(registry.target(), 5)  # claimed, and never stored
    read = 0
    while done := tasks.reextract_batch(8):
        read += done
    assert read == library.count()
    assert not extractor_switch.progress().is_switching


def test_a_picture_that_kills_the_worker_does_not_hold_a_switch_up(library, full, photo):
    """Killed after each claim, as by running out of memory, before anything is stored.

    The others survive it.
    """
    full()
    killer, new = photo("coffee"), registry.target()
    claims = []
    while images := extractor_switch.claim_unread(new, 8):
        claims.append(images)
        if killer not in images:
            [extraction] = registry.load(new).extract([drawn()])
            tasks.store({image.pk: Reading(extraction, 0, 0) for image in images}, new.key)
        assert len(claims) < 40
    assert [len(images) for images in claims if killer in images][1:] == [1, 1]
    assert extractor_switch.switch_if_complete()
    killer.refresh_from_db()
    assert (killer.status, killer.error) == (Image.Status.FAILED, Image.Failure.CRASHED)
    assert Image.objects.filter(status=Image.Status.FAILED).count() == 1


def test_a_model_that_cannot_be_loaded_costs_no_picture_an_attempt(curator, settings, tmp_path):
    tiny.save_clip(tmp_path / "clip")
    tiny.save_ram(tmp_path / "ram").write_bytes(b"half a download")
    settings.MODELS_DIR, settings.EXTRACTOR = tmp_path, "full"
    extractor_switch.ActiveExtractor.objects.all().delete()
    image = ingest.add(curator, upload(encoded(drawn("gold")))).image
    for _ in range(4):
        with pytest.raises(WeightsError, match="cannot be read as a checkpoint"):
            tasks.extract_batch(8)
    image.refresh_from_db()
    assert (image.status, image.attempts) == (Image.Status.PENDING, 0)


def test_a_picture_that_the_new_one_cannot_read_does_not_hold_it_up(library, full, curator):
    image = ingest.add(curator, upload(encoded(drawn("gold")))).image
    tasks.extract_batch(8)
    default_storage.delete(image.original.name)
    default_storage.save(image.original.name, ContentFile(b"rotten"))
    new = full()
    while tasks.reextract_batch(8):
        pass
    image.refresh_from_db()
    assert extractor_switch.current().key == new
    assert image.status == Image.Status.FAILED
    assert image.error == Image.Failure.UNREADABLE


def test_what_people_said_survives(library, full, photo):
    image = photo("coffee")
    tagging.add(image, "Breakfast")
    tagging.add(image, "tag 1")
    tagging.remove(image, "espresso")
    [extraction] = registry.load(registry.describe("lite")).extract([drawn()])
    for key in ("lite/2", full()):
        tags = {"espresso": 0.9, "tag 1": 0.8, "tag 2": 0.7}
        tasks.store({image.pk: Reading(type(extraction)(tags, extraction.embedding), 0, 0)}, key)
        shown = dict(image.image_tags.shown(key).values_list("tag__name", "source"))
        assert shown == {"breakfast": "person", "tag 1": "person", "tag 2": "extractor"}


def test_the_command_finishes_a_switch(library, full, capsys):
    new = full()
    call_command("extract")
    assert f"lite/2 is searched; {new} has read 0 of 21." in capsys.readouterr().out
    call_command("extract", "--all")
    assert f"{new} is searched." in capsys.readouterr().out


def test_the_admins_front_page_shows_the_switch(library, full, client, administrator):
    new = full()
    tasks.reextract_batch(4)
    client.force_login(administrator)
    words = " ".join(client.get("/admin/").content.decode().split())
    assert f"<strong>{new}</strong> has read 4 of 21 pictures" in words
    assert client.get("/healthz").json()["extractor"] == "lite/2"


def test_full_without_weights_says_what_is_missing(settings, tmp_path, db):
    settings.MODELS_DIR, settings.EXTRACTOR = tmp_path, "full"
    with pytest.raises(ImproperlyConfigured, match=r"lacks config\.json, .*ram_swin_large_14m\.pth"):
        registry.target()
    with pytest.raises(SystemCheckError, match=r"see `manage\.py weights status`"):
        call_command("check")
    settings.EXTRACTOR = "fulll"
    with pytest.raises(ImproperlyConfigured, match="EXTRACTOR must be one of: auto, lite, clip, full"):
        registry.target()
