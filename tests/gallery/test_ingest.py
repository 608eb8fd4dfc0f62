"""Bytes from strangers: what is taken, what is refused and with which words, and that nothing is lost."""

import datetime
import functools
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError, connections
from django_q.models import OrmQ
from PIL import Image as Pillow

from gallery import ingest
from gallery.models import Image
from gallery.refusal import RefusedError
from tests.conftest import demo_path, drawn, encoded, upload


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF"])
def test_an_original_is_kept_byte_for_byte(stranger, format):
    content = encoded(drawn(), format)
    added = ingest.add(stranger, upload(content, "whatever.txt"))
    image = Image.objects.get(pk=added.image.pk)
    assert added.created
    assert (image.format, image.width, image.height, image.size_bytes) == (format, 64, 48, len(content))
    assert image.original.open().read() == content
    assert image.status == Image.Status.PENDING


def test_dimensions_are_those_seen_upright(stranger):
    exif = Pillow.Exif()
    exif[0x0112] = 6
    image = ingest.add(stranger, upload(encoded(drawn(), "JPEG", exif=exif))).image
    assert (image.width, image.height) == (48, 64)


@pytest.mark.parametrize(
    ("offset", "hour"),
    [(None, 13), ("+02:00", 11), ("nonsense", 13)],
    ids=["site's zone", "camera's zone", "broken"],
)
def test_the_time_taken_is_read_from_exif(stranger, offset, hour):
    exif = Pillow.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:05:17 13:45:10"
    if offset:
        exif.get_ifd(0x8769)[0x9011] = offset
    image = ingest.add(stranger, upload(encoded(drawn(), "JPEG", exif=exif))).image
    assert image.taken_at == datetime.datetime(2024, 5, 17, hour, 45, 10, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    "text", ["0000:00:00 00:00:00", "yesterday", "", "9999:12:31 23:59:59", "0001:01:01 00:00:00"]
)
def test_a_nonsense_time_is_unknown(stranger, text):
    exif = Pillow.Exif()
    exif[0x0132] = text
    assert ingest.add(stranger, upload(encoded(drawn(), "JPEG", exif=exif))).image.taken_at is None


@functools.cache
def whole() -> bytes:
    return encoded(Pillow.effect_noise((300, 200), 90), "JPEG")


REFUSALS = {
    "empty": (b"", "The file is empty."),
    "text": (b"just words", "not a picture"),
    "begun": (b"\x89PNG\r\n\x1a\n" + b"0" * 40, "damaged or incomplete"),
    "cut off in its header": (encoded(drawn(), "JPEG")[:60], "damaged or incomplete"),
    "html": (b"<!doctype html><script>alert(1)</script>", "not a picture"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "not a picture"),
    "pdf": (b"%PDF-1.7 and so on", "not a picture"),
    "zip": (b"PK\x03\x04" + b"0" * 100, "not a picture"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture"),
    "icon": (encoded(drawn(size=(32, 32)), "ICO"), "not a picture"),
    "header alone": (whole()[:20], "damaged or incomplete"),
    "jpeg without pixels": (whole()[: whole().index(b"\xff\xda") + 14], "damaged or incomplete"),
    "cut png": (encoded(Pillow.effect_noise((300, 200), 90))[:9000], "damaged or incomplete"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused_and_why(stranger, name):
    content, words = REFUSALS[name]
    with pytest.raises(RefusedError) as refusal:
        ingest.add(stranger, upload(content, "innocent.jpg"))
    assert words in str(refusal.value)
    assert str(refusal.value).endswith(".")
    assert not Image.objects.filter(owner=stranger).exists()


def test_a_file_above_the_limit_is_refused(stranger, settings):
    settings.MAX_UPLOAD_MB = 0.001
    with pytest.raises(RefusedError, match=r"limit is 0\.001 MB"):
        ingest.add(stranger, upload(whole()))


def test_a_decompression_bomb_is_refused_before_it_is_decoded(stranger, settings):
    bomb = encoded(Pillow.new("1", (20_000, 20_000)))  # 400 megapixels in a few kilobytes
    assert len(bomb) < 100_000
    with pytest.raises(RefusedError, match="400 megapixels; the limit is 250"):
        ingest.add(stranger, upload(bomb))


def test_the_same_bytes_are_kept_once_per_owner(stranger, curator):
    content = demo_path("chelsea").read_bytes()
    first = ingest.add(stranger, upload(content))
    again = ingest.add(stranger, upload(content, "other name.png"))
    assert (first.created, again.created, again.image) == (True, False, first.image)
    assert Image.objects.filter(sha256=first.image.sha256).count() == 2  # the curator's is another row


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\cat.png", "cat.png"),
        ("a\x00b\n.png", "ab.png"),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("x" * 400 + ".jpeg", "x" * 250 + ".jpeg"),
    ],
)
def test_names_are_made_harmless(given, kept):
    assert ingest.clean_filename(given) == kept


def test_a_failing_commit_leaves_no_file_behind(stranger, monkeypatch):
    def broken(self, *args, **kwargs):
        raise RuntimeError("disk full")

    before = _files()
    monkeypatch.setattr(Image, "save", broken)
    with pytest.raises(RuntimeError):
        ingest.add(stranger, upload(whole()))
    assert _files() == before


@pytest.mark.django_db(transaction=True)
def test_an_error_after_the_commit_leaves_the_file(stranger, monkeypatch):
    """A row whose file was taken away would be a picture lost, for its bytes count as here already."""
    database = connections["default"]
    commit = database.commit

    def commit_and_break():
        commit()
        raise OperationalError("database or disk is full")

    content = whole()
    with monkeypatch.context() as patches:
        patches.setattr(database, "commit", commit_and_break)
        with pytest.raises(OperationalError):
            ingest.add(stranger, upload(content))
    assert stranger.images.get().original.read() == content


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_the_worker_cannot_be_asked_to_read_is_not_taken(stranger, monkeypatch):
    def full(*args, **kwargs):
        raise OperationalError("database or disk is full")

    before = _files()
    monkeypatch.setattr(OrmQ, "save", full)
    with pytest.raises(OperationalError):
        ingest.add(stranger, upload(whole()))
    assert not stranger.images.exists()
    assert _files() == before


@pytest.mark.parametrize("what", ["missing", "rotten"])
def test_a_lost_file_comes_back_with_the_same_bytes(stranger, what):
    content = whole()
    image = ingest.add(stranger, upload(content)).image
    path = Path(image.original.path)
    if what == "missing":
        path.unlink()
    else:
        path.write_bytes(b"rotten")
        Image.objects.update(is_damaged=True)  # as verify does
    Image.objects.update(status=Image.Status.FAILED, error=Image.Failure.MISSING)
    again = ingest.add(stranger, upload(content))
    image.refresh_from_db()
    assert (again.created, again.image, image.original.read()) == (False, image, content)
    assert (image.is_damaged, image.status, image.error) == (False, Image.Status.PENDING, "")
    assert path.exists() is (what == "rotten")  # verify puts it aside: nothing is thrown away


def test_a_disk_that_is_not_there_is_no_lost_file(stranger, curator, monkeypatch):
    """The folder is another, empty one until the disk is mounted again: nothing is written over there."""
    content = whole()
    image = ingest.add(stranger, upload(content)).image
    name = image.original.name
    monkeypatch.setattr(image.original.storage, "exists", lambda name: False)
    assert not ingest.add(stranger, upload(content)).created
    image.refresh_from_db()
    assert image.original.name == name


def test_a_picture_that_goes_while_it_is_mended_comes_back(stranger, monkeypatch):
    content = whole()
    image = ingest.add(stranger, upload(content)).image
    Path(image.original.path).unlink()
    save = type(image.original).save

    def save_late(self, *args, **kwargs):
        monkeypatch.setattr(type(image.original), "save", save)
        Image.objects.filter(pk=image.pk).delete()
        return save(self, *args, **kwargs)

    monkeypatch.setattr(type(image.original), "save", save_late)
    again = ingest.add(stranger, upload(content))
    assert again.created
    assert stranger.images.get().original.read() == content


def test_the_same_file_at_once_becomes_one_row_and_one_file(stranger, monkeypatch):
    """The other request commits between this one's look for the hash and its insert."""
    content, before, examine, other = whole(), _files(), ingest.examine, []

    def examine_while_the_other_one_wins(file):
        monkeypatch.setattr(ingest, "examine", examine)
        other.append(ingest.add(stranger, upload(content)))
        return examine(file)

    monkeypatch.setattr(ingest, "examine", examine_while_the_other_one_wins)
    mine = ingest.add(stranger, upload(content))
    assert (mine.created, other[0].created, mine.image) == (False, True, other[0].image)
    assert len(_files() - before) == 1


def _files() -> set[str]:
    return {str(path) for path in Path(default_storage.location).rglob("*") if path.is_file()}
