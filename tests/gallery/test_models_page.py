"""Another model a click away: downloaded from a hub on loopback, and everything that goes wrong with that."""

import time

import pytest
from django.core.management import CommandError, call_command

from gallery import extractor_switch, model_downloads, tasks
from gallery.extraction import registry, weights
from gallery.models import ActiveExtractor, Embedding, Image
from search import engine
from search.good_matches import Verdict
from search.query.query import Query
from tests.gallery.extraction import tiny
from tests.gallery.extraction.hub import Hub


@pytest.fixture
def hub(tmp_path, settings, monkeypatch):
    """A hub with a tiny CLIP; the site has none yet, but the list of tags."""
    settings.MODELS_DIR, settings.EXTRACTOR = tmp_path / "models", "auto"
    tiny.save_tags(settings.MODELS_DIR / "tags")
    source = tiny.save_clip(tmp_path / "source")
    with Hub() as hub:
        for path in source.iterdir():
            hub.files[f"/{weights.CLIP_REPO}/resolve/main/{path.name}"] = path.read_bytes()
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "picfusion_site.settings")
        monkeypatch.setenv("EXTRACTOR", "auto")
        yield hub
        model_downloads.cancel()


@pytest.fixture
def cards(client, administrator):
    client.force_login(administrator)
    return client


def finished(seconds: float = 60) -> model_downloads.Download:
    until = time.monotonic() + seconds
    while (download := model_downloads.latest()).is_running and time.monotonic() < until:
        time.sleep(0.2)
    return download


def test_a_click_downloads_and_the_library_is_read_and_searched_by_it(hub, cards, curator):
    extractor_switch.remember(registry.describe("lite"))
    assert "Download and use" in cards.get("/models/").content.decode()
    cards.post("/models/", {"action": "download", "extractor": "clip"})
    assert model_downloads.latest().is_running
    html = cards.get("/models/").content.decode()
    assert "<progress" in html
    assert "Cancel" in html
    assert finished().state == "done"
    assert registry.target().name == "clip"
    assert extractor_switch.current().name == "lite"
    assert "Reading the library" in cards.get("/models/").content.decode()
    while extractor_switch.is_switching():
        tasks.reextract_batch(16)
    assert extractor_switch.current().name == "clip"
    page = engine.search(Query(text="astronaut"), curator)
    assert page.verdict in (Verdict.GOOD, Verdict.WEAK)  # of random weights nothing else can be asked
    assert not Embedding.objects.filter(extractor=registry.target().key, log_sum=None).exists()
    cards.post("/models/", {"action": "choose", "extractor": "lite"})
    assert registry.target().name == "lite"


def test_what_embeddings_of_before_lack_is_worked_out(hub, curator):
    tiny.save_clip(registry.settings.MODELS_DIR / "clip")
    registry.choose("clip")
    ActiveExtractor.objects.all().delete()
    Embedding.objects.all().delete()
    Image.objects.update(status=Image.Status.PENDING)
    while tasks.extract_batch(16):
        pass
    kept = dict(Embedding.objects.values_list("pk", "log_sum"))
    Embedding.objects.update(log_sum=None)
    assert tasks.sum_up_batch() == len(kept) == 21
    assert tasks.sum_up_batch() == 0
    for pk, log_sum in Embedding.objects.values_list("pk", "log_sum"):
        assert log_sum == pytest.approx(kept[pk], abs=1e-4)


def test_a_failed_download_says_why_and_is_tried_again(hub, cards):
    path = f"/{weights.CLIP_REPO}/resolve/main/model.safetensors"
    whole = hub.files.pop(path)
    cards.post("/models/", {"action": "download", "extractor": "clip"})
    assert finished().state == "failed"
    html = cards.get("/models/").content.decode()
    assert "The download failed." in html
    assert "model.safetensors" in html
    assert "Try again" in html
    hub.files[path] = whole
    cards.post("/models/", {"action": "download", "extractor": "clip"})
    assert finished().state == "done"
    assert cards.post("/models/", {"action": "delete", "extractor": "clip"}).status_code == 400
    assert registry.target().name == "clip"  # which is about to read the library
    cards.post("/models/", {"action": "choose", "extractor": "lite"})
    cards.post("/models/", {"action": "delete", "extractor": "clip"})
    assert registry.describe("clip") is None
    assert registry.target().name == "lite"


def test_cancelling_ends_its_process_and_a_killed_one_is_noticed(hub, cards, monkeypatch):
    import psutil

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nobody answers, and it tries for a while
    for way in ("cancel", "kill"):
        cards.post("/models/", {"action": "download", "extractor": "clip"})
        download = model_downloads.latest()
        if not download.is_running:
            continue
        process = psutil.Process(download.pid)
        if way == "cancel":
            cards.post("/models/", {"action": "cancel", "extractor": "clip"})
            assert model_downloads.latest().state == "cancelled"
        else:
            process.kill()
            process.wait(10)
            assert model_downloads.latest().state == "failed"
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    "form",
    [{}, {"action": "download", "extractor": "lite"}, {"action": "x", "extractor": "clip"},
     {"action": "choose", "extractor": "full"}, {"action": "download", "extractor": "../x"}],
)  # fmt: skip
def test_wrong_forms_are_refused(hub, cards, form):
    assert cards.post("/models/", form).status_code == 400


def test_the_setting_is_stronger(hub, cards, settings):
    settings.EXTRACTOR = "lite"
    tiny.save_clip(settings.MODELS_DIR / "clip")
    html = cards.get("/models/").content.decode()
    assert "The setting EXTRACTOR names a model" in html
    assert 'value="choose"' not in html


def test_the_choice_is_made_when_the_weights_are_there(hub, cards, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    registry.choose("lite")
    cards.post("/models/", {"action": "download", "extractor": "clip"})
    assert registry.chosen() == "lite"
    cards.post("/models/", {"action": "cancel", "extractor": "clip"})
    finished()
    assert registry.chosen() == "lite"


def test_deleting_an_unused_model_leaves_the_used_one_and_other_downloads_alone(hub, cards, settings):
    settings.CLIP_MODEL = "someone/other-clip"
    other = weights.folder(settings.MODELS_DIR, "clip:someone/other-clip")
    tiny.save_clip(settings.MODELS_DIR / "clip")
    tiny.save_clip(other)
    model_downloads._write(model_downloads.Download("full", "failed", "no room"))
    registry.choose("lite")
    cards.post("/models/", {"action": "delete", "extractor": "clip"})
    assert not other.exists()
    assert (settings.MODELS_DIR / "clip" / "config.json").exists()
    assert model_downloads.latest().extractor == "full"
    assert registry.chosen() == "lite"


def test_a_model_is_not_deleted_while_it_serves(hub, cards, settings, capsys):
    tiny.save_clip(settings.MODELS_DIR / "clip")
    settings.EXTRACTOR = "clip"
    assert 'value="delete"' not in cards.get("/models/").content.decode()
    assert cards.post("/models/", {"action": "delete", "extractor": "clip"}).status_code == 400
    with pytest.raises(CommandError, match="searched by clip"):
        call_command("weights", "delete", "clip")
    assert (settings.MODELS_DIR / "clip" / "config.json").exists()
