"""Searches share one version of the index; nobody waits long for it, nor sees what was hidden since."""

import threading

import pytest
from django.db import connection

from gallery.models import Image
from search import browsing, engine
from search import live_index as live_indexes
from search.live_index import LiveIndex, live_index
from search.query.query import Query
from search.shared_lock import SharedLock


def in_thread(work) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_readers_hold_the_lock_together_and_a_writer_alone():
    lock, both, written = SharedLock(), threading.Barrier(2), threading.Event()

    def read() -> None:
        with lock.reading():
            both.wait(5)

    def write() -> None:
        with lock.writing():
            written.set()

    one = in_thread(read)
    with lock.reading():
        both.wait(5)
        writer = in_thread(write)
        assert not written.wait(0.1)
        late = in_thread(read)  # a writer that waits comes first: it would else never come
        late.join(0.1)
        assert late.is_alive()
    assert written.wait(5)
    both.wait(5)
    for thread in (one, writer, late):
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_two_searches_have_the_index_at_once(monkeypatch):
    index = LiveIndex()
    with index.open():
        pass
    inside, both = threading.Barrier(2), []

    def search() -> None:
        with index.open():
            inside.wait(5)
            both.append(True)
        connection.close()

    threads = [in_thread(search), in_thread(search)]
    for thread in threads:
        thread.join(10)
    assert both == [True, True]


def test_an_index_that_is_behind_shows_nothing_that_was_hidden_since(curator, stranger, photo):
    coffee, moon = photo("coffee"), photo("moon")
    with live_index.open() as index:
        Image.objects.filter(pk=coffee.pk).update(owner=stranger)
        Image.objects.filter(pk=moon.pk).update(trashed_at="2026-01-01T00:00Z")
        assert live_index.lag() == 2
        assert len(index) == 21  # this thread keeps what it has open
        page = engine.search(Query(text="coffee"), curator)
        assert {coffee.pk, moon.pk}.isdisjoint(result.image.pk for result in page.results)
        shown = {image.pk for image in browsing.latest(curator, 50)}
        assert {coffee.pk, moon.pk}.isdisjoint(shown)


def test_a_search_goes_on_with_the_index_as_it_was_while_another_takes_long(curator, photo, monkeypatch):
    monkeypatch.setattr(live_indexes, "PATIENCE", 0.05)
    with live_index.open():
        pass
    photo("coffee").delete()
    with live_index._refreshing:  # as while a thousand changed pictures are read
        page = engine.search(Query(text="coffee"), curator)
    assert len(page.results) == 20
    assert page.count == 21
    assert engine.search(Query(text="coffee"), curator).count == 20


@pytest.mark.parametrize("address", ["/", "/images/", "/api/v1/images/?ordering=taken"])
def test_while_there_is_no_index_yet_it_is_said_how_far_it_is(page, monkeypatch, address):
    monkeypatch.setattr(live_indexes, "FIRST_PATIENCE", 0.05)
    monkeypatch.setattr(live_indexes, "_made", live_indexes._Made(rows=370, of=1000))
    with live_index._refreshing:  # as while the thread of a web process makes it
        answer = page.get(address)
    assert answer.status_code == 503
    assert "37% of the pictures" in answer.content.decode()
    assert answer["Retry-After"]
    assert page.get(address).status_code == 200


def test_pictures_are_counted_while_they_come_into_an_index(curator, monkeypatch):
    seen = []
    monkeypatch.setattr(live_indexes, "_made", made := live_indexes._Made())
    written = live_indexes.snapshot.write

    def write(folder, dim, seq, rows):
        seen.append(made.percent)
        written(folder, dim, seq, rows)
        seen.append((made.rows, made.of, made.percent))

    monkeypatch.setattr(live_indexes.snapshot, "write", write)
    with live_index.open():
        pass
    assert seen == [0, (21, 21, 99)]


@pytest.fixture
def kept_up(curator, monkeypatch):
    """An index that a thread keeps up, whose looks the test takes itself; two changes are many."""
    monkeypatch.setattr(live_indexes, "LEAST_CHANGES", 2)
    index = LiveIndex()
    index._look_after()
    index._is_kept_up = True
    return index


def captions(*pks: int) -> None:
    for pk in pks:
        Image.objects.filter(pk=pk).update(caption="changed")


def found(index: LiveIndex) -> int:
    with index.open() as opened:
        return len(opened.word_rows("caption:changed"))


@pytest.mark.parametrize("share", [0, 10])
def test_many_changes_are_left_to_the_thread_whether_they_make_a_snapshot_or_not(kept_up, monkeypatch, share):
    """Between a thousand pictures and half a percent of a large library none would be written."""
    monkeypatch.setattr(live_indexes, "CHANGED_SHARE", share)
    before = kept_up._opened.snapshot
    captions(*Image.objects.values_list("pk", flat=True)[:5])
    assert found(kept_up) == 0
    assert kept_up.lag() == 5
    kept_up._look_after()
    assert found(kept_up) == 5
    assert kept_up.lag() == 0
    assert (kept_up._opened.snapshot != before) is (share == 0)


def test_one_picture_that_changes_often_makes_no_snapshot(kept_up, photo, monkeypatch):
    monkeypatch.setattr(live_indexes, "CHANGED_SHARE", 0)
    monkeypatch.setattr(live_indexes, "compact", lambda extractor: pytest.fail("a snapshot of one change"))
    for _ in range(6):
        captions(photo("coffee").pk)
        kept_up._look_after()
