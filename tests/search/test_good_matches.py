"""'Only good matches': what is there is shown, and what is not there is said not to be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import engine, good_matches
from search.index import fusion, ranking
from search.index.index import Index
from search.query.query import Query
from tests.gallery.test_pages import text_of
from tests.search.index.rows import rows_of, unit

# What the demo photos hold, one of each, and what they do not.
THERE = ["a kitten", "cat", "coffee", "rocket", "motorcycle", "temple"]
NOT_THERE = ["a dog", "a violin", "pizza", "snake", "a beach", "a horse"]


@pytest.mark.parametrize("text", THERE)
def test_what_is_there_matches_well(curator, text):
    page = engine.search(Query(text=text), curator, good_only=True)
    assert 1 <= page.good <= 3
    assert len(page.results) == page.good
    everything = engine.search(Query(text=text), curator)
    assert everything.count == len(everything.results) == 21
    assert [r.image for r in everything.results][: page.good] == [r.image for r in page.results]


@pytest.mark.parametrize("text", NOT_THERE)
def test_of_what_is_not_there_nothing_matches_well(curator, text):
    page = engine.search(Query(text=text), curator, good_only=True)
    assert (page.good, page.results, page.count) == (0, [], 21)


def test_where_it_cannot_be_told_everything_is_listed(curator, photo):
    for query in (
        Query(text="zeitgeist of the fifties"),  # no class is like it
        Query(text="a dog", tags=("espresso",)),
        Query(text="a dog", image_ids=(photo("coffee").pk,)),
        Query(exclude_text="a dog"),
    ):
        page = engine.search(query, curator, good_only=True)
        assert page.good is None
        assert len(page.results) == page.count == 21


def test_the_page_says_so_and_the_rest_is_a_click_away(page):
    response = page.get("/", {"q": "a dog"})
    assert "No strong matches" in text_of(response)
    assert b'href="/?q=a+dog&amp;all=1"' in response.content
    assert response.content.count(b'class="tile"') == 0
    response = page.get("/", {"q": "a dog", "all": 1})
    assert "21 pictures" in text_of(response)
    assert response.content.count(b'class="tile"') == 21
    words = text_of(page.get("/", {"q": "a kitten"}))
    assert "1 good match" in words


def test_nobody_has_good_matches_among_no_pictures(stranger):
    assert engine.search(Query(text="cat"), stranger, good_only=True).good == 0


def test_the_api_tells_and_cuts_on_request(api):
    body = {"text": "a kitten"}
    answer = api.post("/api/v1/search/", body, format="json").json()
    assert (answer["good"], answer["count"], len(answer["results"])) == (1, 21, 21)
    answer = api.post("/api/v1/search/", body | {"good_only": True}, format="json").json()
    assert (answer["good"], answer["count"], len(answer["results"])) == (1, 21, 1)
    assert api.post("/api/v1/search/", body | {"tags": ["cat"]}, format="json").json()["good"] is None


def test_the_threshold_is_relative_to_what_is_expected():
    assert good_matches.least_score(0.7, 0.6) == pytest.approx(0.48)
    assert good_matches.least_score(0.6, 0.6) == np.inf
    assert good_matches.least_score(0.9, 0.2) is None


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 400))
def test_good_matches_are_counted_exactly(seed, count):
    """Thresholds that are some row's own score: eight bits do not tell on which side it is."""
    rng = np.random.default_rng(seed)
    vectors = unit(rng, 30, 16)[rng.integers(0, 30, count)]
    index = Index(16)
    index.append(rows_of(range(1, count + 1), vectors, [()] * count, rng.integers(1, 3, count)))
    visible = index.visible(1, ())
    asked = ranking.Asked({"text": unit(rng, 1, 16)[0].astype(np.float64)}, {})
    best = fusion.FUSIONS["mean"].rank(index, asked, {"text": 1.0}, visible, 5)
    rows = np.flatnonzero(visible)
    scores = ranking.total(ranking.exact_scores(index, asked, rows), len(rows))
    for threshold in [*scores[:5], 0.1]:
        found = ranking.reaching(index, asked, fusion.Mean.linear({"text": 1.0}), best.scan, threshold)
        assert found == np.count_nonzero(scores >= threshold)
