"""What a person might mean: while they type, where their words name a tag, and where nothing knows a word.

Only what occurs on pictures that this person can see is ever suggested.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Q
from rapidfuzz import process
from rapidfuzz.distance import OSA

from gallery import access
from gallery.access import AnyUser, Scope
from gallery.models import Tag
from gallery.models.tag import fold
from search import browsing_by_sql
from search.engines import has_index
from search.evidence import WantedWord
from search.index.index import Index
from search.index.words import LONGEST_WORD
from search.live_index import live_index
from search.models import SavedSearch

MOST_OFFERS = 6
MOST_NAMED = 4  # albums and saved searches that are suggested, each
LEAST_CORRECTED = 3  # letters of a word that may be misspelt
MOST_CORRECTED = 5  # words of a query
MOST_NEAR = 1000  # words near to a misspelt one: the nearest that this person's pictures have is told


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
    counts = _visible_counts(access.scope(user), names)
    found = [Suggestion(names[tag_id], number) for tag_id, number in counts.items()]
    return sorted(found, key=lambda own: (-own.count, own.name))[:limit]


@dataclass(frozen=True)
class Completion:
    """What a line in the bar may go on with: a tag, an album, a person or a saved search."""

    kind: str
    name: str
    count: int | None = None  # pictures, of a tag
    pk: int | None = None  # of an album, a person or a saved search


def while_typing(beginning: str, user: AnyUser) -> list[Completion]:
    """Suggest tags, albums, people and saved searches of which a word begins so."""
    found = [Completion("tag", own.name, own.count) for own in complete(beginning, user, limit=8)]
    begins = beginning.strip()
    if not begins:
        return found
    for kind, rows, name in (
        ("album", access.visible_albums(user), "title"),
        ("owner", access.people_who_share_with(user), "username"),
        ("search", access.owned(SavedSearch.objects, user), "name"),
    ):
        named = rows.filter(Q(**{f"{name}__istartswith": begins}) | Q(**{f"{name}__icontains": f" {begins}"}))
        found += [
            Completion(kind, text, pk=pk)
            for pk, text in named.order_by(name).values_list("pk", name)[:MOST_NAMED]
        ]
    return found


@dataclass(frozen=True)
class Correction:
    """A word that nothing knows, and one that is near to it."""

    word: str
    instead: str


def corrections(wrong: Sequence[str], user: AnyUser) -> list[Correction]:
    """Return a tag or a written word of this person's pictures for each of the words that has one near."""
    asked = [word for word in dict.fromkeys(map(fold, wrong)) if LEAST_CORRECTED <= len(word) <= LONGEST_WORD]
    if not asked:
        return []
    tags = dict(Tag.objects.values_list("name", "id"))
    if not has_index():
        return _corrected(wrong, _seen_tags(access.scope(user), tags, asked[:MOST_CORRECTED]))
    with live_index.open() as index:
        written = index.spoken()
    # Comparing takes long, so nobody waits for it: the index is asked again afterwards.
    near = {word: _near(word, [list(tags), *written]) for word in asked[:MOST_CORRECTED]}
    allowed = access.scope(user)
    with live_index.open() as index:
        visible = index.visible(allowed.owner_id, allowed.album_ids)

        def is_seen(name: str) -> bool:
            if name in tags and visible[index.tag_rows(tags[name])].any():
                return True
            places = WantedWord((name,)).places(index, allowed)
            return any(visible[rows].any() for rows in places.values())

        seen = {word: next(filter(is_seen, names), None) for word, names in near.items()}
    return _corrected(wrong, seen)


def _corrected(wrong: Sequence[str], seen: Mapping[str, str | None]) -> list[Correction]:
    return [Correction(word, name) for word in wrong if (name := seen.get(fold(word)))]


def _seen_tags(allowed: Scope, tags: dict[str, int], asked: list[str]) -> dict[str, str | None]:
    """Return the nearest tag of each word that a visible picture carries; there is no index of words."""
    near = {word: _near(word, [list(tags)]) for word in asked}
    counts = _visible_counts(allowed, {tags[name] for names in near.values() for name in names})
    return {
        word: next((name for name in names if tags[name] in counts), None) for word, names in near.items()
    }


def _visible_counts(allowed: Scope, tag_ids: Iterable[int]) -> dict[int, int]:
    """Say how many visible pictures carry each of the tags; those that none carries are left out."""
    if not has_index():
        counts = browsing_by_sql.count_tags(allowed, tag_ids)
        return {tag_id: number for tag_id, (number, _latest) in counts.items()}
    with live_index.open() as index:
        return count_tags(index, index.visible(allowed.owner_id, allowed.album_ids), tag_ids)


def _near(word: str, choices: Iterable[list[str]]) -> list[str]:
    """List what the word may be a misspelling of, nearest first, tags before other words."""
    most = 1 if len(word) < 6 else 2 if len(word) < 11 else 3
    found = [
        (distance, name)
        for own in choices
        for name, distance, _ in process.extract(
            word, own, scorer=OSA.distance, score_cutoff=most, limit=MOST_NEAR
        )
        if distance
    ]
    return [name for _, name in sorted(found, key=lambda own: own[0])]


def count_tags(index: Index, visible: np.ndarray, tag_ids: Iterable[int]) -> dict[int, int]:
    """How many of the visible rows (bool (size,)) carry each of the tags.

    Tags that none carries are left out.
    """
    counts = {tag_id: int(np.count_nonzero(visible[index.tag_rows(tag_id)])) for tag_id in tag_ids}
    return {tag_id: number for tag_id, number in counts.items() if number}


def offers(
    counts: Mapping[int, int], named: Mapping[int, tuple[str, str]], wanted: set[str]
) -> list[Suggestion]:
    """Pick the tags that a text names, as named_in gives them, that visible pictures carry, as `counts` says.

    Without those that are asked for already; most frequent first.
    """
    found = [
        Suggestion(name, counts[tag_id], words)
        for tag_id, (name, words) in named.items()
        if tag_id in counts and name not in wanted
    ]
    return sorted(found, key=lambda own: (-own.count, own.name))[:MOST_OFFERS]
