"""Qdrant Edge, the server's own shard in this process, under the calls of the client that a search makes.

For measuring with a hundred thousand pictures, for which the client's local mode is too slow: no Qdrant
server can be installed here. Both say the same things in classes of their own.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import qdrant_edge as edge
from qdrant_client import models

from search.engines.qdrant_terms import INDEXES


class EdgeClient:
    """One collection in a folder. Its name is not looked at."""

    def __init__(self, folder: Path, dim: int) -> None:
        folder.mkdir(parents=True)
        vectors = {"": edge.EdgeVectorParams(size=dim, distance=edge.Distance.Dot)}
        hnsw = edge.HnswIndexConfig(m=16, ef_construct=100, full_scan_threshold=10)
        self.shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=vectors, hnsw_config=hnsw))
        for key, schema in INDEXES.items():
            is_number = schema == "integer"
            kind = edge.PayloadSchemaType.Integer if is_number else edge.PayloadSchemaType.Keyword
            self.shard.update(edge.UpdateOperation.create_field_index(key, kind))

    def upsert(self, points: list[models.PointStruct]) -> None:
        """Write points."""
        own = [edge.Point(point.id, {"": point.vector}, point.payload) for point in points]
        self.shard.update(edge.UpdateOperation.upsert_points(own))

    def count(self, _name: str, count_filter: models.Filter, exact: bool) -> SimpleNamespace:
        found = self.shard.count(edge.CountRequest(exact=exact, filter=in_edge(count_filter)))
        return SimpleNamespace(count=found)

    def query_points(self, _name: str, **asked: Any) -> SimpleNamespace:
        """Answer a nearest or a fused query."""
        query = asked["query"]
        if isinstance(query, models.FormulaQuery):
            query = edge.Formula(expression(query.formula))
        else:
            query = edge.Query.Nearest(query)
        points = self.shard.query(
            edge.QueryRequest(
                limit=asked["limit"],
                offset=asked.get("offset"),
                query=query,
                prefetches=[in_edge(own) for own in asked.get("prefetch") or []],
                filter=in_edge(asked.get("query_filter")),
                score_threshold=asked.get("score_threshold"),
                params=in_edge(asked.get("search_params")),
            )
        )
        return SimpleNamespace(points=points)


def in_edge(own: Any) -> Any:  # noqa: PLR0911 - one for each class
    """Say the client's models in Edge's classes."""
    match own:
        case models.Filter():
            several = {name: _listed(getattr(own, name)) for name in ("must", "should", "must_not")}
            return edge.Filter(**several, min_should=in_edge(own.min_should))
        case models.FieldCondition():
            return edge.FieldCondition(own.key, match=in_edge(own.match), range=in_edge(own.range))
        case models.MatchValue():
            return edge.MatchValue(own.value)
        case models.MatchAny():
            return edge.MatchAny(own.any)
        case models.Range():
            return edge.RangeFloat(gte=own.gte, gt=own.gt, lte=own.lte, lt=own.lt)
        case models.HasIdCondition():
            return edge.HasIdCondition(set(own.has_id))
        case models.MinShould():
            return edge.MinShould([in_edge(one) for one in own.conditions], own.min_count)
        case models.SearchParams():
            return edge.SearchParams(hnsw_ef=own.hnsw_ef, exact=bool(own.exact))
        case models.Prefetch():
            lists = [in_edge(one) for one in own.prefetch or []]
            return edge.Prefetch(
                limit=own.limit,
                query=edge.Query.Nearest(own.query),
                prefetches=lists,
                params=in_edge(own.params),
                filter=in_edge(own.filter),
            )
        case None:
            return None
    raise TypeError(f"{own!r} is not asked in searches")


def _listed(own: Any) -> list[Any] | None:
    if own is None:
        return None
    return [in_edge(one) for one in (own if isinstance(own, list) else [own])]


def expression(own: Any) -> Any:
    """Say a formula in Edge's classes."""
    match own:
        case models.SumExpression():
            return edge.Expression.Sum([expression(one) for one in own.sum])
        case models.MultExpression():
            return edge.Expression.Mult([expression(one) for one in own.mult])
        case str():
            return edge.Expression.Variable(own)
        case int() | float():
            return edge.Expression.Constant(float(own))
    return edge.Expression.Condition(in_edge(own))
