"""The search bar's line <-> a Query.

The line is made of words, "phrases", #tags, -#excluded tags, -unwanted words, -"unwanted phrases" and filters
like after:2024-05. A number and a colon before a word, a phrase or a tag weigh it: 2:#sailing. Quotes take a
tag or a value of several words; two quotation marks inside them stand for one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from search.query.errors import QueryError
from search.query.filters import BY_NAME, FILTERS, Filters, Value, with_key
from search.query.query import MAX_WEIGHT, Query, clean_tag, clean_text

# What may stand before a term: a minus before '#' or a quotation mark, a weight before anything.
_BEFORE = re.compile(r'(?P<sign>-(?=[\d.:]*[#"]|[^\W\d_]))?(?:(?P<weight>\d+(?:\.\d+)?|\.\d+):(?=\S))?')
_KEY = re.compile(r"([A-Za-z][\w-]*):(?=\S)")
_REST = re.compile(r"\S*")
_QUOTED = re.compile(r'((?:[^"]|"")*)"?')


@dataclass(frozen=True)
class Item:
    """One piece of the line: `kind` is 'word', 'phrase', 'tag' or a filter's key."""

    kind: str
    value: str
    position: int  # of its first character
    end: int  # of the character behind it
    unwanted: bool = False
    weight: str | None = None


def parse_bar(line: str) -> dict[str, Any]:
    """Return the bar's line as fields of a Query; QueryError with the position of what cannot be read."""
    words: list[str] = []
    exclude_text: list[str] = []
    exclude_words: dict[str, None] = {}
    phrases: dict[str, float] = {}
    tag_weights: dict[str, float] = {}
    tags: dict[str, None] = {}
    exclude_tags: dict[str, None] = {}
    filters: dict[str, Value] = {}
    # Control characters become spaces first, so that what is read is what was looked at.
    for item in _items("".join(c if c.isprintable() else " " for c in line)):
        weight = _weight(item)
        match item.kind, item.unwanted:
            case "tag", unwanted:
                name = clean_tag("q", item.value, item.position)
                (exclude_tags if unwanted else tags)[name] = None
                if weight is not None:
                    tag_weights[name] = weight
            case "phrase", True:
                exclude_text.append(item.value)
            case "word", True if _is_filter(item.value):
                raise QueryError("q", _("A filter can't have a minus before it."), item.position)
            case "word", True:
                exclude_words[clean_text(item.value)] = None
            case "phrase", False:
                phrases[clean_text(item.value)] = weight or 1.0
            case "word", _ if weight is None:
                words.append(item.value)
            case "word", _:
                phrases[clean_text(item.value)] = weight or 1.0
            case _:
                _add_filter(filters, item)
    phrases.pop("", None)
    return {
        "text": clean_text(" ".join(words)),
        "phrases": phrases,
        "tags": tuple(tags),
        "tag_weights": {name: weight for name, weight in tag_weights.items() if weight != 1},
        "exclude_tags": tuple(exclude_tags),
        "exclude_text": clean_text(" ".join(exclude_text)),
        "exclude_words": tuple(exclude_words),
        "filters": Filters(**filters),
    }


def with_filters(line: str, wanted: dict[str, str]) -> str:
    """Return the line with these filters, by name, instead of others of their kind; '' takes them away."""
    words = {BY_NAME[name].key: text.strip() for name, text in wanted.items()}
    gone = {f"is:{name}" for name, text in wanted.items() if BY_NAME[name].key == "is" and not text}
    added = [f"{key}:{quoted(text)}" for key, text in words.items() if key != "is" and text]
    added += [f"is:{text}" for name, text in wanted.items() if BY_NAME[name].key == "is" and text]
    replaced = {*added, *gone}
    kept = [
        line[item.position : item.end]
        for item in _items(line)
        if f"{item.kind}:{item.value}" not in replaced and (item.kind == "is" or item.kind not in words)
    ]
    return " ".join([*kept, *added])


def _items(line: str) -> Iterator[Item]:
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        before = _BEFORE.match(line, at)
        assert before, "the expression matches nothing, too"
        start = before.end()
        if start == at and (key := _KEY.match(line, at)):
            kind, start = key[1], key.end()
        elif line[start] == "#":
            kind, start = "tag", start + 1
        else:
            kind = "phrase" if line[start] == '"' else "word"
        if kind != "word" and line.startswith('"', start):
            value, end = _quoted_value(line, start + 1)
        else:
            value = _REST.findall(line, start)[0]
            end = start + len(value)
        yield Item(kind, value, at, end, before["sign"] is not None, before["weight"])
        at = end


def _quoted_value(line: str, start: int) -> tuple[str, int]:
    """Read to the closing quotation mark, two of them standing for one, or else to the line's end.

    Gives what stands there, and where it ends.
    """
    found = _QUOTED.match(line, start)
    assert found, "the expression matches nothing, too"
    return found[1].replace('""', '"'), found.end()


def _weight(item: Item) -> float | None:
    if item.weight is None:
        return None
    if item.unwanted:
        raise QueryError("q", _("Excluded terms can't have a weight."), item.position)
    weight = float(item.weight)
    if not 0 < weight <= MAX_WEIGHT:
        raise QueryError(
            "q",
            _("A weight must be above 0 and at most %(max_weight)s.") % {"max_weight": MAX_WEIGHT},
            item.position,
        )
    return weight


def _is_filter(word: str) -> bool:
    """Whether a word is a filter's key and value, as format:png is."""
    found = _KEY.match(word)
    return found is not None and with_key(found[1].lower(), word[found.end() :]) is not None


def _add_filter(filters: dict[str, Value], item: Item) -> None:
    key, text = item.kind.lower(), clean_text(item.value)
    at = item.position + len(item.kind) + 1
    filter = with_key(key, text)
    if filter is None:
        known = ", ".join(dict.fromkeys(f"{own.key}:" for own in FILTERS))
        raise QueryError(
            "q",
            _(
                "There is no filter '%(kind)s:'. The filters are %(known)s. "
                "To search for the words themselves, put them in quotes."
            )
            % {"kind": item.kind, "known": known},
            item.position,
        )
    if filter.name in filters:
        raise QueryError("q", _("'%(key)s:' can only be used once.") % {"key": key}, item.position)
    if not text:
        raise QueryError("q", _("A value is missing after the colon."), at)
    try:
        filters[filter.name] = filter.parse(text)
    except QueryError as error:
        raise QueryError("q", error.message, at) from error


def format_bar(query: Query) -> str:
    """Return the line that parse_bar reads as this query's words, tags and filters."""
    words = [query.text]
    words += [_phrase(phrase, weight) for phrase, weight in query.phrases.items()]
    words += [f"{_prefix(query.tag_weights.get(name, 1))}#{quoted(name)}" for name in query.tags]
    words += [f"-#{quoted(name)}" for name in query.exclude_tags]
    words += [f"-{word}" for word in query.exclude_words]
    words += [f"-{_always_quoted(query.exclude_text)}"] if query.exclude_text else []
    for name, value in query.filters.items():
        if not (name == "album" and isinstance(value, int)):  # an album's number is in the address
            words.append(f"{BY_NAME[name].key}:{quoted(BY_NAME[name].format(value))}")
    return " ".join(word for word in words if word)


def _prefix(weight: float) -> str:
    return "" if weight == 1 else f"{weight:g}:"


def _phrase(phrase: str, weight: float) -> str:
    return f"{_prefix(weight)}{_always_quoted(phrase)}"


def _always_quoted(value: str) -> str:
    doubled = value.replace('"', '""')
    return f'"{doubled}"'


def quoted(value: str) -> str:
    """Return a tag or a value as the bar reads it; tags with quotation marks from their own link, too."""
    return _always_quoted(value) if " " in value or '"' in value else value
