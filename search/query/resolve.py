"""A query with everything looked up: pictures and words as vectors, tags and filters as numbers of the
database.

What a person may not see cannot be asked by: it is looked up through gallery.access, as if it did not exist.
"""

from dataclasses import dataclass

import numpy as np
from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from gallery import access, extractor_switch
from gallery.extraction import registry
from gallery.extraction.base import Description, Extractor
from gallery.models import Embedding, ImageTag, Tag
from search.index import fusion
from search.index.columns import UNKNOWN
from search.index.index import Index
from search.index.ranking import Asked
from search.index_rows import FORMATS
from search.models import QueryPicture
from search.query import query_pictures
from search.query.query import Filters, Query, QueryError, moment

FOREVER = 2**62


@dataclass(frozen=True)
class Example:
    """A picture that is searched by: its name in the query, vector float32 (dim,), and tags."""

    name: int | str  # a picture's number, or an uploaded one's key
    vector: np.ndarray
    tags: list[str]


@dataclass(frozen=True)
class ResolvedQuery:
    """What the index is asked, and what the answer is explained by."""

    extractor: Description
    asked: Asked
    share: dict[str, float]
    wanted: list[Example]
    unwanted: list[Example]
    tag_ids: dict[str, int]  # of every tag in the query that exists, wanted or excluded
    tags: set[str]  # the wanted ones, those of the pictures among them
    text_is_cut: bool  # the text is longer than the extractor reads
    expected: (
        float | None
    )  # what pictures of the words score, where only words are asked for and the extractor can tell


def resolve(query: Query, user) -> ResolvedQuery:
    """Look up and embed what the query names. Wanted pictures bring their tags along, as in the original.

    Raises QueryError when it names a picture that `user` cannot search by.
    """
    extractor = extractor_switch.current()
    gallery = _gallery_pictures(query, user, extractor.key)
    wanted = [gallery[pk] for pk in query.image_ids] + _uploaded_pictures(query, extractor.key)
    unwanted = [gallery[pk] for pk in query.exclude_image_ids]
    model = registry.load(extractor) if query.texts or query.exclude_text else None
    vectors = _vectors(query, model, wanted, unwanted)
    weights = {name: query.tag_weights.get(name, 1.0) for name in _union(query.tags, wanted)}
    tag_ids = dict(Tag.objects.filter(name__in={*weights, *query.exclude_tags}).values_list("name", "id"))
    asked = Asked(
        vectors,
        {tag_ids[name]: weight for name, weight in weights.items() if name in tag_ids},
        sum(weight for name, weight in weights.items() if name not in tag_ids),
    )
    try:
        share = fusion.shares(asked.components, query.weights)
    except ValueError as error:
        raise QueryError("weights", f"{error}.") from error
    texts = [text for text in (*query.texts, query.exclude_text) if text]
    return ResolvedQuery(
        extractor,
        asked,
        share,
        wanted,
        unwanted,
        tag_ids,
        set(weights),
        text_is_cut=any(model.is_cut(text) for text in texts),
        expected=model.expected(vectors["text"]) if query.texts and asked.components == ["text"] else None,
    )


def _union(tags: tuple[str, ...], examples: list[Example]) -> dict[str, None]:
    return dict.fromkeys([*tags, *(name for example in examples for name in example.tags)])


def _vectors(
    query: Query, model: Extractor | None, wanted: list[Example], unwanted: list[Example]
) -> dict[str, np.ndarray]:
    """The vector of each feature that is asked for, float64 (dim,)."""
    texts = [*query.texts, *([query.exclude_text] if query.exclude_text else [])]
    embedded = dict(zip(texts, model.embed_texts(texts), strict=True)) if model else {}
    vectors = {
        "image": fusion.query_vector([e.vector for e in wanted], [e.vector for e in unwanted]),
        "text": fusion.query_vector(
            [embedded[text] for text in query.texts],
            [embedded[query.exclude_text]] if query.exclude_text else [],
            list(query.texts.values()),
        ),
    }
    return {name: vector for name, vector in vectors.items() if vector is not None}


def _gallery_pictures(query: Query, user, key: str) -> dict[int, Example]:
    """Each gallery picture that the query names, wanted or not, by id."""
    asked = dict.fromkeys(query.image_ids, "image") | dict.fromkeys(query.exclude_image_ids, "exclude_image")
    if not asked:
        return {}
    visible = set(access.visible_images(user).filter(pk__in=asked).values_list("pk", flat=True))
    vectors = {e.image_id: e.as_array() for e in Embedding.objects.filter(image__in=visible, extractor=key)}
    tags: dict[int, list[str]] = {pk: [] for pk in visible}
    for pk, name in (
        ImageTag.objects.shown(key).filter(image__in=visible).values_list("image_id", "tag__name")
    ):
        tags[pk].append(name)
    for pk, field in asked.items():
        if pk not in visible:
            raise QueryError(field, _("there is no picture %(pk)s.") % {"pk": pk})
        if pk not in vectors:
            raise QueryError(
                field,
                _("picture %(pk)s has not been read yet; it can be searched by in a moment.") % {"pk": pk},
            )
    return {pk: Example(pk, vectors[pk], tags[pk]) for pk in asked}


def _uploaded_pictures(query: Query, key: str) -> list[Example]:
    """Each uploaded query picture that the query names."""
    if not query.picture_keys:
        return []
    found = {p.key: p for p in QueryPicture.objects.alive().filter(key__in=query.picture_keys)}
    if len(found) < len(query.picture_keys):
        raise QueryError(
            "picture", _("this uploaded picture is not kept any more (a day is); upload it again.")
        )
    for picture in found.values():
        if picture.extractor != key:  # extractors were switched since
            query_pictures.read_again(picture)
    return [Example(k, query_pictures.vector_of(found[k]), list(found[k].tags)) for k in query.picture_keys]


@dataclass(frozen=True)
class ResolvedFilters:
    """Filters with everything looked up: albums to be in, and what a column's value may be, both ends
    included."""

    album_ids: list[int] | None
    ranges: list[tuple[str, int, int]]

    def apply(self, index: Index, visible: np.ndarray) -> None:
        """Take rows that do not pass out of the mask bool (size,), in place."""
        if self.album_ids is not None:
            visible &= index.in_albums(self.album_ids)
        for column, least, most in self.ranges:
            visible &= index.between(column, least, most)


def resolve_filters(filters: Filters, user) -> ResolvedFilters:
    """Look up what the filters name. Raises QueryError for an album or an owner that `user` does not see."""
    ranges = []
    if filters.owner:
        ranges.append(("owners", *[_owner_id(filters.owner)] * 2))
    for column, after, before in (
        ("taken", ("after", filters.after), ("before", filters.before)),
        ("added", ("added_after", filters.added_after), ("added_before", filters.added_before)),
    ):
        if after[1] or before[1]:
            least = _seconds(*after) if after[1] else UNKNOWN + 1
            ranges.append((column, least, _seconds(*before) - 1 if before[1] else FOREVER))
    if filters.format:
        ranges.append(("formats", *[FORMATS.index(filters.format)] * 2))
    if filters.min_size:
        ranges.append(("sides", filters.min_size, FOREVER))
    if filters.untagged:
        ranges.append(("tagged", 0, 0))
    return ResolvedFilters(_album_ids(filters.album, user), ranges)


def _seconds(field: str, date: str) -> int:
    return int(moment(field, date).timestamp())


def _owner_id(name: str) -> int:
    """The person's number, 0 where there is none: nobody has pictures of theirs, so it tells nothing of who
    exists."""
    return get_user_model().objects.filter(username=name).values_list("pk", flat=True).first() or 0


def _album_ids(album: int | str | None, user) -> list[int] | None:
    """The albums of this number or title that `user` sees; several people may have given the same title."""
    if album is None:
        return None
    by = {"pk": album} if isinstance(album, int) else {"title__iexact": album}
    found = list(access.visible_albums(user).filter(**by).values_list("pk", flat=True))
    if not found:
        raise QueryError("album", _("there is no album %(album)s.") % {"album": album})
    return found
