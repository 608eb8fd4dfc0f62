"""A backup of PostgreSQL and an object store, put back into a site of another kind of storage."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from tests.conftest import ON_ONE_MACHINE

pytestmark = pytest.mark.skipif(ON_ONE_MACHINE, reason="tests/gallery/test_backup.py has it")
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def empty_database():
    import psycopg

    said = connection.settings_dict
    place = {"host": said["HOST"] or said["OPTIONS"]["host"], "user": said["USER"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **place) as server:
        server.execute("CREATE DATABASE restored")
        yield urlsplit(settings.DATABASE_URL)._replace(path="/restored").geturl()
        server.execute("DROP DATABASE restored WITH (FORCE)")


def manage(database: str, var: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {
        "DATABASE_URL": database,
        "STORAGE_URL": "",
        "PICFUSION_VAR_DIR": str(var),
        "DJANGO_SETTINGS_MODULE": "picfusion_site.settings",
    }
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_comes_back_and_nothing_is_overwritten(curator, tmp_path, capsys, empty_database):
    call_command("backup", tmp_path / "backup")
    assert "21 originals copied" in capsys.readouterr().out
    call_command("backup", tmp_path / "backup")
    assert "0 originals copied, 21 already there" in capsys.readouterr().out
    var = tmp_path / "var"
    done = manage(empty_database, var, "restore", str(tmp_path / "backup"))
    assert "21 originals restored" in done.stdout, done.stderr
    assert (
        "restore into an empty one" in manage(empty_database, var, "restore", str(tmp_path / "backup")).stderr
    )
    done = manage(empty_database, var, "verify", "--from-start")
    assert "21 originals hashed" in done.stdout, done.stdout + done.stderr
    assert json.loads((var / "verification.json").read_text())["damaged"] == []
