"""Folders that are watched, by the real command on a real folder."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from gallery.folders.importing import Importer
from gallery.folders.watching import Watcher
from picfusion_site.environment import Environment
from tests.gallery.test_backup import ROOT, Site
from tests.gallery.test_folders import put


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path / "site")
    site.manage("migrate", "-v0")
    site.manage("shell", "-c", "from django.contrib.auth.models import User; User.objects.create_user('ana')")
    return site


@contextmanager
def watching(site: Site, *command: str, **settings: str) -> Iterator[subprocess.Popen]:
    environment = os.environ | {
        "PICFUSION_VAR_DIR": str(site.folder), "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
        "EXTRACTOR": "lite", **settings,
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "manage.py", *command], cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(12)


def pictures(site: Site) -> list[str]:
    with sqlite3.connect(site.folder / "picfusion.sqlite3") as database:
        return [name for (name,) in database.execute("SELECT filename FROM gallery_image ORDER BY filename")]


def eventually(is_so: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.1)


def test_what_comes_is_imported_and_what_goes_deletes_nothing(site, tmp_path):
    folder = tmp_path / "photos"
    put(folder / "first.jpg")
    with watching(site, "watch", str(folder), "--owner", "ana", "--album-per-folder") as process:
        eventually(lambda: pictures(site) == ["first.jpg"])
        put(folder / "Trip" / "second.jpg")
        put(folder / "@eaDir" / "thumb.jpg")
        eventually(lambda: len(pictures(site)) == 2)
        (folder / "first.jpg").rename(folder / "Trip" / "moved.jpg")  # the same picture
        whole = put(tmp_path / "slow.jpg").read_bytes()
        with (folder / "slow.jpg").open("wb") as slow:  # a camera's card that is being copied
            for i in range(8):
                slow.write(whole[i * len(whole) // 8 : (i + 1) * len(whole) // 8])
                slow.flush()
                time.sleep(0.5)
                assert "slow.jpg" not in pictures(site)
        eventually(lambda: pictures(site) == ["first.jpg", "second.jpg", "slow.jpg"])
        folder.rename(tmp_path / "unplugged")
        time.sleep(3)
        assert process.poll() is None
        put(tmp_path / "unplugged" / "meanwhile.jpg")
        (tmp_path / "unplugged").rename(folder)
        eventually(lambda: "meanwhile.jpg" in pictures(site))
        shutil.rmtree(folder / "Trip")
        time.sleep(2)
    assert len(pictures(site)) == 4
    titles = {row[1] for row in site.rows("gallery_album")} | {row[2] for row in site.rows("gallery_album")}
    assert {"Trip", "photos"} <= titles


def test_the_worker_watches_by_itself_and_a_restart_reads_nothing_again(site, tmp_path):
    folder = tmp_path / "scans"
    put(folder / "one.jpg")
    setting = {"WATCH_FOLDERS": f"{folder}=ana"}
    with watching(site, "worker", **setting):
        eventually(lambda: pictures(site) == ["one.jpg"], 40)
    [note] = (site.folder / "watched").iterdir()
    assert "one.jpg" in note.read_text()
    with sqlite3.connect(site.folder / "picfusion.sqlite3") as database:
        database.execute("DELETE FROM gallery_albumimage")  # as if it had been taken out of its album
    with watching(site, "watch", **setting):
        put(folder / "two.jpg")
        eventually(lambda: len(pictures(site)) == 2)
    assert len(site.rows("gallery_albumimage")) == 1  # two.jpg: the other was not looked at again


def test_wrong_folders_and_settings_are_refused(site, tmp_path):
    for command in (["watch"], ["watch", str(tmp_path)], ["watch", str(tmp_path), "--owner", "nobody"],
                    ["watch", str(site.folder / "originals"), "--owner", "ana"]):  # fmt: skip
        done = site.manage(*command, check=False)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
    for wrong in ("relative=ana", "/photos", "/photos="):
        os.environ["WATCH_FOLDERS"] = wrong
        try:
            with pytest.raises(ImproperlyConfigured, match="WATCH_FOLDERS must be like"):
                Environment(Path("/nowhere")).folders("WATCH_FOLDERS")
        finally:
            del os.environ["WATCH_FOLDERS"]


def test_a_broken_note_is_no_obstacle(stranger, tmp_path, settings):
    settings.VAR_DIR = tmp_path / "var"
    folder = tmp_path / "photos"
    put(folder / "a.jpg")
    watcher = Watcher(folder, Importer(stranger))
    watcher._save()
    watcher._note.write_text("no json")
    assert Watcher(folder, Importer(stranger))._seen == {}
