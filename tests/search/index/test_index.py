"""The index and the fusions, written plainly beside them."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from search.index import fusion, snapshot
from search.index.index import Index
from search.index.postings import Postings
from tests.search.index.rows import rows_of, unit

DIM = 8
TAGS = range(1, 9)
WORDS = ["name:beach", "caption:beach", "text:犬", "name:zoo", "name:a"]
EQUAL = fusion.EQUAL_WEIGHTS


def test_the_shares_are_those_of_the_original():
    assert fusion.shares(["image"], EQUAL) == {"image": 1}
    assert fusion.shares(["image", "text"], EQUAL) == {"image": 0.5, "text": 0.5}
    assert fusion.shares(["image", "text", "tags"], EQUAL) == {"image": 0.25, "text": 0.25, "tags": 0.5}
    assert fusion.shares(["text", "tags"], EQUAL) == {"text": 0.5, "tags": 0.5}
    assert fusion.shares(["tags"], EQUAL) == {"tags": 1}
    assert fusion.shares([], EQUAL) == {}


def test_words_come_on_top_of_the_shares():
    assert fusion.shares(["text", "tags", "words"], EQUAL) == {
        "text": 0.5,
        "tags": 0.5,
        "words": fusion.WORDS,
    }
    heavier = fusion.shares(["text", "words"], EQUAL | {"words": 2})
    assert heavier == {"text": 1, "words": 2 * fusion.WORDS}


def test_weights_shift_the_shares():
    assert fusion.shares(["text", "tags"], {"image": 1, "text": 3, "tags": 1}) == {"text": 0.75, "tags": 0.25}
    assert fusion.shares(["text", "tags"], {"image": 1, "text": 1, "tags": 0}) == {"text": 1, "tags": 0}
    with pytest.raises(ValueError, match="weighs nothing"):
        fusion.shares(["text"], {"image": 1, "text": 0, "tags": 1})


def test_calibrated_counts_standard_deviations_over_the_visible():
    scores = np.array([0.1, 0.2, 0.3, 9.0], np.float32)
    visible = np.array([True, True, True, False])
    components = {"text": scores, "tags": np.ones(4, np.float32)}
    parts = fusion.Calibrated().parts(components, {"text": 0.5, "tags": 0.5}, visible)
    deviation = scores[:3].std()
    np.testing.assert_allclose(parts["text"][:3], (scores[:3] - 0.2) / deviation / 2, atol=1e-6)
    assert parts["tags"].tolist() == [0, 0, 0, 0]  # what is the same everywhere says nothing


def test_rrf_ranks_among_the_visible_and_shares_ranks():
    scores = np.array([0.5, 0.9, 0.5, 1.0], np.float32)
    visible = np.array([True, True, True, False])
    parts = fusion.ReciprocalRank().parts({"text": scores}, {"text": 1.0}, visible)
    np.testing.assert_allclose(parts["text"][:3], [61 / 62, 1, 61 / 62], rtol=1e-6)


def test_unwanted_examples_push_away():
    a, b = np.eye(2, dtype=np.float32)
    np.testing.assert_allclose(fusion.query_vector([a], [b]), [1, -fusion.UNWANTED])
    np.testing.assert_allclose(fusion.query_vector([a, b], []), [0.5, 0.5])
    np.testing.assert_allclose(fusion.query_vector([], [a, b]), [-0.25, -0.25])
    np.testing.assert_allclose(fusion.query_vector([a, b], [], [3, 1]), [0.75, 0.25])
    assert fusion.query_vector([], []) is None


@pytest.mark.parametrize("count", [7, 97, 4099])
def test_equal_vectors_score_equal_wherever_they_stand(count):
    """A matrix product sums rows at the edge of its blocks in another order; the exact scores must not."""
    rng = np.random.default_rng(1)
    index = Index(384)
    vectors = np.repeat(unit(rng, 1, 384), count, axis=0)
    index.append(rows_of(range(1, count + 1), vectors, [()] * count))
    query = rng.standard_normal(384)
    exact = index.exact_dots(query, np.arange(count))
    assert (exact == exact[0]).all()


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), spike=st.sampled_from([0, 1, 30]), dim=st.sampled_from([1, 8, 384, 1536])
)
def test_codes_are_off_by_no_more_than_they_say(seed, spike, dim):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((50, dim)).astype(np.float32)
    vectors[:, 0] += spike
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = Index(dim)
    index.append(rows_of(range(1, 51), vectors, [()] * 50))
    query = rng.standard_normal(dim) * 10.0 ** rng.integers(-6, 6)
    scan = index.scan(query, np.zeros(50, np.float32), np.ones(50, bool))
    off = np.abs(scan.scores - vectors.astype(np.float64) @ query)
    assert (off <= scan.length * index.take("errors", np.arange(50)) + scan.slack).all()


def test_what_is_not_visible_scores_nothing():
    index = Index(DIM)
    index.append(rows_of([1, 2], unit(np.random.default_rng(0), 2, DIM), [()] * 2))
    assert index.dots(np.ones(DIM), np.array([False, True]))[0] == -np.inf


def test_a_million_rows_are_shared_among_threads_without_loss():
    """More rows than one thread takes at a time."""
    rng = np.random.default_rng(2)
    count = 150_000
    vectors = unit(rng, count, DIM)
    index = Index(DIM)
    index.append(rows_of(range(1, count + 1), vectors, [()] * count))
    query = rng.standard_normal(DIM)
    np.testing.assert_allclose(index.dots(query, np.ones(count, bool)), vectors @ query, atol=0.1)
    np.testing.assert_allclose(
        index.exact_dots(query, np.arange(count)), vectors.astype(float) @ query, atol=1e-9
    )


def test_postings_grow_and_stay_sorted():
    postings = Postings()
    postings.extend(np.array([[0, 7], [2, 7], [2, 9]]))
    assert postings.rows(7).tolist() == [0, 2]
    postings.extend(np.array([[5, 7]]))
    postings.extend(np.zeros((0, 2), np.int64))
    assert postings.rows(7).tolist() == [0, 2, 5]
    assert postings.rows(9).tolist() == [2]
    assert postings.rows(8).tolist() == []
    assert postings.keys().tolist() == [7, 9]


class IndexMachine(RuleBasedStateMachine):
    """Images come, change and go at random, and snapshots are written in between.

    After each step the index answers like a dictionary of them would.
    """

    def __init__(self):
        super().__init__()
        self.index, self.model, self.rng = Index(DIM), {}, np.random.default_rng(5)
        self.folder = Path(tempfile.mkdtemp())

    def teardown(self):
        shutil.rmtree(self.folder)

    @rule(
        ids=st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True),
        owner=st.integers(1, 3),
        tags=st.sets(st.sampled_from(TAGS)),
        album=st.none() | st.integers(1, 3),
        words=st.sets(st.sampled_from(WORDS)),
    )
    def add(self, ids, owner, tags, album, words):
        vectors = unit(self.rng, len(ids), DIM)
        albums = [(row, album) for row in range(len(ids))] if album else []
        self.index.append(
            rows_of(
                ids,
                vectors,
                [sorted(tags)] * len(ids),
                [owner] * len(ids),
                albums,
                [sorted(words)] * len(ids),
            )
        )
        self.model |= {pk: (owner, tags, album, vectors[i], words) for i, pk in enumerate(ids)}

    @rule(ids=st.lists(st.integers(1, 12), max_size=4))
    def remove(self, ids):
        self.index.remove(ids)
        for pk in ids:
            self.model.pop(pk, None)

    @rule(size=st.sampled_from([1, 3, 100]))
    def compact(self, size):
        snapshot.write(self.folder, DIM, 0, self.index.chunks(size))
        self.index = Index(DIM, snapshot.load(self.folder, DIM))
        assert self.index.appended == 0

    @invariant()
    def agrees(self):
        assert len(self.index) == len(self.model)
        for owner, albums in ((1, {2}), (2, set()), (9, {1, 3})):
            visible = self.index.visible(owner, albums)
            ids = self.index.take("ids", np.flatnonzero(visible))
            expected = {pk for pk, (o, _, a, *_) in self.model.items() if o == owner or a in albums}
            assert sorted(ids.tolist()) == sorted(expected)
            counts = np.zeros(self.index.size, np.float32)
            self.index.add_tags({1: 1.0, 2: 1.0, 3: 1.0}, counts)
            assert dict(zip(ids, counts[visible], strict=True)) == {
                pk: len(self.model[pk][1] & {1, 2, 3}) for pk in expected
            }
            dots = self.index.exact_dots(np.ones(DIM), np.flatnonzero(visible))
            for pk, dot in zip(ids.tolist(), dots, strict=True):
                assert abs(dot - self.model[pk][3].sum()) < 1e-5
            for word in WORDS:
                having = self.index.word_rows(word)
                found = self.index.take("ids", having[visible[having]])
                assert sorted(found.tolist()) == sorted(pk for pk in expected if word in self.model[pk][4])
            assert self.index.rows_of(sorted(expected)[:2]).size >= min(2, len(expected))
            untagged = visible & self.index.between("tagged", 0, 0)
            assert untagged.sum() == sum(not self.model[pk][1] for pk in expected)


TestIndexMachine = IndexMachine.TestCase
TestIndexMachine.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
