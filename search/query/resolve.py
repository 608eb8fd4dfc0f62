"""A query with everything looked up.

Pictures and words as vectors, tags and filters as numbers of the database.

What a person may not see cannot be asked by: it is looked up through gallery.access, as if it did not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from gallery import access, extractor_switch
from gallery.extraction import registry
from gallery.extraction.base import Description, Extractor
from gallery.models import Embedding, ImageTag, Tag
from search.evidence import Meaning, WantedWord
from search.index import fusion
from search.index.fusion import MEASURED_BEST
from search.index.ranking import Asked
from search.index.words import fold, in_query
from search.models import QueryPicture
from search.query import color_words, query_pictures
from search.query.color_words import COLORS
from search.query.conditions import Condition
from search.query.errors import QueryError
from search.query.named_tags import known_in, named_in
from search.query.query import Query
from search.query.said import Said, near, said

PATIENCE = 10.0  # seconds that a search waits for a model that is being loaded


@dataclass(frozen=True)
class Example:
    """A picture that is searched by: its name in the query, vector float32 (dim,), and tags."""

    name: int | str  # a picture's number, or an uploaded one's key
    vector: np.ndarray
    tags: list[str]


@dataclass(frozen=True)
class Words:
    """What the query says in words, as far as it can be told without the index."""

    vectors: dict[str, np.ndarray]  # float32 (dim,) each, by text
    is_cut: bool = False  # one of the texts is longer than the extractor reads
    wanted: tuple[tuple[np.ndarray, float], ...] = ()  # the vector and the weight of each wanted text
    scale: float | None = None  # of similarities, where the extractor's log_sums say what they are worth
    unknown: tuple[str, ...] = ()  # words that the extractor does not know
    meanings: tuple[Meaning, ...] = ()  # of each wanted text
    written: tuple[WantedWord, ...] = ()  # to look for in what people wrote
    named: Mapping[int, tuple[str, str]] = field(default_factory=dict)  # tags that the text names


@dataclass(frozen=True)
class ResolvedQuery:
    """What the index is asked, and what the answer is explained by."""

    extractor: Description
    asked: Asked
    share: dict[str, float]
    limits: list[Condition]
    wanted: list[Example]
    unwanted: list[Example]
    tag_ids: dict[str, int]  # of every tag in the query that exists, wanted or excluded
    tags: set[str]  # the wanted ones, those of the pictures among them
    words: Words
    unwanted_tag_ids: list[int]  # of the tags that the unwanted words name
    near_picture: float | None  # how like a wanted picture a good match is; None where that cannot be told


def resolve(query: Query, user: Any) -> ResolvedQuery:
    """Look up and embed what the query names; wanted pictures bring their tags along.

    Raises QueryError when it names a picture or an album that `user` cannot search by.
    """
    extractor = extractor_switch.current()
    gallery = _gallery_pictures(query, user, extractor.key)
    wanted = [gallery[pk] for pk in query.image_ids] + _uploaded_pictures(query, extractor.key)
    unwanted = [gallery[pk] for pk in query.exclude_image_ids]
    words = _words(query, extractor)
    tags = list(dict.fromkeys([*query.tags, *(name for example in wanted for name in example.tags)]))
    tag_ids = Tag.objects.ids_of({*tags, *query.exclude_tags})
    asked = _asked(query, _vectors(query, words, wanted, unwanted), tags, tag_ids)
    try:
        share = fusion.shares(asked.components, query.weights)
    except ValueError as error:
        raise QueryError("weights", _("Give everything you search by a weight above 0.")) from error
    return ResolvedQuery(
        extractor,
        asked,
        share,
        query.filters.limits(user),
        wanted,
        unwanted,
        tag_ids,
        set(tags),
        words,
        [tag_id for word in query.exclude_words for tag_id in named_in(word, extractor)],
        registry.load(extractor, PATIENCE).near_picture if wanted or unwanted else None,
    )


def _words(query: Query, extractor: Description) -> Words:
    """Embed everything that is said in words; the model is loaded only where there is any."""
    texts = list(dict.fromkeys(text for text in (*query.texts, query.unwanted_text) if text))
    if not texts:
        return Words({})
    model = registry.load(extractor, PATIENCE)
    named = {text: named_in(text, extractor) for text in query.texts}
    heard = {text: said(model, text) for text in texts}
    vectors = {text: own.vector for text, own in heard.items()}
    return Words(
        vectors,
        any(own.is_cut for own in heard.values()),
        tuple((vectors[text], weight) for text, weight in query.texts.items()),
        model.scale,
        tuple(_unknown_words([heard[text] for text in query.texts])),
        tuple(_meaning(text, query.texts[text], own, model) for text, own in named.items()),
        tuple(_written(query)),
        {tag_id: own for tags in named.values() for tag_id, own in tags.items()},
    )


def _unknown_words(heard: list[Said]) -> list[str]:
    words = dict.fromkeys(word for own in heard for word in own.unknown_words)
    return [word for word in words if fold(word) not in COLORS]


def _meaning(text: str, weight: float, named: dict[int, tuple[str, str]], model: Extractor) -> Meaning:
    """Say which tags and colours a text asks for."""
    names = frozenset(fold(words) for _, words in named.values())
    colors, rest = color_words.split(text, names | known_in(text, model.tag_names()))
    names_near = near(model, rest) if rest else ()
    if names_near is None:  # the extractor cannot tell: what the text names counts, but is not all
        tags = {tag_id: name for tag_id, (name, _words) in named.items()}
        return Meaning(tags, colors, is_told=False, asks_more=True, weight=weight)
    tags = dict(Tag.objects.filter(name__in=names_near).values_list("id", "name")) if names_near else {}
    return Meaning(tags, colors, is_told=True, asks_more=bool(rest), weight=weight)


def _written(query: Query) -> list[WantedWord]:
    """Return the words to look for in what people wrote; one of several texts has its largest weight."""
    if query.fusion != MEASURED_BEST:
        return []
    weights: dict[tuple[str, ...], float] = {}
    for text, weight in query.texts.items():
        for forms in in_query(text):
            weights[forms] = max(weight, weights.get(forms, 0.0))
    return [WantedWord(forms, weight) for forms, weight in weights.items()]


def _text_vector(query: Query, vectors: dict[str, np.ndarray]) -> np.ndarray | None:
    """Return the vector of the query's words, float64 (dim,): the mean of the wanted, less the unwanted."""
    unwanted = [vectors[query.unwanted_text]] if query.unwanted_text else []
    return fusion.query_vector([vectors[text] for text in query.texts], unwanted, list(query.texts.values()))


def _vectors(
    query: Query, words: Words, wanted: list[Example], unwanted: list[Example]
) -> dict[str, np.ndarray]:
    """Return the vector of each feature that is asked for, float64 (dim,)."""
    vectors = {
        "image": fusion.query_vector([e.vector for e in wanted], [e.vector for e in unwanted]),
        "text": _text_vector(query, words.vectors),
    }
    return {name: vector for name, vector in vectors.items() if vector is not None}


def _asked(query: Query, vectors: dict[str, np.ndarray], tags: list[str], tag_ids: dict[str, int]) -> Asked:
    """Return what the index is asked. Tags that nobody ever gave still count in the whole."""
    weights = {name: query.tag_weights.get(name, 1.0) for name in tags}
    known = {tag_ids[name]: weight for name, weight in weights.items() if name in tag_ids}
    unfindable = sum(weight for name, weight in weights.items() if name not in tag_ids)
    has_words = query.fusion == MEASURED_BEST and bool(query.texts)
    return Asked(vectors, known, unfindable, has_words=has_words)


def _gallery_pictures(query: Query, user: Any, key: str) -> dict[int, Example]:
    """Each gallery picture that the query names, wanted or not, by id."""
    asked = dict.fromkeys(query.image_ids, "image") | dict.fromkeys(query.exclude_image_ids, "exclude_image")
    if not asked:
        return {}
    visible = set(access.visible_images(user).filter(pk__in=asked).values_list("pk", flat=True))
    vectors = {e.image_id: e.as_array() for e in Embedding.objects.filter(image__in=visible, extractor=key)}
    tags: dict[int, list[str]] = {pk: [] for pk in visible}
    for pk, tag in ImageTag.objects.shown(key).filter(image__in=visible).values_list("image_id", "tag__name"):
        tags[pk].append(tag)
    for pk, name in asked.items():
        if pk not in visible:
            raise QueryError(name, _("There is no picture %(pk)s.") % {"pk": pk})
        if pk not in vectors:
            raise QueryError(
                name,
                _("Picture %(pk)s is still processing. Try again in a moment.") % {"pk": pk},
            )
    return {pk: Example(pk, vectors[pk], tags[pk]) for pk in asked}


def _uploaded_pictures(query: Query, key: str) -> list[Example]:
    """Each uploaded query picture that the query names."""
    if not query.picture_keys:
        return []
    found = {p.key: p for p in QueryPicture.objects.alive().filter(key__in=query.picture_keys)}
    if len(found) < len(query.picture_keys):
        raise QueryError("picture", _("The uploaded picture has expired. Upload it again."))
    for picture in found.values():
        if picture.extractor != key:  # extractors were switched since
            query_pictures.read_again(picture)
    return [Example(k, query_pictures.vector_of(found[k]), list(found[k].tags)) for k in query.picture_keys]
