"""The index of a process: opened, kept up, compacted, and rebuilt where it is damaged."""

import errno
import threading

import numpy as np
import pytest
from django.db import OperationalError, transaction

from gallery import extractor_switch
from gallery.models import Album, AlbumImage, Image, ImageTag, Tag
from search import engine, tasks
from search import live_index as live_indexes
from search.index import snapshot
from search.index.columns import COLUMNS, UNKNOWN
from search.index_rows import FORMAT_NUMBERS
from search.live_index import LiveIndex, live_index
from search.query.query import Query


def names(user, **fields) -> list[str]:
    return [result.image.filename.split(".")[0] for result in engine.search(Query(**fields), user).results]


@pytest.fixture
def folder(curator, settings):
    with live_index.open():
        pass
    return settings.INDEX_DIR / extractor_switch.current().key.replace("/", "-")


def test_a_refresh_without_changes_is_two_small_queries(curator, django_assert_num_queries):
    with live_index.open():
        pass
    with django_assert_num_queries(2), live_index.open():  # the serving extractor, the log's last number
        pass


def test_another_process_opens_the_same_snapshot(folder, curator):
    before = snapshot.current(folder)
    with LiveIndex().open() as index:
        assert len(index) == 21
        assert index.appended == 0
    assert snapshot.current(folder) == before


def test_changes_are_applied_without_a_new_snapshot(folder, curator, photo):
    before = snapshot.current(folder)
    tag = Tag.objects.create(name="mine")
    ImageTag.objects.create(image=photo("coffee"), tag=tag)
    assert names(curator, tags=("mine",)) == ["coffee"]
    photo("coffee").delete()
    assert names(curator, tags=("mine",)) == []
    assert snapshot.current(folder) == before


def test_the_worker_compacts_when_much_has_changed(folder, curator, monkeypatch):
    before = snapshot.current(folder)
    assert tasks.compact() == "written: nothing"
    tag = Tag.objects.create(name="all")
    ImageTag.objects.bulk_create([ImageTag(image=image, tag=tag) for image in Image.objects.all()])
    assert tasks.compact() == "written: nothing"
    monkeypatch.setattr(live_indexes, "LEAST_CHANGES", 10)
    assert tasks.compact() == "written: lite/2"
    assert snapshot.current(folder) != before
    with live_index.open() as index:  # it changes over by itself
        assert index.appended == 0
    assert len(names(curator, tags=("all",))) == 21
    assert tasks.compact() == "written: nothing"


def test_searches_go_on_while_snapshots_are_written(folder, curator, monkeypatch):
    monkeypatch.setattr(live_indexes, "LEAST_CHANGES", -1)
    monkeypatch.setattr(live_indexes, "CHANGED_SHARE", 0)
    expected = names(curator, text="animal")
    stop, answers = threading.Event(), []

    def write():
        while not stop.is_set():
            with live_indexes._writing(extractor.key):
                index = live_indexes.Index(extractor.dim, snapshot.load(folder, extractor.dim))
                snapshot.write(folder, extractor.dim, 1, index.chunks())

    extractor = extractor_switch.current()
    monkeypatch.setattr(extractor_switch, "current", lambda: extractor)  # the thread has no database
    thread = threading.Thread(target=write)
    thread.start()
    try:
        answers = [names(curator, text="animal") for _ in range(30)]
    finally:
        stop.set()
        thread.join()
    assert all(answer == expected for answer in answers)


def test_a_server_that_starts_far_behind_lends_the_index_of_before(folder, curator, monkeypatch):
    """Reading a million changes takes a minute, which nobody waits for."""
    monkeypatch.setattr(live_indexes, "LEAST_CHANGES", 3)
    tag, own = tag_all(), LiveIndex()
    own._is_kept_up = True  # as its thread says
    with own.open() as index:
        assert (len(index), index.appended) == (21, 0)
        assert not len(index.tag_rows(tag.pk))
    own._look_after()
    with own.open() as index:
        assert len(index.tag_rows(tag.pk)) == 21
    assert own.lag() == 0


def tag_all() -> Tag:
    tag = Tag.objects.create(name="all")
    ImageTag.objects.bulk_create([ImageTag(image=image, tag=tag) for image in Image.objects.all()])
    return tag


def test_changes_that_could_not_be_read_are_read_the_next_time(folder, curator, monkeypatch):
    own = LiveIndex()
    with own.open():
        pass
    tag, read = tag_all(), live_indexes.index_rows.images

    def fail(*args):
        raise OperationalError("database is locked")

    monkeypatch.setattr(live_indexes.index_rows, "images", fail)
    with pytest.raises(OperationalError), own.open():
        pass
    assert own.lag() == 21
    monkeypatch.setattr(live_indexes.index_rows, "images", read)
    with own.open() as index:
        assert len(index.tag_rows(tag.pk)) == 21
    assert own.lag() == 0


def test_a_snapshot_that_cannot_be_written_leaves_nothing_behind_for_ever(folder, curator, monkeypatch):
    monkeypatch.setattr(live_indexes, "LEAST_CHANGES", 3)
    own = LiveIndex()
    own._is_kept_up = True
    with own.open():
        pass
    tag = tag_all()

    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(snapshot, "write", fail)
    own._look_after()
    with own.open() as index:
        assert len(index.tag_rows(tag.pk)) == 21
    assert own.lag() == 0


def test_a_missing_snapshot_is_written_anew(folder, curator):
    (folder / "current").unlink()
    live_index.forget()
    assert len(names(curator, text="animal")) == 21


@pytest.mark.parametrize("key", ["codes", "tags_rows", "owners"])
def test_a_corrupt_snapshot_is_written_anew(folder, curator, key):
    expected = names(curator, text="animal", tags=("espresso",))
    path = folder / snapshot.current(folder) / f"{key}.bin"
    path.write_bytes(bytes(path.stat().st_size))
    live_index.forget()
    assert names(curator, text="animal", tags=("espresso",)) == expected


def test_vectors_that_were_corrupted_are_noticed_by_the_search(folder, curator):
    expected = names(curator, text="animal")
    path = folder / snapshot.current(folder) / "vectors.bin"
    path.write_bytes(b"\x12" * path.stat().st_size)
    live_index.forget()
    assert names(curator, text="animal") == expected


def test_an_older_database_gets_a_snapshot_of_its_own(folder, curator, stranger):
    """A rollback stands for a backup that was put back: the numbers of changes start over."""
    with transaction.atomic():
        Image.objects.update(owner=stranger)
        live_indexes.rebuild(extractor_switch.current())
        live_index.forget()
        assert names(curator, text="animal") == []
        transaction.set_rollback(True)
    live_index.forget()
    assert len(names(curator, text="animal")) == 21


def test_snapshots_of_extractors_that_are_gone_are_removed(folder, curator, settings):
    (settings.INDEX_DIR / "old-1").mkdir()
    tasks.compact()
    assert [path.name for path in settings.INDEX_DIR.iterdir() if path.is_dir()] == [folder.name]


def test_the_command_rebuilds(folder, curator, capsys):
    from django.core.management import call_command

    before = snapshot.current(folder)
    call_command("rebuild_index")
    assert "21 pictures of lite/2" in capsys.readouterr().out
    assert snapshot.current(folder) != before


def test_facts_of_pictures_reach_the_index(curator, photo):
    album = Album.objects.create(owner=curator, title="A")
    AlbumImage.objects.create(album=album, image=photo("coffee"))
    coffee = photo("coffee")
    with live_index.open() as index:
        rows = np.flatnonzero(index.visible(curator.pk, ()) & index.in_albums([album.pk]))
        facts = {name: index.take(name, rows).tolist() for name in COLUMNS}
    assert facts == {
        "ids": [coffee.pk],
        "owners": [curator.pk],
        "taken": [UNKNOWN],
        "added": [int(coffee.created_at.timestamp())],
        "hashes": [coffee.perceptual_hash % 2**64],
        "sides": [max(coffee.width, coffee.height)],
        "formats": [FORMAT_NUMBERS["PNG"]],
        "log_sums": [float("inf")],
        "tagged": [1],
    }
