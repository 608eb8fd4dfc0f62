"""search(query, user) -> one page of explained results."""

import time
from dataclasses import dataclass

from django.utils.translation import gettext as _
from prometheus_client import Histogram

from gallery import access
from gallery.access import AnyUser
from gallery.models import Image
from search import good_matches, suggestions
from search.engines import engine
from search.engines.base import Look, Question, Wanted
from search.engines.explanation import Explained, Parts
from search.errors import EngineAwayError, NotReadyError
from search.query.errors import QueryError
from search.query.query import Query
from search.query.resolve import ResolvedQuery, resolve
from search.suggestions import Correction, Suggestion

SEARCH_SECONDS = Histogram(
    "picfusion_search_seconds",
    "How long this process took to search, by what was asked by.",
    ["kind"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
    registry=None,  # picfusion_site.metrics shows it
)
# Beyond this many results a page is of no use to a person, and sorting them of a cost.
MAX_OFFSET = 100_000


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
    wanted = Wanted(offset, limit, good_only)
    found = engine().ask(
        Question.of(query, resolved, allowed), lambda look: _answer(look, query, resolved, wanted)
    )
    # An engine may be behind: what was hidden meanwhile is left out.
    seen = access.visible_within(allowed).select_related("owner", "text_in_image")
    images = access.as_seen_by(seen, user).in_bulk([own.pk for own in found.explained])
    took = time.perf_counter() - began
    SEARCH_SECONDS.labels(_kind(resolved, query)).observe(took)
    return Page(
        [Result(images[own.pk], own.score, own.parts) for own in found.explained if own.pk in images],
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
        took * 1000,
    )


def _kind(resolved: ResolvedQuery, query: Query) -> str:
    """Name what is asked by, for the measure of how long it takes."""
    parts = {"picture": resolved.wanted, "text": query.texts, "tags": query.tags}
    asked = [name for name, part in parts.items() if part]
    return "mix" if len(asked) > 1 else asked[0] if asked else "filters"


@dataclass(frozen=True)
class Answer:
    """What the engine answers: the results of a page, and what the page says besides."""

    explained: list[Explained]
    count: int
    good: int | None
    unknown_words: list[str]
    unknown_tags: list[str]
    offers: list[Suggestion]


def _answer(look: Look, query: Query, resolved: ResolvedQuery, wanted: Wanted) -> Answer:
    named, words = dict(resolved.words.named), resolved.words
    explained = look.best(wanted)
    asked = {
        resolved.tag_ids[name] for name in (*query.tags, *query.exclude_tags) if name in resolved.tag_ids
    }
    counts = look.known_tags({*asked, *named})
    return Answer(
        explained,
        look.count(),
        look.reaching(),
        [word for word in words.unknown if not look.is_written(word)],
        # To this person tags that no visible picture carries are unknown.
        [name for name in (*query.tags, *query.exclude_tags) if resolved.tag_ids.get(name, 0) not in counts],
        suggestions.offers(counts, named, resolved.tags),
    )


def similar(image: Image, user: AnyUser, limit: int = 12) -> list[Result]:
    """Return the pictures most like `image`, which is not among them; none while it is not READY."""
    if image.status != Image.Status.READY:
        return []
    try:
        page = search(Query(image_ids=(image.pk,)), user, limit=limit + 1)
    except QueryError:  # its embedding is of another extractor and not made again yet
        return []
    except (EngineAwayError, NotReadyError):  # the picture is still there to be seen
        return []
    return [result for result in page.results if result.image.pk != image.pk][:limit]
