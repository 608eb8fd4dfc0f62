"""Snapshots on disk: whole or not in use, whatever happens while they are written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from django.conf import settings

from search.index import snapshot
from search.index.index import Index
from search.index.snapshot import DamagedError
from tests.search.index.rows import rows_of, unit

DIM = 8


def rows(count: int, first: int = 1):
    rng = np.random.default_rng(first)
    tags = [sorted({1, 2 + i % 3}) for i in range(count)]
    return rows_of(range(first, first + count), unit(rng, count, DIM), tags, albums=[(0, 5)])


def test_what_is_written_is_read(tmp_path):
    snapshot.write(tmp_path, DIM, 17, [rows(10), rows(5, first=30)])
    found = snapshot.load(tmp_path, DIM)
    assert (found.seq, found.size) == (17, 15)
    assert found["ids"].tolist() == [*range(1, 11), *range(30, 35)]
    np.testing.assert_array_equal(found["vectors"], np.concatenate([rows(10).vectors, rows(5, 30).vectors]))
    assert found.tags.rows(1).tolist() == list(range(15))
    assert found.albums.rows(5).tolist() == [0, 10]
    assert found.tags.rows(99).tolist() == []
    np.testing.assert_allclose(found.centre, found["vectors"].mean(axis=0), atol=1e-6)


def test_vectors_that_were_read_are_given_back_and_read_again(tmp_path):
    snapshot.write(tmp_path, DIM, 7, [rows(20_000)])
    found = snapshot.load(tmp_path, DIM)

    def held() -> int:
        maps = psutil.Process().memory_maps(grouped=False)
        mine = [own for own in maps if own.path.startswith(str(tmp_path))]  # others have some, too
        return sum(own.rss for own in mine if own.path.endswith("vectors.bin"))

    total = found["vectors"].sum(dtype=np.float64)
    assert held() > found["vectors"].nbytes / 2
    found.release_vectors()
    assert held() == 0
    assert found["vectors"].sum(dtype=np.float64) == total


def test_an_empty_one(tmp_path):
    snapshot.write(tmp_path, DIM, 0, [])
    assert snapshot.load(tmp_path, DIM).size == 0
    assert len(Index(DIM, snapshot.load(tmp_path, DIM))) == 0


def test_only_the_newest_stays(tmp_path):
    for seq in (1, 2, 3):
        snapshot.write(tmp_path, DIM, seq, [rows(3)])
        held = snapshot.load(tmp_path, DIM)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [held.name]


def test_one_that_is_in_use_stays_readable_when_it_is_replaced(tmp_path):
    snapshot.write(tmp_path, DIM, 1, [rows(10)])
    old = snapshot.load(tmp_path, DIM)
    snapshot.write(tmp_path, DIM, 2, [rows(3)])
    assert old["ids"].tolist() == list(range(1, 11))


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder, name: (folder / "current").unlink(),
        lambda folder, name: (folder / "current").write_text("../elsewhere"),
        lambda folder, name: (folder / name / "manifest.json").write_text("{"),
        lambda folder, name: (folder / name / "manifest.json").write_text("[]"),
        lambda folder, name: (folder / name / "manifest.json").unlink(),
        lambda folder, name: (folder / name / "codes.bin").unlink(),
    ],
)
def test_what_is_missing_is_damage(tmp_path, harm):
    snapshot.write(tmp_path, DIM, 1, [rows(10)])
    harm(tmp_path, snapshot.current(tmp_path))
    with pytest.raises(DamagedError):
        snapshot.load(tmp_path, DIM)


@pytest.mark.parametrize(
    "key",
    [
        "ids",
        "owners",
        "codes",
        "scales",
        "errors",
        "centre",
        "tags_keys",
        "tags_starts",
        "tags_rows",
        "vectors",
    ],
)
def test_files_of_another_size_or_content_are_damage(tmp_path, key):
    snapshot.write(tmp_path, DIM, 1, [rows(10)])
    path = tmp_path / snapshot.current(tmp_path) / f"{key}.bin"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(DamagedError, match="cut short"):
        snapshot.load(tmp_path, DIM)
    if key != "vectors":  # not read as a whole: the ranking notices, see test_ranking
        path.write_bytes(content[:5] + bytes([content[5] ^ 1]) + content[6:] if len(content) > 6 else b"x")
        with pytest.raises(DamagedError):
            snapshot.load(tmp_path, DIM)


def test_another_extractors_dimensions_are_damage(tmp_path):
    snapshot.write(tmp_path, DIM, 1, [rows(10)])
    with pytest.raises(DamagedError):
        snapshot.load(tmp_path, DIM * 2)


CRASHES = """
import os, sys
from pathlib import Path
from search.index import snapshot
from tests.search.index.test_snapshot import DIM, rows
folder, calls = Path(sys.argv[1]), [os.fsync, Path.rename, Path.mkdir]
for steps in range(200):
    child = os.fork()
    if not child:
        left = steps
        def counted(function):
            def step(*arguments, **options):
                global left
                left -= 1
                if left < 0:
                    os._exit(9)
                return function(*arguments, **options)
            return step
        os.fsync, Path.rename, Path.mkdir = map(counted, calls)
        snapshot.write(folder, DIM, 2, [rows(3)])
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found = snapshot.load(folder, DIM)
    print(status, found.seq, found.size)
    if status == 0:
        break
"""


def test_a_crash_at_any_step_leaves_one_in_use(tmp_path):
    """A process ends at its first, second, ... step that changes what is on disk.

    What it leaves is loaded.
    """
    snapshot.write(tmp_path, DIM, 1, [rows(10)])
    command = [sys.executable, "-c", CRASHES, str(tmp_path)]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    *crashed, last = [line.split() for line in done.stdout.splitlines()]
    assert last == ["0", "2", "3"]
    assert len(crashed) > 20
    assert {tuple(line) for line in crashed} == {("9", "1", "10"), ("9", "2", "3")}
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1


def test_another_order_of_formats_is_another_layout(tmp_path, monkeypatch):
    """A format's number on disk is its place in the table: with another table the numbers mean others."""
    snapshot.write(tmp_path, DIM, 1, [rows(3)])
    monkeypatch.setattr(snapshot, "FORMATS", snapshot.FORMATS[::-1])
    with pytest.raises(DamagedError, match="layout"):
        snapshot.load(tmp_path, DIM)


def test_a_new_column_is_another_layout(tmp_path, monkeypatch):
    snapshot.write(tmp_path, DIM, 1, [rows(3)])
    monkeypatch.setattr(snapshot, "COLUMNS", snapshot.COLUMNS | {"ratings": np.dtype("u1")})
    with pytest.raises(DamagedError, match="layout"):
        snapshot.load(tmp_path, DIM)


KEPT = sorted((Path(__file__).parent / "snapshots").iterdir())


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_a_snapshot_of_an_earlier_layout_is_read_or_replaced(folder):
    """Written by the code of that day: `snapshot.write(folder, DIM, 17, [rows(3)])`.

    It is read as it was meant, or refused, so that a new one is written; nothing in between.
    """
    try:
        found = snapshot.load(folder, DIM)
    except DamagedError as reason:
        assert folder != KEPT[-1], f"keep a snapshot of the new layout in {folder.parent} ({reason})"
        return
    assert (found.seq, found["ids"].tolist()) == (17, [1, 2, 3])
    np.testing.assert_array_equal(found["vectors"], rows(3).vectors)
    assert found.tags.rows(1).tolist() == [0, 1, 2]
    assert found.albums.rows(5).tolist() == [0]
