"""One suite for every engine: what the embedded one finds Qdrant finds, with the same scores and reasons."""

from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException
from qdrant_client.models import Filter, PointStruct

from gallery import access, extractor_switch, trash
from gallery.models import Album, AlbumImage, AlbumMember, Favourite, Image, ImageTag, Tag
from search import browsing, engine, engines, listing, suggestions
from search.engines import qdrant_points
from search.engines.embedded import EmbeddedEngine
from search.engines.qdrant import QdrantLook
from search.engines.qdrant_points import Points
from search.engines.qdrant_terms import MOST_LISTS, Bonus, Levels, any_of
from search.errors import EngineAwayError
from search.index_rows import images as rows_of
from search.query.errors import QueryError
from search.query.filters import Filters
from search.query.query import Query
from tests.engines import PromptEngine

pytestmark = [pytest.mark.django_db, pytest.mark.many]


@pytest.fixture
def ask_both(monkeypatch, settings):
    """Ask the embedded engine, and Qdrant, one after the other: both answers."""
    qdrant = PromptEngine()

    monkeypatch.setattr("search.engines.qdrant.MORE", 1)  # so that few of these few pictures are proposed

    def ask(what):
        answers = []
        for own, address in ((EmbeddedEngine(), ""), (qdrant, "qdrant://host/test")):
            settings.SEARCH_URL = address
            monkeypatch.setattr(engines, "_engine_at", lambda _address, own=own: own)
            answers.append(what())
        return answers

    ask.qdrant = qdrant
    return ask


def told(page):
    """Everything that a page of results says, scores to 9 digits."""
    results = [
        (
            own.image.filename,
            round(own.score, 9),
            [round(getattr(own.parts, part), 9) for part in ("image", "text", "tags", "words")],
            own.parts.matched_tags,
            own.parts.matched_words,
            [(one.name, round(one.similarity, 9)) for one in own.parts.pictures],
        )
        for own in page.results
    ]
    return (results, page.count, page.good, page.verdict, page.unknown_words, page.unknown_tags, page.offers)


@pytest.fixture
def library(curator, stranger, photo):
    """An album of the curator's that the stranger is a member of; dates, captions, tags."""
    album = Album.objects.create(owner=curator, title="Beach days")
    for name in ("coffee", "rocket", "chelsea"):
        AlbumImage.objects.create(album=album, image=photo(name))
    AlbumMember.objects.create(album=album, user=stranger, role="viewer")
    for day, name in enumerate(("coffee", "rocket", "chelsea"), 1):
        Image.objects.filter(pk=photo(name).pk).update(
            taken_local=datetime(2024, 5, day, tzinfo=UTC),
            caption=f"Holiday {name}",
            place="Lisbon, Portugal",
        )
    Favourite.objects.create(user=curator, image=photo("rocket"))
    mug = Tag.objects.create(name="my mug")
    for name in ("coffee", "rocket"):
        ImageTag.objects.create(image=photo(name), tag=mug, source="person")
    return album


QUERIES = [
    {"text": "a kitten"},
    {"text": "something blue"},
    {"text": "holiday in lisbon"},
    {"text": "red zzyzx rocket"},
    {"text": "animal", "exclude_text": "a cat"},
    {"text": "hot drink", "tags": ("espresso",)},
    {"tags": ("espresso", "my mug")},
    {"tags": ("my mug", "unicorn")},
    {"tags": ("espresso", "my mug"), "tag_weights": {"espresso": 2.0}},
    {"tags": ("nothing of the kind",)},
    {"text": "drink", "exclude_tags": ("espresso",)},
    {"exclude_tags": ("espresso",)},
    {"phrases": {"a kitten": 2.0, "space launch": 1.0}},
    {"text": "space launch", "weights": {"text": 0, "tags": 1, "image": 1, "words": 1}, "tags": ("my mug",)},
    {"text": "rocket", "fusion": "mean"},
    {"filters": {"album": "beach days"}},
    {"text": "cat", "filters": {"after": "2024-05-02"}},
    {"text": "cat", "filters": {"before": "2024-05-02"}},
    {"filters": {"place": "lisbon"}},
    {"filters": {"name": "coffee"}},
    {"filters": {"color": "brown"}},
    {"filters": {"format": "PNG"}},
    {"filters": {"min_size": 500}},
    {"filters": {"owner": "curator"}},
    {"filters": {"favourite": True}},
    {"filters": {"shared": True}},
    {"filters": {"untagged": True}},
    {"text": "animal", "order": "newest"},
    {"text": "animal", "order": "oldest"},
    {"text": "animal", "order": "name"},
    {"text": "animal", "order": "size"},
    {"text": "animal", "order": "added"},
]


@pytest.mark.parametrize("good_only", [False, True])
@pytest.mark.parametrize("fields", QUERIES, ids=str)
def test_both_find_the_same(ask_both, library, curator, stranger, fields, good_only):
    filters = Filters(**fields.get("filters", {}))
    query = Query(**{**fields, "filters": filters})
    for person in (curator, stranger):
        for offset, limit in ((0, 50), (0, 3), (3, 4)):
            own, other = ask_both(lambda: told(engine.search(query, person, offset, limit, good_only)))  # noqa: B023
            assert other == own


def test_by_pictures_too(ask_both, library, curator, photo):
    coffee, cat, rocket = (photo(name).pk for name in ("coffee", "chelsea", "rocket"))
    for fields in (
        {"image_ids": (coffee,)},
        {"image_ids": (coffee, cat), "exclude_image_ids": (rocket,)},
        {"image_ids": (cat,), "text": "rocket on a launch pad", "tags": ("my mug",)},
        {"exclude_image_ids": (coffee,)},
        {"text": "hot drink", "exclude_image_ids": (coffee,)},
    ):
        for good_only in (False, True):
            own, other = ask_both(lambda: told(engine.search(Query(**fields), curator, 0, 50, good_only)))  # noqa: B023
            assert other == own
    own, other = ask_both(lambda: [result.image.pk for result in engine.similar(photo("coffee"), curator)])
    assert other == own


def test_lists_go_on_where_they_ended(ask_both, library, curator, stranger):
    def everything(person, order, **filters):
        ids, cursor = [], ""
        while True:
            piece = listing.piece(person, Filters(**filters), "", order, cursor, 4)
            ids, cursor = [*ids, *piece.ids], piece.next
            if not cursor:
                assert piece.count == len(ids)
                beside = [listing.around(person, Filters(**filters), "", order, pk) for pk in ids]
                return ids, beside

    for order in listing.ORDERS:
        for person, filters in ((curator, {}), (stranger, {}), (curator, {"after": "2024"})):
            own, other = ask_both(lambda: everything(person, order, **filters))  # noqa: B023
            assert other == own
            assert own[0]


def test_browsing_without_an_index(ask_both, library, curator, stranger):
    def told(person):
        seen = []
        for order in browsing.ORDERS:
            for whose in browsing.WHOSE:
                found = browsing.timeline(person, order, whose)
                ids = found[0 : len(found)]
                seen.append((ids, found[2:5], found.months(), [found.place(pk) for pk in [*ids, 10**9]]))
        latest = [image.pk for image in browsing.latest(person, 5)]
        return seen, latest, browsing.count(person), browsing.tags(person), suggestions.complete("c", person)

    for person in (curator, stranger):
        own, other = ask_both(lambda: told(person))  # noqa: B023
        assert other == own


def test_a_misspelt_tag_is_corrected(ask_both, library, curator):
    own, other = ask_both(lambda: suggestions.corrections(["expresso"], curator))
    assert other == own
    assert own[0].instead == "espresso"


def test_what_the_service_says_is_not_believed(ask_both, library, stranger, curator, photo):
    """It still has what was taken from somebody, as it does for a second or two: nobody sees it."""
    qdrant, extractor = ask_both.qdrant, extractor_switch.current()
    qdrant.catch_up(extractor)
    qdrant.catch_up = lambda extractor: None  # from here on it is behind
    AlbumMember.objects.all().delete()
    trash.move(access.deletable_images(curator).filter(pk=photo("coffee").pk))
    Image.objects.filter(pk=photo("rocket").pk).update(taken_local=datetime(1999, 1, 1, tzinfo=UTC))
    _, found = ask_both(lambda: engine.search(Query(text="coffee"), stranger).results)
    assert found == []
    _, found = ask_both(
        lambda: [own.image.filename for own in engine.search(Query(text="coffee"), curator).results]
    )
    assert found
    assert not any(name.startswith("coffee") for name in found)
    in_may = Query(text="rocket", filters=Filters(after="2024-05"))
    _, found = ask_both(lambda: [own.image.filename for own in engine.search(in_may, curator).results])
    assert not any(name.startswith("rocket") for name in found), "a filter holds by the database"


def test_a_service_that_is_away_is_a_503_with_a_sentence(
    page, api, monkeypatch, settings, library, photo, capsys
):
    class Away(PromptEngine):
        @contextmanager
        def look(self, question):
            with super().look(question) as look:
                self.client.count = self.client.query_points = self.refuse
                yield look

        def refuse(self, *args, **kwargs):
            raise ResponseHandlingException(ConnectionError("connection refused"))

    own = Away()
    settings.SEARCH_URL = "qdrant://host/test"
    monkeypatch.setattr(engines, "_engine_at", lambda _address: own)
    answer = page.get("/?q=cat")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.content.decode()
    answer = api.post("/api/v1/search/", {"text": "cat"}, format="json")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.json()["detail"]
    assert page.get("/images/").status_code == 200, "browsing asks the database"
    picture = photo("coffee").get_absolute_url()
    assert page.get(picture).status_code == 200, "what is like it is left out"
    assert page.get(f"{picture}?in=search&q=cat&at=0").status_code == 200
    own.client.scroll = own.refuse
    call_command("verify")  # its other findings are told
    assert "the search engine is away" in capsys.readouterr().out
    own.client.collection_exists = own.refuse
    said = api.get("/readyz").json()["checks"]["index"]
    assert (said["ok"], said["detail"]) == (False, "connection refused")


def test_fusions_that_need_every_score_are_refused(ask_both, curator, settings):
    ask_both(lambda: None)
    for fusion in ("calibrated", "rrf"):
        with pytest.raises(QueryError, match="engine"):
            engine.search(Query(text="cat", fusion=fusion), curator)


def test_points_hold_what_the_index_does(curator):
    from search.engines.qdrant_terms import INDEXES, points

    extractor = extractor_switch.current()
    [rows] = rows_of(extractor.key, extractor.dim, list(Image.objects.values_list("pk", flat=True)))
    for point in points(rows):
        assert INDEXES.keys() - {"taken"} <= point.payload.keys()


WEIGHTS = [
    dict.fromkeys(range(12), 0.5 / 12),  # the tags that a picture brings: alike
    {0: 0.4, 1: 0.2, 2: 0.1, 3: 0.05},  # all of them different
    {0: 0.3, 1: 0.1, 2: 0.1, 3: 0.1, 4: 0.05, 5: 0.05},
    {},
]


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_one_request_brings_the_best_by_the_fused_score(weights, monkeypatch):
    """As brute force, among 600 pictures of which many are the same, for the first page and a later one."""
    rng = np.random.default_rng(len(weights))
    vectors = rng.standard_normal((60, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[rng.integers(0, 60, 600)]
    tags = [set(rng.choice(14, rng.integers(0, 7), replace=False).tolist()) for _ in range(600)]
    points = Points(QdrantClient(":memory:"), "test")
    points.make(8)
    points.put(
        [
            PointStruct(id=i + 1, vector=vector.tolist(), payload={"ids": i + 1, "tags": sorted(tags[i])})
            for i, vector in enumerate(vectors)
        ],
        [],
    )
    query = rng.standard_normal(8)
    scores = vectors @ query + [sum(weights.get(tag, 0) for tag in own) for own in tags]
    best = np.sort(scores)[::-1]
    bonuses = [Bonus(any_of("tags", [tag]), weight) for tag, weight in weights.items()]
    monkeypatch.setattr(qdrant_points, "MOST_LISTS", 32)
    assert Levels(bonuses, 32).is_whole
    monkeypatch.setattr(qdrant_points, "REACH", 25)  # or it would be all of these few
    for offset in (0, 37):
        ids = points.fused(query, Filter(), bonuses, offset, 25)
        assert np.allclose(scores[np.array(ids) - 1], best[offset : offset + 25], atol=1e-5)


def test_too_many_combinations_leave_out_the_smallest_amounts_first():
    tags = {tag: 0.5**tag for tag in range(8)}
    levels = Levels([Bonus(any_of("tags", [tag]), weight) for tag, weight in tags.items()])
    assert len(levels.all) == MOST_LISTS
    assert not levels.is_whole
    told = {amount for level in levels.all for amount, number in level.counts if number}
    assert told == {0.5**tag for tag in range(4)}
    many = Levels([Bonus(any_of("tags", [tag]), 0.01) for tag in range(50)])
    numbers = [dict(level.counts)[0.01] for level in many.all]
    assert max(numbers) == 50
    assert len(numbers) <= MOST_LISTS
    assert {0, 50} <= set(numbers)


def test_any_number_of_weights_is_worked_out_at_once():
    tags = [Bonus(any_of("tags", [tag]), 1 / (tag + 2)) for tag in range(70)]
    assert len(Levels(tags).all) <= MOST_LISTS


@pytest.mark.parametrize("good_only", [False, True])
@pytest.mark.parametrize("weights", ["alike", "different"])
def test_many_tags_alone_are_compared_whatever_they_weigh(ask_both, curator, photo, weights, good_only):
    names = [f"mine {number}" for number in range(20)]
    rng = np.random.default_rng(1)
    for name in names:
        tag = Tag.objects.create(name=name)
        for pk in rng.choice(Image.objects.values_list("pk", flat=True), 6, replace=False).tolist():
            ImageTag.objects.create(image_id=pk, tag=tag, source="person")
    weight = {name: 1 + place / 7 for place, name in enumerate(names)} if weights == "different" else {}
    query = Query(tags=tuple(names), tag_weights=weight)
    for offset, limit in ((0, 50), (3, 5)):
        own, other = ask_both(lambda: told(engine.search(query, curator, offset, limit, good_only)))  # noqa: B023
        assert other == own


def test_a_service_that_refuses_for_a_while_is_away(curator):
    qdrant = PromptEngine()

    def refuse(*args, **kwargs):
        raise ResourceExhaustedResponse("too many requests", 3)

    qdrant.client.collection_exists = refuse
    with pytest.raises(EngineAwayError):
        qdrant.check()


def test_neighbours_of_a_list_are_those_that_may_be_seen(ask_both, library, stranger, curator, photo):
    qdrant, extractor = ask_both.qdrant, extractor_switch.current()
    qdrant.catch_up(extractor)
    qdrant.catch_up = lambda extractor: None  # from here on it is behind
    first, second, third = sorted(photo(name).pk for name in ("coffee", "rocket", "chelsea"))
    trash.move(access.deletable_images(curator).filter(pk=second))
    own, other = ask_both(lambda: listing.around(stranger, Filters(), "", "id", first))
    assert other == own == (None, third)
    own, other = ask_both(lambda: listing.piece(stranger, Filters(), "", "id", "", 50).ids)
    assert other == own == [first, third]


def test_check_search_compares_with_the_database(curator, library, monkeypatch, settings, capsys):
    settings.SEARCH_URL = "qdrant://host/test"
    own = PromptEngine()
    monkeypatch.setattr(engines, "_engine_at", lambda _address: own)
    monkeypatch.setattr("search.management.commands.check_search.BEST", 5)
    monkeypatch.setattr("search.engines.qdrant.MORE", 0)
    call_command("check_search", queries=8)
    said = capsys.readouterr().out
    assert "curator's pictures" in said
    assert "100.00% on average, 100.00% at worst" in said
    monkeypatch.setattr(QdrantLook, "_bonuses", lambda self: [])  # an engine that forgets tags and words
    with pytest.raises(CommandError, match="99% on average"):
        call_command("check_search", queries=8)
    with pytest.raises(CommandError, match="nobody called"):
        call_command("check_search", user="nobody")
