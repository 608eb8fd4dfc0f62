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
    """A query with everything looked up: its vectors (float32, (dim,)), and its tags by name."""

    image: np.ndarray | None
    text: np.ndarray | None
    text_is_cut: bool
    tags: set[str]
    share: fusion.Shares


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
            visible &= np.isin(np.arange(index.size), index.albums.rows(album.pk))
        for name in query.exclude_tags:
            visible[index.tags.rows(tag_ids.get(name, 0))] = False
        scores = score(index, prepared, tag_ids)
        if prepared.share.tags == 1.0:
            visible &= scores > 0  # asked by tags alone, a picture with none of them is no answer
        candidates = np.flatnonzero(visible)
        rows = fusion.leaders(scores, index.ids, candidates, offset + limit)[offset:]
        found = explain(index, rows, scores, prepared, tag_ids)
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
    """Look up and embed what the query names. Pictures bring their tags along, as in the original."""
    vectors, tags, extractor = [], set(query.tags), serving.current()
    for vector, picture_tags in [
        *_gallery_pictures(query, user, extractor.key),
        *_uploaded_pictures(query, extractor.key),
    ]:
        vectors.append(vector)
        tags |= set(picture_tags)
    image = np.mean(vectors, axis=0, dtype=np.float32) if vectors else None
    text, is_cut = None, False
    if query.text:
        model = registry.load(extractor)
        text, is_cut = model.embed_texts([query.text])[0], model.is_cut(query.text)
    return Prepared(image, text, is_cut, tags, fusion.shares(image is not None, text is not None, bool(tags)))


def score(index: Index, prepared: Prepared, tag_ids: dict[str, int]) -> np.ndarray:
    """float32 (index.size,): every row's fused score; zeros when the query only leaves pictures out."""
    scores = np.zeros(index.size, np.float32)
    vector = fusion.query_vector(prepared.share, prepared.image, prepared.text)
    if vector is not None:
        scores += index.dot(vector)
    if prepared.tags:
        matches = index.tag_matches(tag_ids[name] for name in prepared.tags if name in tag_ids)
        scores += matches * np.float32(prepared.share.tags / len(prepared.tags))
    return scores


def explain(index: Index, rows: np.ndarray, scores: np.ndarray, prepared: Prepared, tag_ids: dict[str, int]) -> list:
    """(image id, score, parts) of each of these rows."""
    vectors, share = index.vectors(rows), prepared.share
    image = share.image * (vectors @ prepared.image) if prepared.image is not None else np.zeros(len(rows))
    text = share.text * (vectors @ prepared.text) if prepared.text is not None else np.zeros(len(rows))
    matched = [[] for _ in rows]
    for name in sorted(prepared.tags & tag_ids.keys()):
        for i in np.flatnonzero(index.carries(tag_ids[name], rows)):
            matched[i].append(name)
    return [
        (
            int(index.ids[row]),
            float(scores[row]),
            Parts(
                image=float(image[i]),
                text=float(text[i]),
                tags=share.tags * len(matched[i]) / max(len(prepared.tags), 1),
                matched_tags=matched[i],
            ),
        )
        for i, row in enumerate(rows)
    ]


def _gallery_pictures(query: Query, user, key: str) -> list[tuple[np.ndarray, list[str]]]:
    """(vector, tags) of each gallery picture that the query names."""
    if not query.image_ids:
        return []
    visible = set(access.visible_images(user).filter(pk__in=query.image_ids).values_list("pk", flat=True))
    vectors = {e.image_id: e.as_array() for e in Embedding.objects.filter(image__in=visible, extractor=key)}
    tags: dict[int, list[str]] = {pk: [] for pk in visible}
    for pk, name in ImageTag.objects.shown(key).filter(image__in=visible).values_list("image_id", "tag__name"):
        tags[pk].append(name)
    for pk in query.image_ids:
        if pk not in visible:
            raise QueryError("image", f"there is no picture {pk}.")
        if pk not in vectors:
            raise QueryError("image", f"picture {pk} has not been read yet; it can be searched by in a moment.")
    return [(vectors[pk], tags[pk]) for pk in query.image_ids]


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
