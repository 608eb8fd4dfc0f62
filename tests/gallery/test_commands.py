"""The command line: import a folder, prepare a first run."""

import signal
import stat

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from gallery import demo, ingest
from gallery.folders import importing
from gallery.models import Album, Image
from tests.conftest import drawn, encoded


@pytest.fixture
def folder(tmp_path):
    for number, color in enumerate(("red", "green", "blue", "cyan", "black")):
        (tmp_path / f"{number}.png").write_bytes(encoded(drawn(color)))
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / ".hidden.png").write_bytes(encoded(drawn("gray")))
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "6.jpg").write_bytes(encoded(drawn("orange"), "JPEG"))
    return tmp_path


def test_a_folder_is_imported_and_again_only_what_is_new(folder, stranger, capsys):
    call_command("import_images", str(folder), "--owner", "stranger", "--batch-size", "2")
    output = capsys.readouterr().out
    assert "5 added, 0 already there, 1 refused." in output
    assert "notes.txt: This file is not a picture" in output
    call_command("import_images", str(folder), "--owner", "stranger", "--recursive", "--album", "Trip")
    assert "1 added, 5 already there, 1 refused." in capsys.readouterr().out
    assert Album.objects.get(owner=stranger, title="Trip").images.count() == 6


def test_ctrl_c_keeps_what_was_imported_and_resumes(folder, stranger, capsys, monkeypatch):
    add, calls = ingest.add, []

    def add_and_interrupt(*args, **options):
        calls.append(args)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return add(*args, **options)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(importing.ingest, "add", add_and_interrupt)
    call_command("import_images", str(folder), "--owner", "stranger")
    assert (
        "3 added, 0 already there, 0 refused. Stopped; run the same command again" in capsys.readouterr().out
    )
    assert signal.getsignal(signal.SIGINT) is before
    call_command("import_images", str(folder), "--owner", "stranger")
    assert "2 added, 3 already there, 1 refused." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/nowhere/at/all", "--owner", "curator"], "folder: /nowhere/at/all is not a folder."),
        ([".", "--owner", "nobody"], "--owner: there is no person named 'nobody'."),
        ([".", "--owner", "curator", "--batch-size", "0"], "--batch-size: must be at least 1."),
        ([".", "--owner", "curator", "--album", " "], "--album: a title has 1 to 200 characters."),
    ],
)
def test_wrong_arguments_are_named(db, arguments, words):
    with pytest.raises(CommandError) as error:
        call_command("import_images", *arguments)
    assert str(error.value) == words


def test_the_first_run_prepares_everything_and_the_second_changes_nothing(db, settings, tmp_path, capsys):
    settings.VAR_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    call_command("first_run")
    output = capsys.readouterr().out
    password_file = tmp_path / "admin-password"
    password = password_file.read_text().strip()
    assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
    assert output.count(password) == 1
    admin = get_user_model().objects.get(username="admin")
    assert admin.is_superuser
    assert admin.check_password(password)
    assert Image.objects.filter(owner=admin).count() == len(demo.photos()) == 21
    Image.objects.filter(owner=admin).first().delete()
    call_command("first_run")
    assert password not in capsys.readouterr().out
    assert Image.objects.filter(owner=admin).count() == 20
    assert get_user_model().objects.get(username="admin").password == admin.password
