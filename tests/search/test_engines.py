"""One suite for every engine: what the embedded one finds Qdrant finds, with the same scores and reasons."""

from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException
from qdrant_client.models import Filter, PointStruct

from gallery import access, change_log, extractor_switch, trash
from gallery.models import Album, AlbumImage, AlbumMember, Favourite, Image, ImageTag, Tag
from search import browsing, engine, engines, listing, suggestions
from search.engines import feeding, qdrant_points
from search.engines.embedded import EmbeddedEngine
from search.engines.feeding import Feeder
from search.engines.qdrant import QdrantEngine, QdrantLook
from search.engines.qdrant_points import Points
from search.engines.qdrant_terms import MOST_LISTS, Bonus, Levels, any_of
from search.errors import EngineAwayError, NotReadyError
from search.index_rows import images as rows_of
from search.models import Feed
from search.query.errors import QueryError
from search.query.filters import Filters
from search.query.query import Query
from tests.conftest import one_machine
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


def test_the_feed_tells_what_changed_and_vectors_only_where_they_did(curator, photo, monkeypatch):
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    with pytest.raises(NotReadyError):
        feeding.refuse_unready(extractor)
    qdrant.catch_up(extractor)
    feeding.refuse_unready(extractor)
    assert qdrant.ids(extractor) == set(Image.objects.values_list("pk", flat=True))
    assert feeding.lag(extractor) == 0 or change_log.identity()  # a transaction runs here, on PostgreSQL
    sent = []
    update = qdrant.client.batch_update_points
    monkeypatch.setattr(
        qdrant.client,
        "batch_update_points",
        lambda name, own, **more: (sent.extend(own), update(name, own, **more)),
    )
    cat = photo("chelsea")
    ImageTag.objects.create(image=cat, tag=Tag.objects.create(name="my cat"), source="person")
    qdrant.catch_up(extractor)
    assert {type(own).__name__ for own in sent} == {"OverwritePayloadOperation"}
    sent.clear()
    embedding = cat.embeddings.get()
    embedding.vector = photo("coffee").embeddings.get().vector
    embedding.save()
    trash.move(access.deletable_images(curator).filter(pk=photo("rocket").pk))
    rocket = photo("rocket").pk
    qdrant.catch_up(extractor)
    assert {type(own).__name__ for own in sent} >= {"UpsertOperation", "DeleteOperation"}
    assert qdrant.ids(extractor) == set(Image.objects.exclude(pk=rocket).values_list("pk", flat=True))


def test_a_fill_goes_on_where_it_ended_and_drops_what_is_gone(curator, photo, monkeypatch):
    monkeypatch.setattr("search.index_rows.CHUNK", 5)
    qdrant, extractor = QdrantEngine(QdrantClient(":memory:"), "test"), extractor_switch.current()
    first = Feeder(qdrant)
    assert first.step(extractor)
    assert first.step(extractor)
    filled = Feed.objects.get(extractor=extractor.key).filled_to
    assert sum(map(len, qdrant.points(extractor).ids())) == 10
    with pytest.raises(NotReadyError) as caught:
        feeding.refuse_unready(extractor)
    assert caught.value.percent == 100 * 10 // 21
    second = Feeder(qdrant)
    assert not second.step(extractor), "the first one has the feed"
    Feed.objects.update(held_until=datetime(2020, 1, 1, tzinfo=UTC))  # it died
    gone = Image.objects.filter(pk__lte=filled).first()
    trash.move(access.deletable_images(curator).filter(pk=gone.pk))
    while second.step(extractor):
        pass
    assert qdrant.ids(extractor) == set(Image.objects.exclude(pk=gone.pk).values_list("pk", flat=True))
    assert not first.step(extractor)


@one_machine
def test_who_was_too_slow_has_it_told_again(curator, photo):
    """A process that lost the feed may have written late what it read early."""
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    slow, began = qdrant._feeder, Feed.objects.get().position
    ImageTag.objects.create(image=photo("chelsea"), tag=Tag.objects.create(name="my cat"), source="person")

    class Slow:
        def apply(self, extractor, changed):
            Feed.objects.update(holder="another", position=began + 100)  # which went on

    slow._service = Slow()
    slow.step(extractor)
    assert Feed.objects.get().position == began


def test_what_could_not_be_told_is_told_later(curator, photo):
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    mug = Tag.objects.create(name="my mug")
    ImageTag.objects.create(image=photo("coffee"), tag=mug, source="person")
    feeder = qdrant._feeder

    class Away:
        def apply(self, extractor, changed):
            raise EngineAwayError("connection refused")

    feeder._service = Away()
    with pytest.raises(EngineAwayError):
        feeder.step(extractor)
    feeder._service = qdrant
    qdrant.catch_up(extractor)
    assert qdrant.points(extractor).count(Filter(must=[any_of("tags", [mug.pk])])) == 1


def test_another_servers_positions_mean_nothing(curator):
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    qdrant.points(extractor).put([], [min(qdrant.ids(extractor))])
    Feed.objects.update(log="of another server", position=2**40)
    qdrant.catch_up(extractor)
    assert len(qdrant.ids(extractor)) == Image.objects.count()
    assert Feed.objects.get().position < 2**40


def test_what_is_not_searched_any_more_goes_and_nothing_of_others(curator):
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    for name in (qdrant._collection("old/1"), f"{qdrant._name}-of-another-site-lite-2"):
        Points(qdrant.client, name).make(4)
    Feed.objects.create(extractor="old/1", position=0)
    qdrant.tidy_up([extractor])
    left = {own.name for own in qdrant.client.get_collections().collections}
    assert left == {qdrant._collection(extractor.key), f"{qdrant._name}-of-another-site-lite-2"}
    assert Feed.objects.get().extractor == extractor.key


def test_a_rebuild_takes_the_feed_and_gives_it_back(curator):
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    points = qdrant.points(extractor)
    points.put([], [min(qdrant.ids(extractor))])
    assert QdrantEngine(qdrant.client, "test").rebuild(extractor) == Image.objects.count()
    assert Feed.objects.get().holder == ""


def test_a_service_that_is_away_is_a_503_with_a_sentence(page, api, monkeypatch, settings, library):
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
    {0: 0.3, 1: 0.1, 2: 0.1, 3: 0.1, 4: 0.05},
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
    assert Levels(bonuses).is_whole
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
