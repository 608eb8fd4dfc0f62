"""search(query, user) -> one page of explained results."""

import time
from dataclasses import dataclass

import numpy as np

from gallery import access, serving
from gallery.extraction import registry
from gallery.models import Album, Embedding, Image, ImageTag, Tag
from search import fusion, pictures
from search.index import Index
from search.models import QueryPicture
from search.query import Query, QueryError
from search.store import store

# Beyond this many results a page is of no use to a person, and sorting them of a cost.
MAX_OFFSET = 100_000
# Leaders beyond those asked for that are scored anew in float64: rounding moves a row by few places.
MARGIN = 64


@dataclass(frozen=True)
class Parts:
    """What each component gave to a result's score; they add up to it."""

    image: float
    text: float
    tags: float
    matched_tags: list[str]


@dataclass(frozen=True)
class Result:
    image: Image
    score: float
    parts: Parts


@dataclass(frozen=True)
class Page:
    """Results from `offset` on, of `count` in all."""

    results: list[Result]
    count: int
    unknown_tags: list[str]
    text_is_cut: bool  # the text is longer than the extractor reads
    took_ms: float


@dataclass(frozen=True)
class Prepared:
    """A query with everything looked up: a vector (float32, (dim,)) for each feature, and all tags by name."""

    vectors: dict[str, np.ndarray]
    tags: set[str]
    share: dict[str, float]
    text_is_cut: bool


def search(query: Query, user, offset: int = 0, limit: int = 50) -> Page:
    """The `limit` best results from `offset` on, among the pictures that `user` may see.

    Raises QueryError when the query names a picture or an album that `user` cannot search by.
    """
    if offset > MAX_OFFSET:
        raise QueryError("offset", f"at most {MAX_OFFSET} results can be skipped.")
    began = time.perf_counter()
    prepared = prepare(query, user)
    tag_ids = dict(Tag.objects.filter(name__in=prepared.tags | set(query.exclude_tags)).values_list("name", "id"))
    allowed = access.scope(user)
    album = _album(query, user)
    with store.open() as index:
        visible = index.visible(allowed.owner_id, allowed.album_ids)
        unknown = _unknown(index, query, tag_ids, visible)
        if album is not None:
            visible &= index.in_album(album.pk)
        for name in query.exclude_tags:
            visible[index.tags.rows(tag_ids.get(name, 0))] = False
        components = component_scores(index, prepared, tag_ids)
        if components.keys() == {"tags"}:
            visible &= components["tags"] > 0  # asked by tags alone, a picture with none of them is no answer
        parts_of = fusion.FUSIONS[query.fusion](components, prepared.share, visible)
        scores = fusion.total(parts_of(components), index.size)
        candidates = np.flatnonzero(visible)
        rows = fusion.leaders(scores, index.ids, candidates, offset + limit + MARGIN)
        parts = parts_of(exact_scores(index, rows, prepared, components))
        order = fusion.leaders(fusion.total(parts, len(rows)), index.ids[rows], np.arange(len(rows)), offset + limit)
        found = explain(index, rows, order[offset:], parts, prepared.tags, tag_ids)
    images = Image.objects.select_related("owner").in_bulk([pk for pk, *_ in found])
    results = [Result(images[pk], total, parts) for pk, total, parts in found if pk in images]
    return Page(results, len(candidates), unknown, prepared.text_is_cut, (time.perf_counter() - began) * 1000)


def similar(image: Image, user, limit: int = 12) -> list[Result]:
    """The pictures most like `image`, which is not among them; none while it is not READY."""
    if image.status != Image.Status.READY:
        return []
    try:
        page = search(Query(image_ids=(image.pk,)), user, limit=limit + 1)
    except QueryError:  # its embedding is of another extractor and not made anew yet
        return []
    return [result for result in page.results if result.image.pk != image.pk][:limit]


def prepare(query: Query, user) -> Prepared:
    """Look up and embed what the query names. Wanted pictures bring their tags along, as in the original."""
    extractor = serving.current()
    gallery = _gallery_pictures(query, user, extractor.key)
    wanted = [gallery[pk] for pk in query.image_ids] + _uploaded_pictures(query, extractor.key)
    unwanted = [gallery[pk] for pk in query.exclude_image_ids]
    tags = set(query.tags).union(*(picture_tags for _, picture_tags in wanted))
    texts = [text for text in (query.text, query.exclude_text) if text]
    model = registry.load(extractor) if texts else None
    embedded = dict(zip(texts, model.embed_texts(texts), strict=True)) if model else {}
    vectors = {
        "image": fusion.query_vector([vector for vector, _ in wanted], [vector for vector, _ in unwanted]),
        "text": fusion.query_vector(
            *([embedded[text]] if text else [] for text in (query.text, query.exclude_text)),
        ),
    }
    vectors = {name: vector for name, vector in vectors.items() if vector is not None}
    try:
        share = fusion.shares([*vectors, *(["tags"] if tags else [])], query.weights)
    except ValueError as error:
        raise QueryError("weights", f"{error}.") from error
    return Prepared(vectors, tags, share, any(model.is_cut(text) for text in texts))


def component_scores(index: Index, prepared: Prepared, tag_ids: dict[str, int]) -> dict[str, np.ndarray]:
    """float32 (index.size,) for each component that is asked for; none when the query only leaves pictures out."""
    scores = {}
    if prepared.vectors:
        scores = dict(zip(prepared.vectors, index.dots(np.stack([*prepared.vectors.values()])), strict=True))
    if prepared.tags:
        matches = index.tag_matches(tag_ids[name] for name in prepared.tags if name in tag_ids)
        scores["tags"] = matches / np.float32(len(prepared.tags))
    return scores


def exact_scores(
    index: Index, rows: np.ndarray, prepared: Prepared, components: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The component scores of these rows (len(rows),), the features' in float64."""
    exact = {name: scores[rows] for name, scores in components.items()}
    if prepared.vectors:
        exact |= zip(prepared.vectors, index.exact_dots(np.stack([*prepared.vectors.values()]), rows), strict=True)
    return exact


def explain(
    index: Index, rows: np.ndarray, order: np.ndarray, parts: fusion.Scores, tags: set[str], tag_ids: dict[str, int]
) -> list[tuple[int, float, Parts]]:
    """(image id, score, parts) of the rows in this order; `parts` and `order` count as `rows` does."""
    scores = fusion.total(parts, len(rows))[order]
    rows = rows[order]
    matched = [[] for _ in rows]
    for name in sorted(tags & tag_ids.keys()):
        for i in np.flatnonzero(index.carries(tag_ids[name], rows)):
            matched[i].append(name)
    given = {name: parts[name][order] if name in parts else np.zeros(len(rows)) for name in fusion.COMPONENTS}
    return [
        (
            int(index.ids[row]),
            float(scores[i]),
            Parts(**{name: float(values[i]) for name, values in given.items()}, matched_tags=matched[i]),
        )
        for i, row in enumerate(rows)
    ]


def _gallery_pictures(query: Query, user, key: str) -> dict[int, tuple[np.ndarray, list[str]]]:
    """(vector, tags) of each gallery picture that the query names, wanted or not, by id."""
    asked = dict.fromkeys(query.image_ids, "image") | dict.fromkeys(query.exclude_image_ids, "exclude_image")
    if not asked:
        return {}
    visible = set(access.visible_images(user).filter(pk__in=asked).values_list("pk", flat=True))
    vectors = {e.image_id: e.as_array() for e in Embedding.objects.filter(image__in=visible, extractor=key)}
    tags: dict[int, list[str]] = {pk: [] for pk in visible}
    for pk, name in ImageTag.objects.shown(key).filter(image__in=visible).values_list("image_id", "tag__name"):
        tags[pk].append(name)
    for pk, field in asked.items():
        if pk not in visible:
            raise QueryError(field, f"there is no picture {pk}.")
        if pk not in vectors:
            raise QueryError(field, f"picture {pk} has not been read yet; it can be searched by in a moment.")
    return {pk: (vectors[pk], tags[pk]) for pk in asked}


def _uploaded_pictures(query: Query, key: str) -> list[tuple[np.ndarray, list[str]]]:
    """(vector, tags) of each uploaded query picture that the query names."""
    if not query.picture_keys:
        return []
    found = {p.key: p for p in QueryPicture.objects.alive().filter(key__in=query.picture_keys, extractor=key)}
    if len(found) < len(query.picture_keys):
        raise QueryError("picture", "this uploaded picture is not kept any more (a day is); upload it again.")
    return [(pictures.vector_of(found[k]), list(found[k].tags)) for k in query.picture_keys]


def _album(query: Query, user) -> Album | None:
    if query.album is None:
        return None
    album = access.visible_albums(user).filter(pk=query.album).first()
    if album is None:
        raise QueryError("album", f"there is no album {query.album}.")
    return album


def _unknown(index: Index, query: Query, tag_ids: dict[str, int], visible: np.ndarray) -> list[str]:
    """The tags asked for that no visible picture carries: to this person they are unknown."""
    return [
        name
        for name in (*query.tags, *query.exclude_tags)
        if name not in tag_ids or not visible[index.tags.rows(tag_ids[name])].any()
    ]
