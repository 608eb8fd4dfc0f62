"""The text in pictures: read when everything is searchable, and never in the way of that."""

import errno
import os
import signal
from pathlib import Path

import matplotlib
import pytest
from django.core.files.base import ContentFile
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from gallery import ingest, tasks, text_reading
from gallery.extraction import text_reader
from gallery.extraction.text_reader import InterruptedReadingError, TextReader, UnreadableError
from gallery.models import Image, TextInImage
from search import engine
from search.query.query import Query
from tests.conftest import encoded

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
LINES = ["Picfusion birthday invitation", "Güneş ışığı, iyi ki doğdun", "Straße 27, São Paulo"]


def written(*lines: str) -> Pillow.Image:
    picture = Pillow.new("RGB", (1400, 200 + 120 * len(lines)), "white")
    for row, line in enumerate(lines):
        ImageDraw.Draw(picture).text(
            (60, 60 + 120 * row), line, fill="black", font=ImageFont.truetype(str(FONT), 56)
        )
    return picture


@pytest.fixture(scope="module")
def reader():
    with TextReader() as reader:
        yield reader


def test_lines_are_read_as_they_are_written(reader):
    assert reader.read(written(*LINES)).split("\n") == LINES
    assert reader.read(Pillow.new("RGB", (400, 300), "white")) == ""
    assert reader.read(Pillow.new("RGB", (1, 1), "white")) == ""


def test_it_gives_way_and_bears_the_death_of_its_process():
    with TextReader() as reader:
        os.kill(reader._child.pid, signal.SIGSTOP)
        with pytest.raises(InterruptedReadingError):
            reader.read(written("hello"), is_urgent=lambda: True)
        reader._child.kill()
        with pytest.raises(UnreadableError):
            reader.read(written("hello"))


def test_one_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(text_reader, "SECONDS", 1.2)
    with pytest.raises((UnreadableError, RuntimeError)), TextReader() as reader:
        os.kill(reader._child.pid, signal.SIGSTOP)
        reader.read(written("hello"))


@pytest.fixture
def note(curator, settings):
    """A picture with text, searchable, and the demo photos as if they had been read."""
    settings.READ_TEXT = True
    Image.objects.update(is_text_read=True)
    added = ingest.add(curator, ContentFile(encoded(written("Meet at Zwiebelturm")), name="note.png"))
    assert tasks.extract_batch(16) == 1
    return added.image


def test_the_worker_reads_it_after_everything_else(note, curator, settings):
    assert not engine.search(Query(text="zwiebelturm"), curator).good
    assert tasks.extract_pending() == "1 pictures"
    assert TextInImage.objects.get(image=note).text == "Meet at Zwiebelturm"
    page = engine.search(Query(text="zwiebelturm"), curator)
    assert (page.good, page.results[0].image) == (1, note)
    assert [own.where for own in page.results[0].parts.matched_words] == [["text"]]
    assert tasks.extract_pending() == "0 pictures"


def test_switched_off_nothing_is_read(note, settings):
    settings.READ_TEXT = False
    assert tasks.extract_pending() == "0 pictures"


def test_a_picture_that_came_is_made_searchable_first(note):
    assert text_reading.read_batch(is_urgent=lambda: True) in (0, 1)
    assert text_reading.unread().count() in (0, 1)
    note.refresh_from_db()
    text_reading.read_batch(is_urgent=lambda: False)
    assert TextInImage.objects.get(image=note).text == "Meet at Zwiebelturm"


def test_a_picture_that_ends_its_process_is_passed_over(note, monkeypatch):
    def crash(self, picture, is_urgent):
        os.kill(self._child.pid, signal.SIGKILL)
        return original(self, picture, is_urgent)

    original = TextReader.read
    monkeypatch.setattr(TextReader, "read", crash)
    assert text_reading.read_batch(is_urgent=lambda: False) == 1
    assert not text_reading.unread().exists()
    assert not TextInImage.objects.exists()


def test_a_file_that_is_gone_is_passed_over(note):
    Path(note.original.path).unlink()
    assert text_reading.read_batch(is_urgent=lambda: False) == 1
    assert not text_reading.unread().exists()


def test_how_far_it_is_and_what_was_read_is_shown(note, page, api):
    assert "Text read in 21 of 22 pictures." in page.get("/").content.decode()
    text_reading.store(note.pk, "Meet at Zwiebelturm\n12:30")
    html = page.get(note.get_absolute_url()).content.decode()
    assert "Text in the picture" in html
    assert "Meet at Zwiebelturm<br>12:30" in html
    assert api.get(f"/api/v1/images/{note.pk}/").json()["text"] == "Meet at Zwiebelturm\n12:30"


def test_a_disk_that_is_away_costs_no_picture_its_text(note, settings, tmp_path, monkeypatch):
    """Neither an error of the disk nor the empty folder on which it is not mounted."""

    def fail(source, at_least):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(text_reading, "decode", fail)
        assert text_reading.read_batch(is_urgent=lambda: False) == 0
    (tmp_path / "empty").mkdir()
    with monkeypatch.context() as away:
        away.setattr(note.original.storage, "path", lambda name: str(tmp_path / "empty" / name))
        assert text_reading.read_batch(is_urgent=lambda: False) == 0
    note.refresh_from_db()
    assert (note.attempts, note.is_text_read) == (0, False)
    assert text_reading.read_batch(is_urgent=lambda: False) == 1
    assert TextInImage.objects.get(image=note).text == "Meet at Zwiebelturm"


def test_a_worker_that_is_killed_at_it_reads_it_when_it_is_back(note, monkeypatch):
    class KilledError(BaseException):
        pass

    def killed(self, picture, is_urgent):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(TextReader, "read", killed)
        with pytest.raises(KilledError):
            text_reading.read_batch(is_urgent=lambda: False)
    assert text_reading.unread().get() == note
    with monkeypatch.context() as patched:
        patched.setattr(TextReader, "read", killed)
        for _ in range(2):
            with pytest.raises(KilledError):
                text_reading.read_batch(is_urgent=lambda: False)
    # A picture that ends the worker each time is passed over, and counts as new for whatever else reads it.
    assert text_reading.read_batch(is_urgent=lambda: False) == 1
    note.refresh_from_db()
    assert (note.attempts, note.is_text_read) == (0, True)
