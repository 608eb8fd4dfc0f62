"""Telling a search service what changed: nothing is left out, whoever dies, is slow or loses everything."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from qdrant_client import QdrantClient
from qdrant_client.models import Filter

from gallery import access, change_log, extractor_switch, trash
from gallery.models import Image, ImageTag, Tag
from search.engines import feeding, qdrant_terms
from search.engines.feeding import Feeder
from search.engines.qdrant import QdrantEngine
from search.engines.qdrant_points import Points
from search.engines.qdrant_terms import any_of
from search.errors import EngineAwayError, NotReadyError
from search.models import Feed
from tests.conftest import one_machine
from tests.engines import PromptEngine

pytestmark = [pytest.mark.django_db, pytest.mark.many]


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


def test_the_next_process_has_the_feed_at_once_when_one_stops(curator, monkeypatch):
    """A killed one's lease runs out first; one that was stopped waits for nothing."""
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    monkeypatch.setattr(feeding, "close_old_connections", lambda: None)  # it ends in a thread of its own
    first, second, stop = qdrant._feeder, Feeder(qdrant), threading.Event()
    first.step(extractor)
    assert Feed.objects.get().holder == first._name
    second.step(extractor)
    assert Feed.objects.get().holder == first._name, "it has the feed"
    stop.set()
    first.keep_up(stop)
    second.step(extractor)
    assert Feed.objects.get().holder == second._name


def test_a_lease_goes_by_the_clock_of_the_database(curator, monkeypatch):
    """A machine whose clock is an hour ahead does not take the feed from another."""
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    first, ahead = qdrant._feeder, Feeder(qdrant)
    first.step(extractor)
    later = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    ahead.step(extractor)
    assert Feed.objects.get().holder == first._name


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


def tag(photo, name="my cat"):
    ImageTag.objects.create(image=photo, tag=Tag.objects.create(name=name), source="person")


@one_machine
def test_who_was_set_back_goes_on_from_there(curator, photo):
    """One that lost the feed may write late while another one, which has it, is in the middle of a step."""
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    began = Feed.objects.get().position
    tag(photo("chelsea"))

    class Late:
        def apply(self, extractor, changed):
            Feed.objects.update(position=began - 1)

        def has_points(self, extractor):
            return True

    qdrant._feeder._service = Late()
    qdrant._feeder.step(extractor)
    assert Feed.objects.get().position == began - 1


@one_machine
def test_a_long_step_keeps_the_feed(curator, photo, monkeypatch):
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    kept = []
    monkeypatch.setattr(feeding, "LEASE", timedelta(seconds=0.3))
    monkeypatch.setattr(Feeder, "_renew", lambda self, extractor: kept.append(extractor), raising=False)

    class Slow:
        def apply(self, extractor, changed):
            time.sleep(0.5)

        def has_points(self, extractor):
            return True

    tag(photo("chelsea"))
    qdrant._feeder._service = Slow()
    qdrant._feeder.step(extractor)
    assert kept
    assert set(kept) == {extractor.key}


def test_a_service_that_lost_everything_is_told_again(curator, photo, monkeypatch):
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    qdrant.client.delete_collection(qdrant._collection(extractor.key))
    with pytest.raises(EngineAwayError, match="lost"):
        qdrant.check()
    monkeypatch.setattr(feeding.time, "monotonic", lambda: float("inf"))  # a minute later
    qdrant._feeder.step(extractor)
    with pytest.raises(NotReadyError):
        feeding.refuse_unready(extractor)
    qdrant.catch_up(extractor)
    qdrant.check()
    assert qdrant.ids(extractor) == set(Image.objects.values_list("pk", flat=True))


def test_a_service_that_lost_everything_while_it_was_filled_is_told_again(curator, monkeypatch):
    monkeypatch.setattr("search.index_rows.CHUNK", 5)
    qdrant, extractor = QdrantEngine(QdrantClient(":memory:"), "test"), extractor_switch.current()
    feeder = Feeder(qdrant)
    feeder.step(extractor)
    qdrant.client.delete_collection(qdrant._collection(extractor.key))
    while feeder.step(extractor):
        pass
    assert qdrant.ids(extractor) == set(Image.objects.values_list("pk", flat=True))


def test_what_filters_need_is_made_though_it_was_cut_off(curator):
    qdrant, extractor, made = PromptEngine(), extractor_switch.current(), []
    broken = [None, None, ConnectionError("cut off")]

    def make(collection, key, schema):
        error = broken.pop(0) if broken else None
        if error:
            raise error
        made.append(key)

    qdrant.client.create_payload_index = make
    with pytest.raises(EngineAwayError):
        qdrant.catch_up(extractor)
    qdrant.catch_up(extractor)
    assert set(made) == set(qdrant_terms.INDEXES)


def test_a_rebuild_that_lost_the_feed_says_so(curator):
    qdrant, extractor = PromptEngine(), extractor_switch.current()
    qdrant.catch_up(extractor)
    other = QdrantEngine(qdrant.client, "test")
    fill = other.fill

    def lose(extractor, after):
        Feed.objects.update(holder="another", held_until=datetime(2100, 1, 1, tzinfo=UTC))
        return fill(extractor, after)

    other.fill = lose
    with pytest.raises(EngineAwayError, match="another process"):
        other.rebuild(extractor)
