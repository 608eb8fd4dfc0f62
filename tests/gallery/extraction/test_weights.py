"""Fetching weights: from a hub on loopback that drops connections, cuts files short and announces wrong
hashes."""

import dataclasses
import hashlib
import random

import pytest
from django.core.management import CommandError, call_command

from gallery.extraction import weights
from tests.gallery.extraction import tiny
from tests.gallery.extraction.hub import Hub

CHECKPOINT = "/spaces/xinyu1205/recognize-anything/resolve/main/ram_swin_large_14m.pth"


@pytest.fixture
def models(settings, tmp_path):
    settings.MODELS_DIR = tmp_path / "models"
    return settings.MODELS_DIR


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub with tiny checkpoints.

    The tag lists, whose sha256 is fixed, are announced with the tiny ones'.
    """
    source = tmp_path / "source"
    tiny.save_ram(source / "ram")
    tiny.save_clip(source / "clip")
    with Hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        files = []
        for file in weights.MODELS["ram"]:
            content = (source / "ram" / file.name).read_bytes()
            if file.url:
                sha256 = hashlib.sha256(content).hexdigest()
                file = dataclasses.replace(file, url=f"{hub.url}/lists/{file.name}", sha256=sha256)
            hub.files[f"/lists/{file.name}" if file.url else CHECKPOINT] = content
            files.append(file)
        for path in (source / "clip").iterdir():
            hub.files[f"/{weights.CLIP_REPO}/resolve/main/{path.name}"] = path.read_bytes()
        monkeypatch.setitem(weights.MODELS, "ram", tuple(files))
        yield hub


def test_everything_is_fetched_verified_and_used(hub, models, capsys, settings, db):
    assert not weights.are_complete(models)
    call_command("weights", "download", "clip", "ram")
    assert "sha256 verified" in capsys.readouterr().out
    assert weights.are_complete(models)
    assert (models / "ram" / weights.RAM_CHECKPOINT).read_bytes() == hub.files[CHECKPOINT]
    settings.EXTRACTOR = "auto"
    call_command("weights", "status")
    status = capsys.readouterr().out
    assert "EXTRACTOR=auto: full/1-" in status
    assert "not there" not in status
    assert "no" not in [cell.strip() for cell in status.replace("│", "┃").split("┃")]
    hub.asked.clear()
    call_command("weights", "download", "clip", "ram")
    assert "there and verified" in capsys.readouterr().out
    assert hub.asked == []


def test_a_dropped_connection_is_resumed_where_it_broke(hub, models):
    hub.files[CHECKPOINT] = random.Random(1).randbytes(24_000_000)  # more than the client writes at a time
    hub.drop[CHECKPOINT] = 2
    weights.download(models, "ram")
    assert (models / "ram" / weights.RAM_CHECKPOINT).read_bytes() == hub.files[CHECKPOINT]
    ranges = [wanted for method, path, wanted in hub.asked if method == "GET" and path == CHECKPOINT]
    assert ranges[0] == ""
    assert any(wanted for wanted in ranges[1:]), ranges


@pytest.mark.parametrize("fault", ["short", "lie", "gone"])
def test_a_broken_download_never_replaces_a_good_file(hub, models, fault):
    good = models / "ram" / weights.RAM_CHECKPOINT
    good.parent.mkdir(parents=True)
    good.write_bytes(b"an older good file")
    if fault == "gone":
        del hub.files[CHECKPOINT]
    else:
        getattr(hub, fault).add(CHECKPOINT)
    with pytest.raises(weights.DownloadError, match=r"ram_swin_large_14m\.pth"):
        weights.download(models, "ram")
    assert good.read_bytes() == b"an older good file"


def test_after_a_wrong_hash_the_next_try_starts_over(hub, models):
    hub.lie.add(CHECKPOINT)
    with pytest.raises(weights.DownloadError, match="has the sha256"):
        weights.download(models, "ram")
    hub.lie.clear()
    weights.download(models, "ram")
    assert weights.missing(models, "ram") == []


def test_a_changed_tag_list_is_refused(hub, models):
    hub.files["/lists/ram_tag_list.txt"] = b"other tags"
    with pytest.raises(CommandError, match=r"ram_tag_list\.txt has the sha256"):
        call_command("weights", "download", "ram")
    assert not (models / "ram" / "ram_tag_list.txt").exists()


def test_an_unreachable_hub_is_a_sentence(models, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(CommandError, match=r"config\.json could not be fetched"):
        call_command("weights", "download", "clip")


def test_files_brought_by_hand_are_accepted(models, capsys, settings, db):
    tiny.save_ram(models / "ram")
    tiny.save_clip(models / "clip")
    assert weights.are_complete(models)
    call_command("weights", "path")
    assert capsys.readouterr().out.strip() == str(models)
    settings.EXTRACTOR = "auto"
    call_command("weights", "status")
    assert "full/1-" in capsys.readouterr().out


def test_a_file_changed_after_verification_is_not_verified(hub, models):
    weights.download(models, "ram")
    path = models / "ram" / weights.RAM_CHECKPOINT
    path.write_bytes(path.read_bytes() + b"x")
    verified = {
        status.path.name: status.verified for status in weights.status(models) if status.model == "ram"
    }
    assert verified == {
        "ram_tag_list.txt": True,
        "ram_tag_list_threshold.txt": True,
        weights.RAM_CHECKPOINT: False,
    }


def test_auto_takes_lite_while_anything_is_missing(models, settings, capsys, db):
    tiny.save_ram(models / "ram")
    settings.EXTRACTOR = "auto"
    call_command("weights", "status")
    assert "EXTRACTOR=auto: lite/2 is used." in capsys.readouterr().out
