"""The index and the fusion against the original's scoring, written plainly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from search import fusion, reference
from search.index import Index, Rows
from search.postings import Postings

DIM = 8
TAGS = range(1, 9)
EQUAL = dict.fromkeys(fusion.COMPONENTS, 1.0)


def unit(rng, count):
    vectors = rng.standard_normal((count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rows_of(ids, vectors, tags, owners=None, albums=()):
    pairs = [(row, tag) for row, own in enumerate(tags) for tag in own]
    return Rows(
        np.array(ids, np.int64),
        np.array(owners if owners is not None else [1] * len(ids), np.int64),
        vectors,
        np.array(pairs, np.int64).reshape(-1, 2),
        np.array(list(albums), np.int64).reshape(-1, 2),
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 40),
    query_tags=st.sets(st.sampled_from(TAGS)),
    has_image=st.booleans(),
    has_text=st.booleans(),
    limit=st.integers(1, 50),
)
def test_ranking_equals_the_originals(seed, count, query_tags, has_image, has_text, limit):
    if not (query_tags or has_image or has_text):
        return
    rng = np.random.default_rng(seed)
    # Few distinct vectors and tags, so that there are many ties.
    vectors = unit(rng, 3)[rng.integers(0, 3, count)]
    tags = [set(rng.choice(TAGS, rng.integers(0, 5), replace=False).tolist()) for _ in range(count)]
    image, text = unit(rng, 2)
    features = [vector for vector, asked in ((image, has_image), (text, has_text)) if asked]
    expected_rows, expected_scores = reference.rank(
        query_tags, np.mean(features, axis=0) if features else None, tags, vectors
    )

    index = Index(DIM, capacity=4)
    index.add(rows_of(range(1, count + 1), vectors, tags))
    vectors_by_name = {n: v for n, v, asked in (("image", image, has_image), ("text", text, has_text)) if asked}
    components = dict(zip(vectors_by_name, index.dots(np.array([*vectors_by_name.values()] or [image])), strict=False))
    if query_tags:
        components["tags"] = index.tag_matches(query_tags) / np.float32(len(query_tags))
    share = fusion.shares(components, EQUAL)
    scores = fusion.total(fusion.mean(components, share, np.ones(count, bool))(components), index.size)
    np.testing.assert_allclose(scores[expected_rows], expected_scores, atol=1e-6)
    found = fusion.leaders(scores, index.ids, np.arange(count), limit)
    np.testing.assert_array_equal(found, sorted(range(count), key=lambda r: (-scores[r], -index.ids[r]))[:limit])


def test_the_shares_are_those_of_the_original():
    assert fusion.shares(["image"], EQUAL) == {"image": 1}
    assert fusion.shares(["image", "text"], EQUAL) == {"image": 0.5, "text": 0.5}
    assert fusion.shares(["image", "text", "tags"], EQUAL) == {"image": 0.25, "text": 0.25, "tags": 0.5}
    assert fusion.shares(["text", "tags"], EQUAL) == {"text": 0.5, "tags": 0.5}
    assert fusion.shares(["tags"], EQUAL) == {"tags": 1}
    assert fusion.shares([], EQUAL) == {}


def test_weights_shift_the_shares():
    assert fusion.shares(["text", "tags"], {"image": 1, "text": 3, "tags": 1}) == {"text": 0.75, "tags": 0.25}
    assert fusion.shares(["text", "tags"], {"image": 1, "text": 1, "tags": 0}) == {"text": 1, "tags": 0}
    with pytest.raises(ValueError, match="weighs nothing"):
        fusion.shares(["text"], {"image": 1, "text": 0, "tags": 1})


def test_calibrated_counts_standard_deviations_over_the_visible():
    scores = np.array([0.1, 0.2, 0.3, 9.0], np.float32)
    visible = np.array([True, True, True, False])
    components = {"text": scores, "tags": np.ones(4, np.float32)}
    parts = fusion.calibrated(components, {"text": 0.5, "tags": 0.5}, visible)(components)
    deviation = scores[:3].std()
    np.testing.assert_allclose(parts["text"][:3], (scores[:3] - 0.2) / deviation / 2, atol=1e-6)
    assert parts["tags"].tolist() == [0, 0, 0, 0]  # what is the same everywhere says nothing


def test_rrf_ranks_among_the_visible_and_shares_ranks():
    scores = np.array([0.5, 0.9, 0.5, 1.0], np.float32)
    visible = np.array([True, True, True, False])
    parts = fusion.rrf({"text": scores}, {"text": 1.0}, visible)({"text": scores})
    np.testing.assert_allclose(parts["text"][:3], [61 / 62, 1, 61 / 62], rtol=1e-6)


def test_unwanted_examples_push_away():
    a, b = np.eye(2, dtype=np.float32)
    np.testing.assert_allclose(fusion.query_vector([a], [b]), [1, -fusion.UNWANTED])
    np.testing.assert_allclose(fusion.query_vector([a, b], []), [0.5, 0.5])
    np.testing.assert_allclose(fusion.query_vector([], [a, b]), [-0.25, -0.25])
    assert fusion.query_vector([], []) is None


def test_leaders_of_nothing_and_none_of_many():
    scores, ids = np.ones(5, np.float32), np.arange(5)
    assert fusion.leaders(scores, ids, np.zeros(0, np.int64), 3).tolist() == []
    assert fusion.leaders(scores, ids, np.arange(5), 0).tolist() == []
    assert fusion.leaders(scores, ids, np.arange(5), 2).tolist() == [4, 3]


def test_equal_vectors_score_equal_wherever_they_stand():
    """A matrix product sums rows at the edge of its blocks in another order; the exact scores must not."""
    rng = np.random.default_rng(1)
    for count in (7, 97, 4099):
        index = Index(384)
        vectors = np.repeat(rng.standard_normal((1, 384)).astype(np.float32), count, axis=0)
        index.add(rows_of(range(1, count + 1), vectors, [()] * count))
        query = rng.standard_normal((2, 384)).astype(np.float32)
        exact = index.exact_dots(query, np.arange(count))
        assert (exact == exact[:, :1]).all()
        np.testing.assert_allclose(index.dots(query), exact, rtol=1e-3, atol=1e-3)


def test_postings_grow_and_stay_sorted():
    postings = Postings()
    postings.extend(np.array([7, 7, 9]), np.array([0, 2, 2]))
    assert postings.rows(7).tolist() == [0, 2]
    postings.extend(np.array([7]), np.array([5]))
    postings.extend(np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert postings.rows(7).tolist() == [0, 2, 5]
    assert postings.rows(9).tolist() == [2]
    assert postings.rows(8).tolist() == []


class IndexMachine(RuleBasedStateMachine):
    """Images come, change and go at random; after each step the index answers like a dictionary of them would."""

    def __init__(self):
        super().__init__()
        self.index, self.model, self.rng = Index(DIM, capacity=1), {}, np.random.default_rng(5)

    @rule(
        ids=st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True),
        owner=st.integers(1, 3),
        tags=st.sets(st.sampled_from(TAGS)),
        album=st.none() | st.integers(1, 3),
    )
    def add(self, ids, owner, tags, album):
        vectors = unit(self.rng, len(ids))
        albums = [(row, album) for row in range(len(ids))] if album else []
        self.index.add(rows_of(ids, vectors, [tags] * len(ids), [owner] * len(ids), albums))
        self.model |= {pk: (owner, tags, album, vectors[i]) for i, pk in enumerate(ids)}

    @rule(ids=st.lists(st.integers(1, 12), max_size=4))
    def remove(self, ids):
        self.index.remove(ids)
        for pk in ids:
            self.model.pop(pk, None)

    @invariant()
    def agrees(self):
        assert len(self.index) == len(self.model)
        for owner, albums in ((1, {2}), (2, set()), (9, {1, 3})):
            visible = self.index.visible(owner, albums)
            expected = {pk for pk, (o, _, a, _) in self.model.items() if o == owner or a in albums}
            assert sorted(self.index.ids[visible].tolist()) == sorted(expected)
            counts = dict(zip(self.index.ids[visible], self.index.tag_matches([1, 2, 3])[visible], strict=True))
            assert counts == {pk: len(self.model[pk][1] & {1, 2, 3}) for pk in expected}
            dots = self.index.dots(np.ones((1, DIM), np.float32))[0][visible]
            for pk, dot in zip(self.index.ids[visible].tolist(), dots, strict=True):
                assert abs(dot - self.model[pk][3].sum()) < 1e-5


TestIndexMachine = IndexMachine.TestCase
TestIndexMachine.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
