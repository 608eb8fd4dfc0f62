"""Upgrading: the data of every release, as its code left them, brought to today's schema."""

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
RELEASES = sorted((Path(__file__).parent / "releases").glob("*.sql"))


def upgraded(release: Path, folder: Path) -> sqlite3.Connection:
    """The release's database after `migrate`, in a process of its own."""
    with sqlite3.connect(folder / "picfusion.sqlite3") as database:
        database.executescript(release.read_text())
    environment = os.environ | {
        "PICFUSION_VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True
    )
    return sqlite3.connect(folder / "picfusion.sqlite3")


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.stem)
def test_the_data_of_a_release_is_upgraded(release, tmp_path):
    database = upgraded(release, tmp_path)

    def rows(statement: str) -> list[tuple]:
        return database.execute(statement).fetchall()

    assert rows("SELECT status, error FROM gallery_image ORDER BY id") == [
        ("ready", ""),
        ("failed", "crashed"),
        ("failed", "unreadable"),
    ]
    assert rows("SELECT key FROM gallery_activeextractor") == [
        ("lite/1" if release.stem == "0.1.0" else "lite/2",)
    ]
    assert rows("SELECT count(*) FROM gallery_albumimage") == [(1,)]
    assert rows("SELECT count(*) > 0 FROM gallery_imagetag") == [(1,)]
    triggers = rows("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%is_a_change'")
    assert triggers == [(18,)]
    before = rows("SELECT max(seq) FROM gallery_change")
    database.execute("UPDATE gallery_image SET status = 'ready' WHERE status = 'failed'")
    assert rows("SELECT max(seq) FROM gallery_change") > before
    assert rows("PRAGMA foreign_key_check") == []
    if release.stem == "0.1.0":
        check_tokens(rows)
    else:  # taken in Japan, shortly before midnight
        assert rows("SELECT taken_local, taken_at FROM gallery_image ORDER BY id LIMIT 1") == [
            ("2019-07-01 23:30:00", "2019-07-01 14:30:00")
        ]
        tags = "SELECT name, source FROM gallery_imagetag JOIN gallery_tag ON tag_id = gallery_tag.id"
        assert ("harbour", "person") in rows(tags)
    database.close()
    key = TOKEN.encode()
    assert all(key not in path.read_bytes() for path in tmp_path.glob("picfusion.sqlite3*"))


TOKEN = "0123456789abcdef0123456789abcdef01234567"


def check_tokens(rows) -> None:
    """They go on working, and are not kept in clear text any more."""
    assert rows("SELECT user_id, name, scope, digest FROM gallery_accesstoken") == [
        (1, "API", "all", hashlib.sha256(TOKEN.encode()).hexdigest())
    ]
    assert not rows("SELECT name FROM sqlite_master WHERE name = 'authtoken_token'")


def test_a_migration_that_has_landed_is_never_edited():
    """Somebody's database was changed by it as it was: what is to be different needs a new one."""
    lines = (Path(__file__).parent / "releases" / "migrations.sha256").read_text().splitlines()
    landed = dict(line.split()[::-1] for line in lines)
    assert len(landed) > 30
    found = {path: hashlib.sha256((ROOT / path).read_bytes()).hexdigest() for path in landed}
    assert found == landed


@pytest.mark.django_db
def test_no_migration_is_missing(capsys):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
