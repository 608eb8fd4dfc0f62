"""search(query, user) -> one page of explained results."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from django.utils.translation import gettext as _

from gallery import access
from gallery.access import AnyUser
from gallery.models import Image
from search import evidence, good_matches, sorting, suggestions
from search.evidence import Evidence, MatchedWord
from search.index import ranking
from search.index.fusion import FUSIONS
from search.index.index import Index
from search.index.snapshot import DamagedError
from search.live_index import live_index
from search.query.errors import QueryError
from search.query.query import Query
from search.query.resolve import Example, ResolvedQuery, resolve
from search.suggestions import Correction, Suggestion

# Beyond this many results a page is of no use to a person, and sorting them of a cost.
MAX_OFFSET = 100_000


@dataclass(frozen=True)
class Likeness:
    """How like a result is to one of several pictures that were searched by."""

    name: int | str  # the picture's number, or the key of an uploaded one
    similarity: float  # the dot product of the unit-length embeddings
    unwanted: bool

    @property
    def is_stored(self) -> bool:
        """Whether it is a picture of the gallery."""
        return isinstance(self.name, int)


@dataclass(frozen=True)
class Parts:
    """What each component gave to a result's score; they add up to it."""

    image: float
    text: float
    tags: float
    words: float
    matched_tags: list[str]
    matched_words: list[MatchedWord]
    pictures: list[Likeness]  # likest first; empty unless several pictures were searched by


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
    good: int | None  # how many of these are good matches; None where that cannot be told
    verdict: good_matches.Verdict | None
    unknown_words: list[str]  # that the extractor does not know
    unknown_tags: list[str]
    offers: list[Suggestion]  # tags that the text names
    corrections: list[Correction]  # of words and tags that nothing knows
    is_mix: bool  # several of pictures, text and tags are asked for
    extractor: str  # the name of what answered
    text_is_cut: bool  # the text is longer than the extractor reads
    took_ms: float

    def shown(self, good_only: bool) -> int:
        """How many results a page shows: the good ones, or the closest where none is, or all."""
        if good_only and self.good is not None:
            return min(self.good or good_matches.CLOSEST, self.count)
        return self.count


def search(query: Query, user: AnyUser, offset: int = 0, limit: int = 50, good_only: bool = False) -> Page:
    """Return the `limit` best results from `offset` on, among the pictures that `user` may see.

    With `good_only` the good matches alone, where that can be told.

    Raises QueryError when the query names a picture or an album that `user` cannot search by.
    """
    if offset > MAX_OFFSET:
        raise QueryError(
            "offset", _("You can't skip more than %(max_offset)s results.") % {"max_offset": MAX_OFFSET}
        )
    began = time.perf_counter()
    resolved = resolve(query, user)
    allowed = access.scope(user)
    found = _with_rebuilt_index(
        lambda index: _answer(index, query, resolved, allowed, Wanted(offset, limit, good_only))
    )
    # An index may be a moment behind: what was hidden meanwhile is left out.
    seen = access.visible_within(allowed).select_related("owner", "text_in_image")
    images = access.as_seen_by(seen, user).in_bulk([pk for pk, *_ in found.explained])
    return Page(
        [Result(images[pk], score, parts) for pk, score, parts in found.explained if pk in images],
        found.count,
        found.good,
        good_matches.verdict(found.good, found.unknown_words),
        found.unknown_words,
        found.unknown_tags,
        found.offers,
        suggestions.corrections([*found.unknown_words, *found.unknown_tags], user),
        sum(map(bool, (resolved.wanted, query.texts, query.tags))) > 1,
        resolved.extractor.name,
        resolved.words.is_cut,
        (time.perf_counter() - began) * 1000,
    )


@dataclass(frozen=True)
class Wanted:
    """Which of the results are asked for."""

    offset: int
    limit: int
    good_only: bool


@dataclass(frozen=True)
class Answer:
    """What the index answers.

    (image id, score, parts) of the results of a page, and what the page says besides.
    """

    explained: list[tuple[int, float, Parts]]
    count: int
    good: int | None
    unknown_words: list[str]
    unknown_tags: list[str]
    offers: list[Suggestion]


def _answer(
    index: Index, query: Query, resolved: ResolvedQuery, allowed: access.Scope, wanted: Wanted
) -> Answer:
    """Ask the index."""
    words = resolved.words
    seen = index.visible(allowed.owner_id, allowed.album_ids)
    found = evidence.gather(index, seen, allowed, words.meanings, words.written)
    asked = resolved.asked
    if asked.has_words:
        asked = replace(asked, gains=found.gains(by_tags=not resolved.unwanted))
    visible = _candidates(index, query, resolved, seen.copy())

    def rank(rows: np.ndarray) -> ranking.Best:
        fused = FUSIONS[query.fusion]
        return fused.rank(index, asked, resolved.share, rows, wanted.offset + wanted.limit)

    good = good_matches.by_words_and_tags(index, query, resolved, found)
    best = None
    if good is not None:
        good &= visible
        if resolved.wanted or resolved.unwanted:
            best = rank(visible)
            good = good_matches.by_pictures(index, resolved, best, good)
    if query.order != "best":
        are_few = good is not None and wanted.good_only and good.any()
        among = good if good is not None and are_few else visible
        best = _in_order(index, query.order, among, rank, wanted)
        wanted = replace(wanted, offset=0)
    elif good is not None and wanted.good_only:
        best = rank(good) if good.any() else rank(visible).first(good_matches.CLOSEST)
    best = best or rank(visible)
    unknown = [word for word in words.unknown if not found.is_written(word)]
    unknown_tags = _unknown(index, query, resolved.tag_ids, seen)
    return Answer(
        explain(index, best, wanted.offset, resolved, found),
        int(np.count_nonzero(visible)),
        None if good is None else int(np.count_nonzero(good)),
        unknown,
        unknown_tags,
        suggestions.offers(index, seen, dict(words.named), resolved.tags),
    )


def _in_order(
    index: Index, order: str, among: np.ndarray, rank: Callable[[np.ndarray], ranking.Best], wanted: Wanted
) -> ranking.Best:
    """Return the rows of the page, of those in the mask, sorted by another thing than their score."""
    rows = sorting.page_of_rows(index, order, np.flatnonzero(among), wanted.offset, wanted.limit)
    mask = np.zeros_like(among)
    mask[rows] = True
    best = rank(mask)
    place = {row: i for i, row in enumerate(best.rows.tolist())}
    at = np.array([place[row] for row in rows.tolist() if row in place], np.int64)
    return ranking.Best(best.rows[at], {part: own[at] for part, own in best.parts.items()})


def _candidates(index: Index, query: Query, resolved: ResolvedQuery, visible: np.ndarray) -> np.ndarray:
    """Take what filters and excluded tags leave out of the mask of visible rows, bool (size,), in place."""
    for limit in resolved.limits:
        visible &= limit.rows(index)
    for name in query.exclude_tags:
        visible[index.tag_rows(resolved.tag_ids.get(name, 0))] = False
    for tag_id in resolved.unwanted_tag_ids:
        visible[index.tag_rows(tag_id)] = False
    if resolved.asked.components == ["tags"]:  # asked by tags alone, a picture with none of them is no answer
        visible &= index.with_any_tag(resolved.asked.tags)
    return visible


def _with_rebuilt_index(answer: Callable[[Index], Answer]) -> Answer:
    """Return what `answer` makes of the index; a snapshot found to be damaged is rebuilt first."""
    try:
        with live_index.open() as index:
            return answer(index)
    except DamagedError:
        live_index.discard()
        with live_index.open() as index:
            return answer(index)


def similar(image: Image, user: AnyUser, limit: int = 12) -> list[Result]:
    """Return the pictures most like `image`, which is not among them; none while it is not READY."""
    if image.status != Image.Status.READY:
        return []
    try:
        page = search(Query(image_ids=(image.pk,)), user, limit=limit + 1)
    except QueryError:  # its embedding is of another extractor and not made again yet
        return []
    return [result for result in page.results if result.image.pk != image.pk][:limit]


def explain(
    index: Index, best: ranking.Best, offset: int, resolved: ResolvedQuery, found: Evidence
) -> list[tuple[int, float, Parts]]:
    """Say why: (image id, score, parts) of the best rows from `offset` on."""
    rows, scores = best.rows[offset:], best.scores[offset:]
    ids = index.take("ids", rows)
    matched, written = _matched_tags(index, rows, resolved), found.matched(rows)
    likenesses = _likenesses(index, rows, resolved.wanted, resolved.unwanted)
    given = {name: values[offset:] for name, values in best.parts.items()}
    explained = []
    for i in range(len(rows)):
        own = {name: float(given[name][i]) if name in given else 0.0 for name in ranking.COMPONENTS}
        parts = Parts(**own, matched_tags=matched[i], matched_words=written[i], pictures=likenesses[i])
        explained.append((int(ids[i]), float(scores[i]), parts))
    return explained


def _matched_tags(index: Index, rows: np.ndarray, resolved: ResolvedQuery) -> list[list[str]]:
    """For each row the wanted tags that it carries, by name."""
    matched: list[list[str]] = [[] for _ in rows]
    for name in sorted(resolved.tags & resolved.tag_ids.keys()):
        for i in np.flatnonzero(index.carries(resolved.tag_ids[name], rows)):
            matched[i].append(name)
    return matched


def _likenesses(
    index: Index, rows: np.ndarray, wanted: list[Example], unwanted: list[Example]
) -> list[list[Likeness]]:
    """For each row how like it is to each picture, likest first; empty where there is only one picture."""
    examples = [*wanted, *unwanted]
    if len(examples) < 2:
        return [[] for _ in rows]
    dots = [index.exact_dots(example.vector.astype(np.float64), rows).tolist() for example in examples]
    return [
        sorted(
            (
                Likeness(example.name, own[i], number >= len(wanted))
                for number, (example, own) in enumerate(zip(examples, dots, strict=True))
            ),
            key=lambda likeness: -likeness.similarity,
        )
        for i in range(len(rows))
    ]


def _unknown(index: Index, query: Query, tag_ids: dict[str, int], visible: np.ndarray) -> list[str]:
    """Return the tags asked for that no visible picture carries: to this person they are unknown."""
    return [
        name
        for name in (*query.tags, *query.exclude_tags)
        if name not in tag_ids or not visible[index.tag_rows(tag_ids[name])].any()
    ]
