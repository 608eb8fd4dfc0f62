"""One extractor's points in Qdrant: the requests that searches and the feed make."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models

from search.engines import qdrant_terms as terms
from search.engines.base import Place
from search.engines.qdrant_terms import MOST_LISTS, Bonus, Condition, Levels

REACH = 2000  # candidates of each list: many, for it costs little and makes up for lists that are left out

# Every vector is compared. Qdrant's graph was tried (docs/scale.md): with filters it misses a fifth of the
# best, and takes longer.
EXACT = models.SearchParams(exact=True)


class Points:
    """One extractor's points."""

    def __init__(self, client: QdrantClient, name: str) -> None:
        self._client, self.name = client, name

    def count(self, within: models.Filter) -> int:
        return self._client.count(self.name, count_filter=within, exact=True).count

    def nearest(self, vector: np.ndarray, within: models.Filter, most: int, least: float) -> list[int]:
        """Return the numbers of those that are at least so like."""
        found = self._client.query_points(
            self.name, query=vector.tolist(), query_filter=within, limit=most, score_threshold=least - 1e-6,
            with_payload=False, search_params=EXACT,
        )  # fmt: skip
        return [int(own.id) for own in found.points if own.score >= least]

    def with_log_sums(
        self, vector: np.ndarray, within: models.Filter, most: int
    ) -> list[tuple[int, float, float]]:
        """Return (number, dot product, log_sum) of the nearest that have one."""
        found = self._client.query_points(
            self.name, query=vector.tolist(), query_filter=within, limit=most, with_payload=["log_sums"],
            search_params=EXACT,
        )  # fmt: skip
        return [
            (int(own.id), own.score, own.payload["log_sums"])
            for own in found.points
            if own.payload and "log_sums" in own.payload
        ]

    def fused(
        self, vector: np.ndarray, among: models.Filter, bonuses: list[Bonus], offset: int, limit: int
    ) -> list[int]:
        """Return the numbers of the best by likeness and bonuses together, in one request."""
        reach = max(REACH, offset + limit)

        def few(conditions: list[Condition], number: int) -> bool:
            return self.count(models.Filter(must=[among, terms.having(conditions, number)])) <= reach

        levels = Levels(bonuses, MOST_LISTS, few)
        lists = [
            models.Prefetch(
                query=vector.tolist(),
                limit=reach,
                filter=models.Filter(must=[among, *levels.at_least(level)]),
                params=EXACT,
            )
            for level in levels.all
        ]
        every = models.Prefetch(query=vector.tolist(), limit=reach * len(lists), prefetch=lists, params=EXACT)
        gains = [models.MultExpression(mult=[bonus.amount, bonus.holds]) for bonus in levels.bonuses]
        formula = models.FormulaQuery(formula=models.SumExpression(sum=["$score", *gains]))
        found = self._client.query_points(
            self.name, prefetch=[every], query=formula, limit=limit, offset=offset, with_payload=False
        )
        return [int(own.id) for own in found.points]

    def in_order(
        self, key: str, descending: bool, among: models.Filter, count: int, newest_first: bool = True
    ) -> list[int]:
        """Return the first `count` by what their payload has; of equals the newest first, or last."""
        return [pk for _key, pk in self.places(key, descending, among, count, newest_first)]

    def places(
        self, key: str, descending: bool, among: models.Filter, count: int, newest_first: bool = True
    ) -> list[Place]:
        """Do the same, with what they are ordered by."""
        if count <= 0:
            return []
        direction = models.Direction.DESC if descending else models.Direction.ASC
        found = self._client.query_points(
            self.name, query=models.OrderByQuery(order_by=models.OrderBy(key=key, direction=direction)),
            query_filter=among, limit=count + 1, with_payload=[key],
        ).points  # fmt: skip
        keyed = [(int(own.payload[key]), int(own.id)) for own in found if own.payload]
        tied: list[Place] = []
        if len(keyed) > count and key != "ids":
            last = keyed[-1][0]  # of which there may be more, newer ones
            keyed = [own for own in keyed if own[0] != last]
            same = terms.all_of(among, terms.equals(key, last))
            tied = [(last, pk) for pk in self.in_order("ids", newest_first, same, count - len(keyed))]
        signs = (-1 if descending else 1, -1 if newest_first else 1)
        keyed.sort(key=lambda own: (signs[0] * own[0], signs[1] * own[1]))
        return [*keyed, *tied][:count]

    def value(self, key: str, pk: int) -> int | None:
        """Return what a point's payload has; None where there is no such point."""
        found = self._client.retrieve(self.name, [pk], with_payload=[key])
        return int(found[0].payload[key]) if found and found[0].payload else None

    def behind(
        self, key: str, descending: bool, among: models.Filter, place: Place, count: int
    ) -> list[Place]:
        """Return the first `count` behind a place in an order.

        Of equals those with the higher numbers come last, or first in descending order.
        """
        last, pk = place
        further = models.Range(lt=last) if descending else models.Range(gt=last)
        beyond = models.Range(lt=pk) if descending else models.Range(gt=pk)
        numbers = models.FieldCondition(key="ids", range=beyond)
        equals = terms.all_of(among, terms.equals(key, last), numbers)
        rest = terms.all_of(among, models.FieldCondition(key=key, range=further))
        ids = self.in_order("ids", descending, equals, count) if key != "ids" else []
        found = [(last, own) for own in ids]
        return found + self.places(key, descending, rest, count - len(found), newest_first=descending)

    def put(self, points: Sequence[models.PointStruct], gone: Sequence[int]) -> None:
        """Write points; of those whose vector is there the payload alone. Remove those that are gone."""
        kept = (
            self._client.retrieve(self.name, [own.id for own in points], with_payload=["vector"])
            if points
            else []
        )
        vectors = {own.id: own.payload and own.payload.get("vector") for own in kept}
        operations: list[Any] = []
        fresh = []
        for own in points:
            payload = own.payload or {}
            if own.id not in vectors or vectors[own.id] != payload.get("vector"):
                fresh.append(own)
                continue
            written = models.SetPayload(payload=payload, points=[own.id])
            operations.append(models.OverwritePayloadOperation(overwrite_payload=written))
        if fresh:
            operations.append(models.UpsertOperation(upsert=models.PointsList(points=fresh)))
        if gone:
            operations.append(models.DeleteOperation(delete=models.PointIdsList(points=list(gone))))
        if operations:
            self._client.batch_update_points(self.name, operations, wait=True)

    def ids(self) -> Iterator[list[int]]:
        """Yield the numbers of all points, some at a time."""
        after: Any = None
        while True:
            found, after = self._client.scroll(
                self.name, limit=10_000, offset=after, with_payload=False, with_vectors=False
            )
            yield [int(own.id) for own in found]
            if after is None:
                return

    def make(self, dim: int) -> None:
        """Make it where it is not there yet, with what filters and orders need."""
        if not self._client.collection_exists(self.name):
            self._client.create_collection(
                self.name,
                vectors_config=models.VectorParams(size=dim, distance=models.Distance.DOT),
                hnsw_config=models.HnswConfigDiff(m=0),  # no graph: see docs/scale.md
            )
        # Of one that is there, too: who made it may have died before the last of these.
        for key, schema in terms.INDEXES.items():
            self._client.create_payload_index(self.name, key, schema)
