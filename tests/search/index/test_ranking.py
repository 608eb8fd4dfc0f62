"""The best rows against brute force in float64, on a snapshot and the rows behind it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.index import fusion, ranking, snapshot
from search.index.index import Index
from search.index.snapshot import DamagedError
from tests.benchmarks import reference
from tests.search.index.rows import rows_of, unit

DIM = 16
TAGS = range(1, 9)
EQUAL = fusion.EQUAL_WEIGHTS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("snapshots")


def split_index(folder, ids, vectors, tags, owners, behind: int) -> Index:
    """The last `behind` rows come after the snapshot of the others."""
    head = len(ids) - behind
    snapshot.write(folder, DIM, 0, [rows_of(ids[:head], vectors[:head], tags[:head], owners[:head])])
    index = Index(DIM, snapshot.load(folder, DIM))
    index.append(rows_of(ids[head:], vectors[head:], tags[head:], owners[head:]))
    return index


def brute_force(vectors, tags, visible, ids, asked, share, count):
    """Every visible row scored in float64 and sorted."""
    scores = np.zeros(len(ids))
    for part, vector in asked.vectors.items():
        scores += share[part] * np.array([np.float64(row) @ vector for row in vectors])
    if "tags" in share:
        scores += (
            share["tags"]
            * np.array([sum(asked.tags.get(tag, 0) for tag in own) for own in tags])
            / asked.tag_total
        )
    rows = np.flatnonzero(visible)
    return rows[np.lexsort((-ids[rows], -scores[rows].round(12)))][:count], scores


@settings(max_examples=80, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), count=st.integers(1, 300), limit=st.integers(1, 40))
def test_the_best_are_those_of_brute_force(folder, data, seed, count, limit):
    rng = np.random.default_rng(seed)
    # Few distinct vectors, some a hair apart: eight bits do not tell them apart, and many are equal.
    distinct = data.draw(st.sampled_from([2, 20, 300]))
    vectors = unit(rng, distinct, DIM)[rng.integers(0, distinct, count)]
    vectors += rng.choice([0, 1e-4], (count, 1)) * rng.standard_normal((count, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tags = [sorted(rng.choice(TAGS, rng.integers(0, 5), replace=False).tolist()) for _ in range(count)]
    ids, owners = np.sort(rng.choice(10_000, count, replace=False)) + 1, rng.integers(1, 3, count)
    index = split_index(folder, ids, vectors, tags, owners, data.draw(st.integers(0, count)))
    named = data.draw(st.sets(st.sampled_from(["image", "text"])))
    features = dict(zip(sorted(named), unit(rng, 2, DIM).astype(np.float64), strict=False))
    wanted = {tag: 1.0 + tag % 2 for tag in data.draw(st.sets(st.sampled_from(TAGS)))}
    asked = ranking.Asked(features, wanted, unfindable=data.draw(st.sampled_from([0.0, 1.0])))
    share = fusion.shares(asked.components, EQUAL)
    visible = index.visible(1, ())
    assert visible.tolist() == (owners == 1).tolist()
    best = fusion.FUSIONS["mean"].rank(index, asked, share, visible, limit)
    rows, scores = brute_force(vectors, tags, visible, ids, asked, share, limit)
    np.testing.assert_array_equal(best.rows, rows)
    np.testing.assert_allclose(best.scores, scores[rows], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 300), limit=st.integers(1, 40))
def test_gains_are_added_exactly(folder, seed, count, limit):
    rng = np.random.default_rng(seed)
    vectors = unit(rng, 20, DIM)[rng.integers(0, 20, count)]
    tags = [sorted(rng.choice(TAGS, 2, replace=False).tolist()) for _ in range(count)]
    index = split_index(folder, np.arange(1, count + 1), vectors, tags, np.ones(count, int), count // 2)
    text = unit(rng, 1, DIM)[0].astype(np.float64)
    gains = [
        ranking.Gain(part, np.flatnonzero(rng.random(count) < 0.3).astype(np.uint32), amount)
        for part, amount in (("text", 0.217), ("words", 0.631), ("words", 0.369))
    ]
    asked = ranking.Asked({"text": text}, {1: 1.0}, gains=tuple(gains), has_words=True)
    share = fusion.shares(asked.components, EQUAL)
    best = fusion.FUSIONS["best"].rank(index, asked, share, np.ones(count, bool), limit)
    added = {part: np.zeros(count) for part in ("text", "words")}
    for gain in gains:
        added[gain.component][gain.rows] += gain.amount
    scores = share["text"] * (vectors.astype(np.float64) @ text + added["text"])
    scores += share["tags"] * np.array([1 in own for own in tags]) + share["words"] * added["words"]
    expected = np.lexsort((-np.arange(count), -scores.round(12)))[:limit]
    np.testing.assert_array_equal(best.rows, expected)
    np.testing.assert_allclose(best.scores, scores[best.rows], atol=1e-12)
    np.testing.assert_allclose(sum(best.parts.values()), best.scores, atol=1e-12)
    np.testing.assert_allclose(best.dots, vectors @ text, atol=0.05)


def test_the_original_ranks_the_same(folder):
    rng = np.random.default_rng(3)
    vectors = unit(rng, 500, DIM)
    tags = [set(rng.choice(TAGS, rng.integers(0, 5), replace=False).tolist()) for _ in range(500)]
    index = split_index(folder, np.arange(1, 501), vectors, tags, np.ones(500, int), 100)
    image, text = unit(rng, 2, DIM).astype(np.float64)
    asked = ranking.Asked({"image": image, "text": text}, {1: 1.0, 2: 1.0, 5: 1.0})
    best = fusion.FUSIONS["mean"].rank(
        index, asked, fusion.shares(asked.components, EQUAL), np.ones(500, bool), 500
    )
    rows, scores = reference.rank({1, 2, 5}, (image + text) / 2, tags, vectors)
    np.testing.assert_array_equal(best.rows, rows)
    np.testing.assert_allclose(best.scores, scores, atol=1e-6)


@pytest.mark.parametrize("name", ["calibrated", "rrf"])
@pytest.mark.parametrize("count", [30, 5000])
def test_other_fusions_agree_with_themselves_on_all_rows(folder, name, count):
    """What the ranking leaves out early could not have been among the best."""
    rng = np.random.default_rng(4)
    vectors = unit(rng, count, DIM)
    tags = [set(rng.choice(TAGS, rng.integers(0, 5), replace=False).tolist()) for _ in range(count)]
    index = split_index(folder, np.arange(1, count + 1), vectors, tags, rng.integers(1, 3, count), count // 3)
    image, text = unit(rng, 2, DIM).astype(np.float64)
    asked = ranking.Asked({"image": image, "text": text}, {1: 1.0, 5: 1.0})
    share = fusion.shares(asked.components, EQUAL)
    visible = index.visible(1, ())
    best = fusion.FUSIONS[name].rank(index, asked, share, visible, 10)
    scores = ranking.component_scores(index, asked, visible)
    everything = np.flatnonzero(visible)
    if name == "calibrated":
        exact = ranking.exact_scores(index, asked, everything)
        parts = fusion.Calibrated.linear(scores, share, visible).parts(exact)
    else:
        every = fusion.FUSIONS[name].parts(scores, share, visible)
        parts = {part: values[everything] for part, values in every.items()}
    total = ranking.total(parts, len(everything))
    expected = everything[np.lexsort((-everything, -total))][:10]
    np.testing.assert_array_equal(best.rows, expected)


def test_nothing_visible_gives_nothing(folder):
    index = split_index(
        folder, np.arange(1, 6), unit(np.random.default_rng(0), 5, DIM), [()] * 5, np.ones(5, int), 2
    )
    asked = ranking.Asked({"text": np.ones(DIM)}, {1: 1.0})
    share = fusion.shares(asked.components, EQUAL)
    for name in fusion.FUSIONS:
        assert len(fusion.FUSIONS[name].rank(index, asked, share, np.zeros(5, bool), 10).rows) == 0


def test_vectors_that_contradict_their_codes_are_noticed(folder):
    count = 200
    split_index(
        folder,
        np.arange(1, count + 1),
        unit(np.random.default_rng(0), count, DIM),
        [()] * count,
        [1] * count,
        0,
    )
    path = folder / snapshot.current(folder) / "vectors.bin"
    path.write_bytes(bytes(path.stat().st_size))
    index = Index(DIM, snapshot.load(folder, DIM))
    with pytest.raises(DamagedError):
        asked = ranking.Asked({"text": np.ones(DIM)}, {})
        fusion.FUSIONS["mean"].rank(index, asked, {"text": 1.0}, np.ones(count, bool), 10)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 300), size=st.sampled_from([0, 5, 200, 20_000]))
def test_largest_finds_the_largest_and_all_that_equal_the_last(seed, count, size):
    rng = np.random.default_rng(seed)
    scores = rng.choice(rng.standard_normal(int(rng.choice([3, 10**6]))), size).astype(np.float32)
    scores[rng.random(size) < rng.choice([0, 0.99])] = -np.inf
    found = np.sort(ranking.largest(scores, count))
    if count == 0 or size == 0:
        assert len(found) == 0
    elif count >= size:
        assert len(found) == size
    else:
        np.testing.assert_array_equal(found, np.flatnonzero(scores >= np.sort(scores)[-count]))
