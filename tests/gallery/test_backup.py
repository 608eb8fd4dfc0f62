"""Nothing is lost: rot is found, and a backup brings everything back."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django_q.models import OrmQ
from filelock import FileLock
from sorl.thumbnail import default

from gallery import backup, ingest, tasks, verification
from gallery.files.thumbnails import thumbnail_name
from gallery.models import Embedding, Image
from search.live_index import live_index
from tests.conftest import drawn, encoded

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def own(curator, settings, tmp_path):
    """A picture whose file lies in a folder of this test's own, and the state of verifications too."""
    settings.VAR_DIR = tmp_path
    added = ingest.add(curator, ContentFile(encoded(drawn("green")), name="green.png"))
    tasks.extract_batch(16)
    added.image.refresh_from_db()
    yield added.image
    Path(added.image.original.path).unlink(missing_ok=True)


def verify(capsys, *options: str) -> tuple[bool, str]:
    """Whether all is well, and what is said."""
    try:
        call_command("verify", "--from-start", *options)
    except CommandError:
        return False, capsys.readouterr().out
    return True, capsys.readouterr().out


def test_all_is_well(own, capsys):
    assert verify(capsys, "--fix")[0]  # other tests' files, whose rows were rolled back, are put aside
    good, said = verify(capsys)
    assert (good, "22 originals hashed." in said) == (True, True)
    assert verification.latest().is_good


def test_a_flipped_bit_is_found_and_the_file_is_given_to_nobody(own, capsys, page, api):
    path = Path(own.original.path)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    good, said = verify(capsys)
    assert (good, f"DAMAGED: the file of picture {own.pk}" in said) == (False, True)
    assert page.get(f"/images/{own.pk}/original").status_code == 410
    assert api.get(f"/api/v1/images/{own.pk}/original/").status_code == 410
    content[-20] ^= 1
    path.write_bytes(content)
    verify(capsys)
    assert page.get(f"/images/{own.pk}/original").status_code == 200


def test_the_administrator_sees_it(own, capsys, client, administrator):
    client.force_login(administrator)
    assert "none was made yet" in client.get("/admin/").content.decode()
    Path(own.original.path).unlink()
    verify(capsys, "--fix")
    assert "1 missing" in client.get("/admin/").content.decode()


def test_a_lost_file_is_named(own, capsys):
    Path(own.original.path).unlink()
    good, said = verify(capsys)
    assert (good, f"MISSING: the file of picture {own.pk}" in said) == (False, True)


def test_a_file_without_a_row_is_put_aside_and_never_deleted(own, capsys, settings):
    stray = Path(own.original.path).with_name("stray.png")
    stray.write_bytes(b"somebody's picture")
    verify(capsys)
    assert stray.exists()  # it may just be being uploaded
    os.utime(stray, (time.time() - 7200,) * 2)
    good, said = verify(capsys)
    assert (good, "stray.png" in said) == (False, True)
    assert verify(capsys, "--fix")[0]
    assert not stray.exists()
    [found] = (settings.VAR_DIR / "lost-and-found").rglob("stray.png")
    assert found.read_bytes() == b"somebody's picture"


def test_thumbnails_of_no_picture_are_found_and_thrown_away(own, page, capsys):
    root = Path(default.storage.path(""))
    before = {path for path in root.rglob("*") if path.is_file()}  # of other tests
    page.get(f"/images/{own.pk}/thumbnail/large")
    [kept] = {path for path in root.rglob("*") if path.is_file()} - before
    verify(capsys, "--fix")
    stray = kept.with_name("stray.jpg")
    stray.write_bytes(b"of somebody who is gone")
    for path in (kept, stray):
        os.utime(path, (1, 1))
    good, said = verify(capsys)
    assert (good, "THUMBNAILS: 1" in said) == (False, True)
    assert verify(capsys, "--fix")[0]
    assert (kept.exists(), stray.exists()) == (True, False)


def test_thumbnails_that_could_not_go_with_their_picture_are_found(own, page, capsys, monkeypatch):
    page.get(f"/images/{own.pk}/thumbnail/large")
    name = thumbnail_name(own, "large")
    verify(capsys, "--fix")
    with monkeypatch.context() as patches:
        patches.setattr("gallery.files.storage.transaction.on_commit", lambda *_, **__: None)  # it broke
        own.delete()
    assert default.storage.exists(name)
    good, said = verify(capsys)
    assert (good, "THUMBNAILS: " in said) == (False, True)
    verify(capsys, "--fix")
    assert not default.storage.exists(name)
    assert "THUMBNAILS" not in verify(capsys)[1]


def test_a_picture_without_an_embedding_and_a_wrong_index_are_mended(own, capsys):
    verify(capsys, "--fix")
    Embedding.objects.filter(image=own).delete()
    good, said = verify(capsys)
    assert (good, "UNREAD: 1" in said) == (False, True)
    assert verify(capsys, "--fix")[0]
    own.refresh_from_db()
    assert own.status == Image.Status.PENDING
    with live_index.open() as index:
        index.remove([Image.objects.filter(status="ready").first().pk])
    good, said = verify(capsys)
    assert (good, "INDEX: 1" in said) == (False, True)
    assert verify(capsys, "--fix")[0]
    assert verify(capsys)[0]


def test_it_goes_on_where_it_ended_and_runs_in_pieces(own, monkeypatch, settings):
    settings.VAR_DIR.mkdir(exist_ok=True)
    outcome = verification.Outcome()
    assert verification.check_originals(outcome, most_bytes=0) is True
    assert outcome.originals == 1
    verification.save(outcome)
    assert verification.check_originals(verification.latest(), most_bytes=10**12) is False
    assert verification.latest().originals == Image.objects.count()
    monkeypatch.setattr(verification, "PIECE", 1_000_000)
    verification.start()
    for _ in range(50):
        said = verification.go_on(verification.latest().chain)
        if verification.latest().finished:
            break
    assert verification.latest().originals == Image.objects.count()
    assert "so far" not in said


def test_it_gives_way_to_whatever_else_is_asked_of_the_worker(own, monkeypatch, settings):
    """It neither sleeps nor reads on while pictures wait; it goes on all the same, one original at a turn."""
    settings.VAR_DIR.mkdir(exist_ok=True)
    slept = []
    monkeypatch.setattr(verification.time, "sleep", slept.append)
    OrmQ.objects.all().delete()
    verification.start()
    tasks.enqueue()
    for turn in range(1, 4):
        assert verification.go_on(verification.latest().chain) == f"{turn} originals so far"
        assert OrmQ.objects.order_by("pk").last().func() == "gallery.verification.go_on"
    assert not slept
    OrmQ.objects.all().delete()
    verification.go_on(verification.latest().chain)
    assert verification.latest().originals == Image.objects.count()


def test_an_unfinished_verification_goes_on_and_only_once(own, settings):
    """As with a huge library: the rest is looked at before the beginning."""
    settings.VAR_DIR.mkdir(exist_ok=True)
    verification.start()
    tasks.enqueue()
    before = verification.latest().chain
    verification.go_on(before)
    verification.start()
    assert verification.latest().originals == 1
    assert verification.go_on(before) == "nothing to do"
    assert verification.go_on(verification.latest().chain) == "2 originals so far"


class Site:
    """A site of its own in a folder, by its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def manage(self, *command: str, check: bool = True, **settings: str) -> subprocess.CompletedProcess:
        environment = os.environ | {
            "PICFUSION_VAR_DIR": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
            "EXTRACTOR": "lite",
            **settings,
        }
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=check,
        )  # fmt: skip

    def rows(self, table: str) -> list[tuple]:
        with sqlite3.connect(self.folder / "picfusion.sqlite3") as database:
            return database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()

    def originals(self) -> dict[str, bytes]:
        root = self.folder / "originals"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


TABLES = (
    "gallery_image",
    "gallery_tag",
    "gallery_imagetag",
    "gallery_album",
    "auth_user",
    "gallery_embedding",
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for color in ("red", "green", "blue"):
        drawn(color).save(folder / f"{color}.png")
    return folder


@pytest.fixture
def site(tmp_path, pictures):
    site = Site(tmp_path / "site")
    site.manage("migrate", "-v0")
    site.manage("shell", "-c", "from django.contrib.auth.models import User; User.objects.create_user('ana')")
    site.manage("import_images", str(pictures), "--owner", "ana", "--album", "Colours")
    return site


def test_a_backup_restored_into_an_empty_place_is_the_same(site, tmp_path):
    target, elsewhere = tmp_path / "backup", Site(tmp_path / "elsewhere")
    assert "3 originals copied, 0 already there" in site.manage("backup", str(target)).stdout
    assert "0 originals copied, 3 already there" in site.manage("backup", str(target), "--verify").stdout
    assert not (target / "thumbnails").exists()
    assert "3 originals restored" in elsewhere.manage("restore", str(target)).stdout
    for table in TABLES:
        assert elsewhere.rows(table) == site.rows(table), table
    assert elsewhere.originals() == site.originals()
    assert (elsewhere.folder / "secret_key").read_bytes() == (site.folder / "secret_key").read_bytes()
    assert elsewhere.manage("verify").returncode == 0
    refused = elsewhere.manage("restore", str(target), check=False)
    assert refused.returncode != 0
    assert "nothing is overwritten" in refused.stderr


def test_an_older_database_beside_newer_files(site, tmp_path, pictures):
    target = tmp_path / "backup"
    site.manage("backup", str(target))
    newer = tmp_path / "newer"
    newer.mkdir()
    drawn("yellow").save(newer / "yellow.png")
    site.manage("import_images", str(newer), "--owner", "ana")
    files = site.originals()
    for path in site.folder.glob("picfusion.sqlite3*"):
        path.unlink()
    said = site.manage("restore", str(target)).stdout
    assert "0 originals restored, 3 already there" in said
    assert site.originals() == files
    assert len(site.rows("gallery_image")) == 3


def test_an_original_that_rotted_is_not_taken_for_a_good_one(site, tmp_path):
    target = tmp_path / "backup"
    name, content = next(iter(site.originals().items()))
    (site.folder / "originals" / name).write_bytes(content[:-1] + b"\0")
    done = site.manage("backup", str(target), check=False)
    assert done.returncode != 0
    assert "WRONG" in done.stdout
    assert not (target / "originals" / name).exists()
    (site.folder / "originals" / name).write_bytes(content)
    site.manage("backup", str(target))
    (target / "originals" / name).write_bytes(b"rot")
    assert "1 originals copied, 2 already there" in site.manage("backup", str(target), "--verify").stdout


def test_places_that_cannot_be_are_refused(site, tmp_path):
    inside = site.manage("backup", str(site.folder / "backup"), check=False)
    assert (inside.returncode != 0, "inside the site's own folder" in inside.stderr) == (True, True)
    nothing = Site(tmp_path / "empty").manage("restore", str(tmp_path / "nowhere"), check=False)
    assert (nothing.returncode != 0, "There is no backup" in nothing.stderr) == (True, True)
    shutil.rmtree(tmp_path / "empty", ignore_errors=True)


def test_an_empty_place_spoils_no_backup(site, tmp_path):
    """As when the disk with the data is not there today."""
    target = tmp_path / "backup"
    site.manage("backup", str(target))
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    done = Site(tmp_path / "empty").manage("backup", str(target), check=False)
    assert done.returncode != 0
    assert "There is no database at" in done.stderr
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before


def _damage(copy: Path, how: str) -> None:
    content = copy.read_bytes()
    if how == "cut off":
        copy.write_bytes(content[: len(content) // 2])
    else:  # a word in it is another one
        copy.write_bytes(content.replace(b"red.png", b"rod.png"))


@pytest.mark.parametrize("how", ["cut off", "changed"])
def test_a_damaged_copy_of_the_database_is_not_restored(site, tmp_path, how):
    target, elsewhere = tmp_path / "backup", Site(tmp_path / "elsewhere")
    site.manage("backup", str(target))
    site.manage("backup", str(target))
    earlier, copy = sorted((target / "databases").glob("*.sqlite3"))
    _damage(copy, how)
    done = elsewhere.manage("restore", str(target), check=False)
    assert done.returncode != 0
    assert f"{copy} is damaged" in done.stderr
    assert f"--at {earlier.stem}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (elsewhere.folder / "picfusion.sqlite3").exists()
    assert "3 originals restored" in elsewhere.manage("restore", str(target), "--at", earlier.stem).stdout


def test_a_backup_that_was_interrupted_is_not_the_newest(site, tmp_path):
    target, elsewhere = tmp_path / "backup", Site(tmp_path / "elsewhere")
    site.manage("backup", str(target))
    (target / "databases" / "29990101-000000-000000.sqlite3").write_bytes(b"")
    assert "3 originals restored" in elsewhere.manage("restore", str(target)).stdout


def test_a_database_that_is_written_to_all_the_time_is_copied(site, tmp_path):
    """A copy in pieces would begin anew with each change of another process."""
    with sqlite3.connect(site.folder / "picfusion.sqlite3") as database:
        database.execute("CREATE TABLE filler (id INTEGER PRIMARY KEY, content BLOB)")
        database.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 30000) "
            "INSERT INTO filler SELECT i, randomblob(3000) FROM n"
        )
    ended = threading.Event()
    written = []

    def write() -> None:
        own = sqlite3.connect(site.folder / "picfusion.sqlite3", timeout=30, isolation_level=None)
        while not ended.is_set():
            own.execute("UPDATE filler SET content = randomblob(3000) WHERE id = 1")
            written.append(1)
            time.sleep(0.001)
        own.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        said = site.manage("backup", str(tmp_path / "backup")).stdout
    finally:
        ended.set()
        writer.join()
    assert "3 originals copied" in said
    assert written


def test_a_backup_is_read_from_a_disk_that_cannot_be_written(site, tmp_path):
    target = tmp_path / "back#up 100%"
    site.manage("backup", str(target))
    [copy] = (target / "databases").glob("*.sqlite3")
    assert copy.read_bytes()[18:20] == b"\1\1"  # not of the kind whose readers write a log
    assert "3 originals restored" in Site(tmp_path / "elsewhere").manage("restore", str(target)).stdout


def test_a_key_in_the_environment_is_no_obstacle(site, tmp_path):
    (site.folder / "secret_key").unlink()
    said = site.manage("backup", str(tmp_path / "backup"), SECRET_KEY="k" * 60).stdout
    assert "3 originals copied" in said
    assert "SECRET_KEY is set in the environment" in said
    elsewhere = Site(tmp_path / "elsewhere")
    restored = elsewhere.manage("restore", str(tmp_path / "backup"), SECRET_KEY="k" * 60)
    assert "no secret key" in restored.stdout


def test_what_another_database_left_is_not_played_into_the_restored_one(site, tmp_path):
    target = tmp_path / "backup"
    site.manage("backup", str(target))
    elsewhere = Site(tmp_path / "elsewhere")
    elsewhere.folder.mkdir(mode=0o700)
    for name in ("picfusion.sqlite3-wal", "picfusion.sqlite3-shm", "picfusion.sqlite3-journal"):
        (elsewhere.folder / name).write_bytes(b"of another one")
        refused = elsewhere.manage("restore", str(target), check=False)
        assert (refused.returncode != 0, f"{name} exists" in refused.stderr) == (True, True)
        (elsewhere.folder / name).unlink()
    (elsewhere.folder / "index").mkdir()
    (elsewhere.folder / "index" / "old").write_text("of another database")
    elsewhere.manage("restore", str(target))
    assert not (elsewhere.folder / "index" / "old").exists()


def test_one_original_that_cannot_be_read_harms_no_other(site, tmp_path):
    first, *_ = sorted((site.folder / "originals").rglob("*.png"))
    first.unlink()
    first.mkdir()  # reading it is an OSError, as of a disk with bad blocks, for root too
    done = site.manage("backup", str(tmp_path / "backup"), check=False)
    assert done.returncode != 0
    assert "2 originals copied" in done.stdout
    assert f"WRONG: {first.name}" in done.stdout


def test_a_database_that_is_damaged_in_several_places_says_so(site, tmp_path):
    path = site.folder / "picfusion.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        indexes = "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'gallery_image'"
        pages = [row[0] for row in database.execute(indexes)]
        [(size,)] = database.execute("PRAGMA page_size")
    content = bytearray(path.read_bytes())
    for number in pages:  # an empty leaf instead of what the index holds
        content[(number - 1) * size + 3 : (number - 1) * size + 5] = b"\0\0"
    path.write_bytes(content)
    done = site.manage("backup", str(tmp_path / "backup"), check=False)
    assert done.returncode != 0
    assert "The copy of the database is damaged" in done.stderr
    assert not list((tmp_path / "backup" / "databases").glob("*.sqlite3"))


def test_two_backups_at_once_do_not_write_over_each_other(tmp_path, db, settings):
    settings.VAR_DIR = tmp_path / "site"
    target = tmp_path / "backup"
    target.mkdir()
    with FileLock(target / ".backup.lock"), pytest.raises(backup.BackupError, match="under way"):
        backup.back_up(target)
