"""Tags that a person might mean: while they type one, and where their words name one.

Only tags that occur on pictures this person can see are ever suggested, with how many those are.
"""

from dataclasses import dataclass

import numpy as np
from django.db.models import Q

from gallery import access
from gallery.access import AnyUser
from gallery.extraction import registry
from gallery.extraction.base import Description
from gallery.models import Tag
from gallery.models.tag import fold
from search.index.index import Index
from search.live_index import live_index

LONGEST_NAME = 4  # words of the text that are taken together for a tag's name
MOST_OFFERS = 6


@dataclass(frozen=True)
class Suggestion:
    """A tag, how many visible pictures carry it, and the words of the text that named it, if any did."""

    name: str
    count: int
    words: str = ""


def complete(beginning: str, user: AnyUser, limit: int = 12) -> list[Suggestion]:
    """Tags of which a word begins so, most frequent first."""
    beginning = fold(beginning).lstrip("#").strip()
    named = Q(name__startswith=beginning) | Q(name__contains=f" {beginning}")
    names = dict(Tag.objects.filter(named).values_list("id", "name"))
    allowed = access.scope(user)
    with live_index.open() as index:
        counts = count(index, index.visible(allowed.owner_id, allowed.album_ids), list(names))
    found = [Suggestion(names[tag_id], number) for tag_id, number in counts.items()]
    return sorted(found, key=lambda own: (-own.count, own.name))[:limit]


def count(index: Index, visible: np.ndarray, tag_ids: list[int]) -> dict[int, int]:
    """How many of the visible rows (bool (size,)) carry each of the tags.

    Tags that none carries are left out.
    """
    counts = {tag_id: int(np.count_nonzero(visible[index.tag_rows(tag_id)])) for tag_id in tag_ids}
    return {tag_id: number for tag_id, number in counts.items() if number}


def named_in(text: str, extractor: Description) -> dict[int, Suggestion]:
    """Return the tags that the text names, by id, not counted yet: as is, in the plural, or by a synonym."""
    meant: dict[str, str] = {}
    synonyms = registry.synonyms(extractor) if text else {}
    words = fold(text).split()
    for size in range(min(LONGEST_NAME, len(words)), 0, -1):
        for start in range(len(words) - size + 1):
            phrase = " ".join(words[start : start + size])
            for form in _singular(phrase):
                for name in (form, synonyms.get(form)):
                    if name:
                        meant.setdefault(name, phrase)
    found = Tag.objects.filter(name__in=meant).values_list("id", "name") if meant else []
    return {tag_id: Suggestion(name, 0, meant[name]) for tag_id, name in found}


def offers(
    index: Index, visible: np.ndarray, named: dict[int, Suggestion], wanted: set[str]
) -> list[Suggestion]:
    """Pick the named tags that visible rows carry and that are not asked for already.

    Most frequent first.
    """
    counts = count(index, visible, [tag_id for tag_id, own in named.items() if own.name not in wanted])
    found = [Suggestion(named[tag_id].name, number, named[tag_id].words) for tag_id, number in counts.items()]
    return sorted(found, key=lambda own: (-own.count, own.name))[:MOST_OFFERS]


def _singular(phrase: str) -> list[str]:
    """Return the phrase, and what it may be the plural of."""
    forms = [phrase]
    for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
        if phrase.endswith(ending) and len(phrase) > len(ending) + 2:
            forms.append(phrase.removesuffix(ending) + instead)
    return forms
