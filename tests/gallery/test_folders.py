"""Folders as people have them: other programs' leavings, any names, exports of other photo servers."""

import json
import os
from datetime import datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image as Pillow

from gallery.folders import watching
from gallery.folders.importing import Importer
from gallery.folders.sidecars import Takeout, of_google
from gallery.folders.walk import Walk, printable
from gallery.folders.watching import Watcher
from gallery.management.commands import import_images
from gallery.models import Album, Favourite, Image
from tests.conftest import drawn, encoded, upload
from tests.gallery.imaging.test_written import bag, xmp

COLORS = iter([(red, green, 90) for red in range(0, 250, 10) for green in range(0, 250, 10)])


def put(path: Path, exif: bool = False) -> Path:
    """A picture of its own colour at this path; with `exif`, one whose file says when."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = Pillow.Exif()
    own.get_ifd(0x8769)[0x9003] = "2001:02:03 04:05:06"
    path.write_bytes(encoded(drawn(next(COLORS)), "JPEG", **({"exif": own} if exif else {})))
    return path


def run(folder: Path, *options: str) -> None:
    call_command("import_images", str(folder), "--owner", "stranger", *options)


def names() -> set[str]:
    return set(Image.objects.filter(owner__username="stranger").values_list("filename", flat=True))


def test_what_other_programs_left_is_passed_over_and_said(stranger, tmp_path, capsys):
    put(tmp_path / "a.jpg")
    for foreign in (
        "@eaDir/a.jpg",
        ".thumbnails/b.jpg",
        "Thumbs.db",
        ".a.jpg.swp",
        "__MACOSX/c.jpg",
        "#recycle/d.jpg",
    ):
        put(tmp_path / foreign)
    put(tmp_path / "old" / "x.jpg")
    for beside in ("a.jpg.xmp", "a.json", "a.aae", "clip.mp4"):
        (tmp_path / beside).write_text("{}")
    run(tmp_path, "--recursive", "--exclude", "old/*")
    said = " ".join(capsys.readouterr().out.split())
    assert names() == {"a.jpg"}
    assert "1 added, 0 already there, 0 refused." in said
    for expected in (
        "3 sidecars",
        "1 films",
        "1 excluded",
        "2 hidden",
        "4 other programs' thumbnails and data",
    ):
        assert expected in said


def test_names_of_any_bytes_and_links_in_a_circle(stranger, tmp_path, capsys):
    strange = [b"caf\xe9.jpg", "naïve ☃.jpg".encode(), b"line\nbreak.jpg", b"[markup] {x}.jpg"]
    for name in strange:
        put(tmp_path / os.fsdecode(name))
    (tmp_path / os.fsdecode(b"bad\xff.jpg")).write_bytes(b"no picture")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "circle").symlink_to(tmp_path)
    put(tmp_path.parent / "elsewhere" / "linked.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path.parent / "elsewhere" / "linked.jpg")
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe.jpg")
    run(tmp_path, "--recursive")
    said = capsys.readouterr().out
    assert "4 added" in said
    assert "bad\\xff.jpg: This file is not a picture" in said
    run(tmp_path, "--recursive", "--follow-links")
    assert "1 added, 4 already there" in capsys.readouterr().out
    assert "linked.jpg" in names() or "link.jpg" in names()
    assert printable(b"a\xe9\n".decode("utf-8", "surrogateescape")) == "a\\xe9\\x0a"


def test_picfusions_own_data_is_never_imported(stranger, tmp_path, settings):
    settings.VAR_DIR = tmp_path / "var"
    put(settings.VAR_DIR / "originals" / "a.jpg")
    put(tmp_path / "b.jpg")
    run(tmp_path, "--recursive")
    assert names() == {"b.jpg"}
    for own in (settings.VAR_DIR, settings.VAR_DIR / "originals"):
        with pytest.raises(CommandError, match="own data"):
            run(own)


def test_many_refusals_go_to_a_file(stranger, tmp_path, settings, capsys):
    settings.VAR_DIR = tmp_path / "var"
    settings.VAR_DIR.mkdir()
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(import_images.SHOWN + 5):
        (folder / f"{i}.jpg").write_text(f"no picture {i}")
    run(folder)
    said = capsys.readouterr().out
    assert said.count("not a picture") == import_images.SHOWN
    [file] = settings.VAR_DIR.glob("import-*.txt")
    assert len(file.read_text().splitlines()) == import_images.SHOWN + 5


def test_what_was_thrown_away_stays_there_and_a_failure_leaves_no_file(
    stranger, tmp_path, capsys, monkeypatch, settings
):
    path = put(tmp_path / "a.jpg")
    run(tmp_path)
    Image.objects.filter(filename="a.jpg").update(trashed_at=datetime(2026, 1, 1).astimezone())
    run(tmp_path)
    assert "0 added, 0 already there, 0 refused, 1 in the trash." in capsys.readouterr().out
    assert Image.objects.get(filename="a.jpg").trashed_at
    path.unlink()
    put(tmp_path / "b.jpg")
    before = {file for file in Path(settings.MEDIA_ROOT).rglob("*") if file.is_file()}

    def fail(*_):
        raise OSError("the row cannot be written")

    with monkeypatch.context() as broken:
        broken.setattr(Image, "save", fail)
        run(tmp_path)
    assert "1 refused" in capsys.readouterr().out
    assert {file for file in Path(settings.MEDIA_ROOT).rglob("*") if file.is_file()} == before


def test_uploading_what_is_in_the_trash_brings_it_back_and_says_so(page, photo):
    coffee = photo("coffee")
    Image.objects.filter(pk=coffee.pk).update(trashed_at=datetime(2026, 1, 1).astimezone())
    with coffee.original.open() as file:
        answer = page.post("/upload/", {"files": [upload(file.read())]})
    assert "back from the trash" in answer.content.decode()
    coffee.refresh_from_db()
    assert coffee.trashed_at is None


def test_a_sidecar_and_guesses_by_name_and_time(stranger, tmp_path):
    put(tmp_path / "a.jpg")
    packet = xmp(bag("dc:subject", "attic"), 'exif:DateTimeOriginal="1998-05-06T07:08:09" xmp:Rating="5"')
    (tmp_path / "a.jpg.xmp").write_bytes(packet)
    put(tmp_path / "IMG_20191104_094433.jpg")
    os.utime(put(tmp_path / "scan.jpg"), (1_000_000_000, 1_000_000_000))
    put(tmp_path / "sure.jpg", exif=True)
    run(tmp_path, "--album-per-folder")
    found = {
        image.filename: (image.clock, image.taken_is_guess) for image in Image.objects.filter(owner=stranger)
    }
    assert found["a.jpg"] == (datetime(1998, 5, 6, 7, 8, 9), False)
    assert found["IMG_20191104_094433.jpg"] == (datetime(2019, 11, 4, 9, 44, 33), True)
    assert found["scan.jpg"] == (datetime.fromtimestamp(1_000_000_000), True)
    assert found["sure.jpg"] == (datetime(2001, 2, 3, 4, 5, 6), False)
    image = Image.objects.get(filename="a.jpg")
    assert image.image_tags.get().tag.name == "attic"
    assert Favourite.objects.filter(user=stranger, image=image).exists()
    assert Album.objects.get(owner=stranger).title == tmp_path.name


def google(path: Path, title: str, **told) -> None:
    path.write_text(json.dumps({"title": title, "photoTakenTime": {"timestamp": "894438489"}, **told}))


@pytest.mark.parametrize(
    ("picture", "sidecar"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-me.json"),
        ("IMG_1.jpg", "IMG_1.jpg.s.json"),
        ("IMG_1(2).jpg", "IMG_1.jpg(2).json"),
        ("IMG_1(2).jpg", "IMG_1.jpg.supplemental-metadata(2).json"),
        ("IMG_1-edited.jpg", "IMG_1.jpg.json"),
        ("IMG_1-bearbeitet(1).jpg", "IMG_1.jpg(1).json"),
        ("IMG_1.jpg", "IMG_1.json"),
        ("IMG_1.JPG", "IMG_1.jpg.json"),
        (f"{'x' * 47}.jpg", f"{'x' * 46}.json"),
        (f"{'x' * 44}.jpg", f"{'x' * 44}.j.json"),
    ],
)
def test_googles_json_is_found_whatever_it_is_called(tmp_path, picture, sidecar):
    google(tmp_path / sidecar, "another title")
    assert Takeout(tmp_path).of(tmp_path / picture)["photoTakenTime"]


def test_an_export_of_google_photos(stranger, tmp_path):
    year, album = tmp_path / "Photos from 1998", tmp_path / "Corsica"
    first = put(year / "a.jpg")
    google(
        year / "a.jpg.json", "a.jpg", description="At dusk", favorited=True, people=[{"name": "Rosa"}, {}, 3],
        geoData={"latitude": 48.5, "longitude": 2.5},
    )  # fmt: skip
    album.mkdir()
    (album / "metadata.json").write_text(json.dumps({"title": "Corsica 1998"}))
    (album / "a.jpg").write_bytes(first.read_bytes())
    google(put(year / "sure.jpg", exif=True).with_name("sure.jpg.json"), "sure.jpg")
    google(put(year / "gone.jpg").with_name("gone.jpg.json"), "gone.jpg", trashed=True)
    (put(year / "odd.jpg").with_name("odd.jpg.json")).write_text(
        '{"photoTakenTime": {"timestamp": "x"}, "title": 3}'
    )
    run(tmp_path, "--takeout")
    assert names() == {"a.jpg", "sure.jpg", "odd.jpg"}
    image = Image.objects.get(owner=stranger, filename="a.jpg")
    assert image.taken_at.timestamp() == 894438489
    assert (image.caption, image.latitude) == ("At dusk", 48.5)
    assert image.image_tags.get().tag.name == "rosa"
    assert Favourite.objects.filter(image=image).exists()
    assert [album.title for album in image.albums.all()] == ["Corsica 1998"]
    assert Image.objects.get(filename="sure.jpg").clock == datetime(2001, 2, 3, 4, 5, 6)


def test_a_library_of_immich(stranger, tmp_path):
    put(tmp_path / "library" / "admin" / "2024" / "a.jpg")
    (tmp_path / "library" / "admin" / "2024" / "a.jpg.xmp").write_bytes(xmp(bag("dc:subject", "attic")))
    put(tmp_path / "thumbs" / "a-preview.jpg")
    put(tmp_path / "encoded-video" / "a.jpg")
    run(tmp_path, "--from-immich")
    assert names() == {"a.jpg"}
    assert Image.objects.get(owner=stranger).image_tags.get().tag.name == "attic"


def test_a_folder_that_cannot_be_read_is_passed_over(tmp_path):
    walk = Walk(tmp_path / "nothing")
    assert list(walk.files()) == []
    assert sum(walk.passed_over.values()) == 1


def test_a_link_to_itself_ends_nothing(stranger, tmp_path, capsys):
    put(tmp_path / "z.jpg")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    for options in ((), ("--follow-links",)):
        run(tmp_path, *options)
    assert names() == {"z.jpg"}


@pytest.mark.parametrize(
    ("title", "is_album"),
    [("Photos from 2019", False), ("Fotos von 2019", False), ("New York 2019", True), ("Trip to 2019", True)],
)
def test_folders_of_years_are_no_albums(tmp_path, title, is_album):
    (tmp_path / "metadata.json").write_text(json.dumps({"title": title}))
    assert bool(Takeout(tmp_path).album) == is_album


def test_a_date_that_no_camera_can_mean_is_none(tmp_path):
    google(tmp_path / "a.jpg.json", "a.jpg", photoTakenTime={"timestamp": "-62135596800"})
    assert of_google(Takeout(tmp_path).of(tmp_path / "a.jpg")).taken is None


@pytest.fixture
def one_connection(monkeypatch):
    """A test's transaction is on the connection that a watcher would close."""
    monkeypatch.setattr(watching, "close_old_connections", lambda: None)


def test_a_watched_file_waits_for_room_and_for_its_end(stranger, tmp_path, settings, one_connection):
    settings.VAR_DIR = tmp_path / "var"
    settings.VAR_DIR.mkdir()
    path = put(tmp_path / "photos" / "a.jpg")
    whole = encoded(Pillow.effect_noise((300, 200), 90), "JPEG")
    cut = tmp_path / "photos" / "cut.jpg"
    cut.write_bytes(whole[: len(whole) // 2])
    watcher = Watcher(tmp_path / "photos", Importer(stranger))
    settings.MIN_FREE_MB = 10**9
    state = (path.stat().st_size, path.stat().st_mtime_ns)
    watcher._take(path, state)
    assert path in watcher._waiting
    settings.MIN_FREE_MB = 0
    watcher._take(path, state)
    watcher._take(cut, (cut.stat().st_size, cut.stat().st_mtime_ns))
    assert names() == {"a.jpg"}
    assert cut in watcher._waiting
    cut.write_bytes(whole)
    watcher._take(cut, (cut.stat().st_size, cut.stat().st_mtime_ns))
    assert not Image.objects.get(filename="cut.jpg").is_cut_off


def test_a_sidecar_that_comes_later_is_read(stranger, tmp_path, settings, one_connection):
    settings.VAR_DIR = tmp_path / "var"
    settings.VAR_DIR.mkdir()
    path = put(tmp_path / "photos" / "a.jpg")
    watcher = Watcher(tmp_path / "photos", Importer(stranger))
    watcher._take(path, (path.stat().st_size, path.stat().st_mtime_ns))
    beside = path.with_name("a.jpg.xmp")
    beside.write_bytes(xmp(bag("dc:subject", "attic")))
    watcher._note_file(beside)
    assert list(watcher._waiting) == [path]
    watcher._take(path, (path.stat().st_size, path.stat().st_mtime_ns))
    assert Image.objects.get(owner=stranger).image_tags.get().tag.name == "attic"
