"""The engine that many machines share: Qdrant, which proposes pictures.

Nobody trusts it. What it proposes is read from the database, left out where it may not be found (any more),
and scored there as ever (`search.engines.scoring`): behind or wrong, it hides a picture, and shows no other.
One request brings the best by the fused score: see `qdrant_terms.Levels`.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from django.utils.translation import gettext as _
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from gallery import extractor_switch
from gallery.extraction.base import Description
from search import good_matches, index_rows, sorting
from search.engines import feeding
from search.engines import qdrant_terms as terms
from search.engines.base import Engine, Look, Piece, Place, Question, Wanted, Within
from search.engines.explanation import Explained
from search.engines.qdrant_points import Points
from search.engines.qdrant_terms import Bonus, Condition, Levels
from search.engines.scoring import Scoring
from search.errors import EngineAwayError
from search.evidence import Frequencies, rarity
from search.index.fusion import FUSIONS, NAMED_COLOR, NAMED_TAG, Mean
from search.index.index import Index
from search.index.words import fold
from search.query.errors import QueryError

SECONDS = 10  # that a request may take
MORE = 20  # rows asked for before and behind a page, for its scores are rounded and ties in any order
MOST_GOOD = 1000  # good matches that are told by likeness
AT_ONCE = 200  # points in one request
MOST_STEPS = 64  # requests that a search by tags alone may take, one for each sum of their weights
MOST_ADDED = 50_000  # pictures whose tags' weights are added up here, where there are more sums than that
BESIDE = 20  # pictures looked at for the one before or behind: the nearest may not be seen any more

ORDERS = {  # of query.ORDERS: the payload's key, and whether the largest come first
    "newest": ("moments", True),
    "oldest": ("moments", False),
    "size": ("sides", True),
    "added": ("added", True),
}


# Of search.listing.ORDERS.
LISTED = {"id": "ids", "taken": "moments", "added": "added", "size": "sides"}


class QdrantLook(Look):
    """A look at a collection. Each thing is asked for when it is needed, and once."""

    def __init__(self, points: Points, question: Question) -> None:
        self._points, self._question = points, question
        self._found = terms.within(question.within)
        self._seen = terms.visible(question.within.scope)

    def best(self, wanted: Wanted) -> list[Explained]:
        good, order = self._good, self._question.query.order
        only_good = wanted.good_only and good is not None
        has_good = only_good and bool(self.reaching())
        among = good if good is not None and has_good else self._found
        if order != "best":
            return self._explained(self._in_order(among, order, wanted.offset, wanted.limit), as_given=True)
        limit = wanted.limit
        if only_good and not has_good:
            limit = min(limit, max(0, good_matches.CLOSEST - wanted.offset))
        before = min(MORE, wanted.offset)
        ids = self._nearest(among, wanted.offset - before, before + limit + MORE) if limit else []
        return self._explained(ids)[before : before + limit]

    def count(self) -> int:
        return self._count

    def reaching(self) -> int | None:
        return self._number_of_good

    def known_tags(self, tag_ids: Iterable[int]) -> dict[int, int]:
        counts = {
            pk: self._points.count(terms.all_of(self._seen, terms.any_of("tags", [pk]))) for pk in tag_ids
        }
        return {pk: number for pk, number in counts.items() if number}

    def is_written(self, word: str) -> bool:
        wanted = self._question.resolved.words.written
        counts = zip(wanted, self._frequencies.words, strict=True)
        return any(number for own, number in counts if own.forms[0] == fold(word))

    @cached_property
    def _count(self) -> int:
        return self._points.count(self._found)

    @cached_property
    def _number_of_good(self) -> int | None:
        return None if self._good is None else self._points.count(self._good)

    @cached_property
    def _frequencies(self) -> Frequencies:
        scope, wanted = self._question.within.scope, self._question.resolved.words.written
        counts = [self._points.count(terms.all_of(self._seen, terms.written(own, scope))) for own in wanted]
        return Frequencies(self._points.count(self._seen), counts)

    @cached_property
    def _good(self) -> models.Filter | None:
        """Say what a good match is; None where that cannot be told. As search.good_matches."""
        query, resolved = self._question.query, self._question.resolved
        if not (query.texts or query.tags or resolved.wanted):
            return None
        must: list[Condition] = [self._found]
        if query.texts:
            by_words = self._shown_or_written()
            if by_words is None:
                return None
            must.append(by_words)
        must += [terms.any_of("tags", [resolved.tag_ids.get(name, 0)]) for name in query.tags]
        good = models.Filter(must=must)
        if not (resolved.wanted or resolved.unwanted):
            return good
        least = resolved.near_picture
        if least is None:
            return None if resolved.wanted else good
        # Of each example: those of several need not be the nearest to all of them.
        near = [set(self._points.nearest(own.vector, good, MOST_GOOD, least)) for own in resolved.wanted]
        wanted = [models.HasIdCondition(has_id=sorted(set().union(*near)))] if near else []
        far = [set(self._points.nearest(own.vector, good, MOST_GOOD, least)) for own in resolved.unwanted]
        unwanted: list[Condition] | None = None
        if far:
            unwanted = [models.HasIdCondition(has_id=sorted(set().union(*far)))]
        return models.Filter(must=[good, *wanted], must_not=unwanted)

    def _shown_or_written(self) -> Condition | None:
        words = self._question.resolved.words
        shown = [own for own in map(terms.shown, words.meanings) if own is not None]
        every_word = terms.every_word(self._question)
        if shown and len(shown) == len(words.meanings):
            return terms.one_of(*shown, every_word)
        if words.scale is None:
            return None
        likely: set[int] = set()
        for vector, _weight in words.wanted:
            near = self._points.with_log_sums(vector, self._found, MOST_GOOD)
            least = np.log(good_matches.LEAST_PROBABILITY)
            likely |= {pk for pk, dot, log_sum in near if words.scale * dot - log_sum >= least}
        return terms.one_of(models.HasIdCondition(has_id=sorted(likely)), every_word)

    def _bonuses(self) -> list[Bonus]:
        """Return what raises a score besides the likeness: tags, and what `best` adds."""
        resolved, share = self._question.resolved, self._question.resolved.share
        asked, words = resolved.asked, resolved.words
        found = [
            Bonus(terms.any_of("tags", [pk]), weight / asked.tag_total * share["tags"])
            for pk, weight in asked.tags.items()
        ]
        if not asked.has_words:
            return found
        total = sum(own.weight for own in words.meanings)
        for own in words.meanings:
            part = share["text"] * own.weight / total
            if own.tags and not resolved.unwanted:
                found.append(Bonus(terms.any_of("tags", list(own.tags)), NAMED_TAG * part))
            found += [Bonus(terms.colored(color), NAMED_COLOR * part) for color in own.colors]
        numbers = self._frequencies
        weights = rarity(numbers.pictures, numbers.words, [own.weight for own in words.written])
        written = zip(words.written, weights, numbers.words, strict=True)
        scope = self._question.within.scope
        return found + [
            Bonus(terms.written(own, scope), weight * share["words"])
            for own, weight, number in written
            if number
        ]

    def _nearest(self, among: models.Filter, offset: int, limit: int) -> list[int]:
        """Return the numbers of the best, in an order that is right but for rounding and ties."""
        asked, share = self._question.resolved.asked, self._question.resolved.share
        vector = np.sum([own * share[name] for name, own in asked.vectors.items()], axis=0)
        bonuses = self._bonuses()
        if not asked.vectors or not np.linalg.norm(vector):
            levels = Levels(bonuses, MOST_STEPS)
            if levels.is_whole:
                return self._by_levels(among, levels, offset, limit)
            return self._by_adding(among, levels.bonuses, offset, limit)
        return self._points.fused(vector, among, bonuses, offset, limit)

    def _by_levels(self, among: models.Filter, levels: Levels, offset: int, limit: int) -> list[int]:
        """Return the numbers of those with most of the bonuses, of equals the newest first."""
        by_total: dict[float, list[Condition]] = {}
        for level in levels.all:
            by_total.setdefault(round(level.total, 9), []).append(levels.exactly(level))
        ids: list[int] = []
        for same in by_total.values():
            own = terms.all_of(among, terms.one_of(*same))
            wanted = offset + limit - len(ids)
            ids += self._points.in_order("ids", True, own, wanted) if wanted else []
        return ids[offset:]

    def _by_adding(self, among: models.Filter, bonuses: list[Bonus], offset: int, limit: int) -> list[int]:
        """Do the same for bonuses of many different amounts: what each picture has is added up here."""
        having = terms.one_of(*(bonus.holds for bonus in bonuses))
        if self._points.count(terms.all_of(among, having)) > MOST_ADDED:
            text = _(
                "These tags have too many different weights: only up to %(most)s pictures can be sorted so."
            )
            raise QueryError("tags", text % {"most": MOST_ADDED})
        totals: dict[int, float] = defaultdict(float)
        for bonus in bonuses:
            for pk in self._points.in_order("ids", True, terms.all_of(among, bonus.holds), MOST_ADDED):
                totals[pk] += bonus.amount
        ids = sorted(totals, key=lambda pk: (-round(totals[pk], 9), -pk))
        without = models.Filter(must=[among], must_not=[having])
        return [*ids, *self._points.in_order("ids", True, without, offset + limit - len(ids))][
            offset : offset + limit
        ]

    def _in_order(self, among: models.Filter, order: str, offset: int, limit: int) -> list[int]:
        if order == "name":
            sorting.refuse_many(self._points.count(among))
            every = np.array(self._points.in_order("ids", False, among, sorting.MOST_NAMED), np.int64)
            named: list[int] = every[sorting.by_name(every)][offset : offset + limit].tolist()
            return named
        key, is_descending = ORDERS[order]
        return self._points.in_order(key, is_descending, among, offset + limit)[offset:]

    def _explained(self, ids: list[int], as_given: bool = False) -> list[Explained]:
        """Score these pictures by what the database says of them; what may not be found is left out."""
        index = _read(self._question.resolved.extractor, ids)
        mask = self._question.within.rows(index)
        has_words = self._question.resolved.asked.has_words
        scoring = Scoring(index, self._question, self._frequencies if has_words else None)
        if not as_given:
            return scoring.explain(scoring.rank(mask, index.size))
        row_of = dict(zip(index.column("ids").tolist(), range(index.size), strict=True))
        places = np.array([row_of[pk] for pk in ids if pk in row_of], np.int64)
        return scoring.explain(scoring.in_order(places[mask[places]]))


def _read(extractor: Description, ids: list[int]) -> Index:
    """Make an index of what the database says of these pictures."""
    index = Index(extractor.dim)
    for rows in index_rows.images(extractor.key, extractor.dim, ids):
        index.append(rows)
    return index


def _still(within: Within, ids: list[int]) -> list[int]:
    """Leave out the pictures that may not be found any more."""
    index = _read(extractor_switch.current(), ids)
    kept = set(index.column("ids")[within.rows(index)].tolist())
    return [pk for pk in ids if pk in kept]


class QdrantEngine(Engine, feeding.Fed):
    """A Qdrant server or cluster."""

    def __init__(self, client: QdrantClient, name: str) -> None:
        self.client, self._name = client, name

    @classmethod
    def at(cls, address: str) -> "QdrantEngine":
        """Speak to the server at qdrant://KEY@HOST:PORT/NAME; '?https=off' for one in one's own network."""
        parts = urlsplit(address)
        scheme = "http" if parse_qs(parts.query).get("https", ["on"])[-1] == "off" else "https"
        client = QdrantClient(
            url=f"{scheme}://{parts.hostname}:{parts.port or 6333}",
            api_key=unquote(parts.username) if parts.username else None,
            timeout=SECONDS,
            check_compatibility=False,  # it would ask before anybody else does
        )
        return cls(client, parts.path[1:])

    @contextmanager
    def look(self, question: Question) -> Iterator[Look]:
        if not isinstance(FUSIONS[question.query.fusion], Mean):
            raise QueryError("fusion", _("This site's engine can do 'best' and 'mean' alone."))
        points = self.ready_points(question.resolved.extractor)
        with self._reached():
            yield QdrantLook(points, question)

    def ready_points(self, extractor: Description) -> Points:
        """Return the points of an extractor; NotReadyError while not all pictures have been told of."""
        feeding.refuse_unready(extractor)
        return self.points(extractor)

    def points(self, extractor: Description) -> Points:
        """Return the points of an extractor."""
        return Points(self.client, self._collection(extractor.key))

    def _collection(self, extractor: str) -> str:
        return f"{self._name}-{re.sub(r'[^A-Za-z0-9_-]', '-', extractor)}"

    def apply(self, extractor: Description, changed: Sequence[int]) -> None:
        points = self.points(extractor)
        with self._reached():
            for start in range(0, len(changed), AT_ONCE):
                some = changed[start : start + AT_ONCE]
                found = [
                    point
                    for rows in index_rows.images(extractor.key, extractor.dim, some)
                    for point in terms.points(rows)
                ]
                points.put(found, sorted({*some} - {int(own.id) for own in found}))

    def fill(self, extractor: Description, after: int) -> int | None:
        points = self.points(extractor)
        with self._reached():
            if not after:
                points.make(extractor.dim)
            for rows in index_rows.every_image(extractor.key, extractor.dim, after):
                found = terms.points(rows)
                for start in range(0, len(found), AT_ONCE):
                    points.put(found[start : start + AT_ONCE], [])
                return int(rows.columns["ids"][-1])
        return None

    def drop_gone(self, extractor: Description) -> None:
        points = self.points(extractor)
        with self._reached():
            for some in points.ids():
                there = index_rows.searchable(extractor.key, extractor.dim, some)
                points.put([], sorted({*some} - there))

    def rebuild(self, extractor: Description) -> int:
        feeding.Feeder(self).rebuild(extractor)
        return len(self.ids(extractor))

    def ids(self, extractor: Description) -> set[int]:
        points = self.ready_points(extractor)
        with self._reached():
            return {pk for some in points.ids() for pk in some}

    def check(self) -> None:
        if not self.has_points(extractor_switch.current()) and feeding.is_whole(extractor_switch.current()):
            raise EngineAwayError("it lost its pictures, and is told of them again")

    def has_points(self, extractor: Description) -> bool:
        with self._reached():
            return self.client.collection_exists(self._collection(extractor.key))

    def lag(self) -> int | None:
        return feeding.lag(extractor_switch.current())

    def keep_up(self, stop: threading.Event) -> None:
        from search.index import kernels

        kernels.prepare()
        feeding.Feeder(self).keep_up(stop)

    def piece(self, within: Within, order: str, after: Place | None, limit: int) -> Piece:
        points, key = self.ready_points(extractor_switch.current()), LISTED[order.strip("-")]
        descending, among = order.startswith("-"), terms.within(within)
        with self._reached():
            places = (
                points.behind(key, descending, among, after, limit + 1)
                if after
                else points.places(key, descending, among, limit + 1, newest_first=descending)
            )
            following = places[limit - 1] if len(places) > limit else None
            ids = _still(within, [pk for _key, pk in places[:limit]])
            return Piece(ids, following, points.count(among))

    def beside(self, within: Within, order: str, pk: int) -> tuple[int | None, int | None]:
        points, key = self.ready_points(extractor_switch.current()), LISTED[order.strip("-")]
        descending, among = order.startswith("-"), terms.within(within)
        with self._reached():
            own = terms.all_of(among, models.HasIdCondition(has_id=[pk]))
            value = points.value(key, pk) if points.count(own) else None
            if value is None:
                return None, None
            before = points.behind(key, not descending, among, (value, pk), BESIDE)
            after = points.behind(key, descending, among, (value, pk), BESIDE)
        previous, following = (_still(within, [own for _key, own in places]) for places in (before, after))
        return next(iter(previous), None), next(iter(following), None)

    def tidy_up(self, wanted: Sequence[Description]) -> str:
        with self._reached():
            for key in feeding.others({own.key for own in wanted}):
                self.client.delete_collection(self._collection(key))
                feeding.forget(key)
        return "written: nothing, another service has the index"

    def forget(self) -> None:
        """Do nothing: this process holds nothing."""

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (ApiException, QdrantException, OSError) as error:
            raise EngineAwayError(str(error)[:300]) from error
