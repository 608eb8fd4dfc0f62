"""Good matches and the rest: whether a library has what is asked for.

A picture is a good match when it is one by everything that is asked for. By words: the extractor names the
tags that mean what they do (`Extractor.near`) - "sparrows" means "sparrow", and "dogs" means "dog", be it
that of a picture of a poodle - and the picture carries one of them, or all the words are written about it;
CLIP-like models tell how probable the words are instead. By tags: it carries them all. By pictures: it is as
like one of them as the extractor says (`Extractor.near_picture`). docs/search.md has the measurements.
"""

from enum import StrEnum

import numpy as np

from search.evidence import Evidence
from search.index.index import Index
from search.index.ranking import Best
from search.query.query import Query
from search.query.resolve import Example, ResolvedQuery

# That a picture shows the text rather than anything of the vocabulary, for CLIP-like models. Chosen by
# reasoning, not measured: their weights cannot be had where this is developed.
LEAST_PROBABILITY = 0.3
CLOSEST = 30  # pictures that are shown where none is a good match


class Verdict(StrEnum):
    """What a search can say of its answer."""

    GOOD = "good"  # there are good matches
    WEAK = "weak"  # nothing matches well: the closest follow
    UNKNOWN = "unknown"  # it does not know these words


def by_words_and_tags(
    index: Index, query: Query, resolved: ResolvedQuery, evidence: Evidence
) -> np.ndarray | None:
    """Bool (size,): the rows that answer the words and tags of the query well; None where nobody can tell."""
    if not (query.texts or query.tags or resolved.wanted):
        return None
    rows = np.ones(index.size, bool)
    if query.texts:
        by_words = evidence.good()
        if by_words is None:
            by_words = _by_probability(index, resolved, evidence)
        if by_words is None:
            return None
        rows &= by_words
    for name in query.tags:
        rows &= index.with_any_tag([resolved.tag_ids[name]] if name in resolved.tag_ids else [])
    return rows


def _by_probability(index: Index, resolved: ResolvedQuery, evidence: Evidence) -> np.ndarray | None:
    """Bool (size,): where a CLIP-like model finds a text likelier than all else; None for other models."""
    scale = resolved.words.scale
    if scale is None:
        return None
    rows = evidence.with_every_word()
    log_sums = index.column("log_sums")
    for text, _ in resolved.words.wanted:
        logits = scale * index.dots(text.astype(np.float64), evidence.visible)
        rows |= logits - log_sums >= np.log(LEAST_PROBABILITY)
    return rows


def by_pictures(index: Index, resolved: ResolvedQuery, best: Best, rows: np.ndarray) -> np.ndarray | None:
    """Bool (size,): of these rows those like a wanted picture and none of the unwanted; None as above."""
    least = resolved.near_picture
    if least is None:
        return None if resolved.wanted else rows
    if len(resolved.wanted) == 1 and not resolved.unwanted and best.dots is not None:
        return rows & (best.dots >= least)

    def like_any(examples: list[Example]) -> np.ndarray:
        near = np.zeros(index.size, bool)
        for example in examples:
            near |= index.dots(example.vector.astype(np.float64), rows) >= least
        return near

    wanted = rows & like_any(resolved.wanted) if resolved.wanted else rows
    return wanted & ~like_any(resolved.unwanted)


def verdict(good: int | None, unknown_words: list[str]) -> Verdict | None:
    """Say what the answer is worth; None where that cannot be told."""
    if good is None:
        return None
    if good:
        return Verdict.GOOD
    return Verdict.UNKNOWN if unknown_words else Verdict.WEAK
