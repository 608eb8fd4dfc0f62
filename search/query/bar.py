"""The search bar's line <-> a Query.

The line is made of words, "phrases", #tags, -#excluded tags, -"unwanted words" and filters like
after:2024-05. A number and a colon before a word, a phrase or a tag weigh it: 2:#sailing. Quotes take a tag
or a value of several words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from search.query.query import MAX_WEIGHT, Filters, Query, QueryError, clean_tag, clean_text, parse_id

# The filters by the word that stands before their colon.
KEYS = {
    "album": "album",
    "owner": "owner",
    "after": "after",
    "before": "before",
    "added-after": "added_after",
    "added-before": "added_before",
    "format": "format",
    "min-size": "min_size",
    "is": "untagged",
}
# What may stand before a term: a minus before '#' or a quotation mark, a weight before anything.
_BEFORE = re.compile(r'(?P<sign>-(?=[\d.:]*[#"]))?(?:(?P<weight>\d+(?:\.\d+)?|\.\d+):(?=\S))?')
_KEY = re.compile(r"([A-Za-z][\w-]*):(?=\S)")
_REST = re.compile(r"\S*")


@dataclass(frozen=True)
class Item:
    """One piece of the line: `kind` is 'word', 'phrase', 'tag' or a filter's key."""

    kind: str
    value: str
    position: int  # of its first character
    unwanted: bool = False
    weight: str | None = None


def parse_bar(line: str) -> dict:
    """The bar's line -> fields of a Query; QueryError with the position of what cannot be read."""
    words, phrases, tags, tag_weights, filters = [], {}, {}, {}, {}
    exclude_tags, exclude_text = {}, []
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
            case "phrase", False:
                phrases[clean_text(item.value)] = weight or 1.0
            case "word", _ if weight is None:
                words.append(item.value)
            case "word", _:
                phrases[clean_text(item.value)] = weight
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
        "filters": Filters(**filters),
    }


def _items(line: str) -> Iterator[Item]:
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        before = _BEFORE.match(line, at)
        start = before.end()
        if start == at and (key := _KEY.match(line, at)):
            kind, start = key[1], key.end()
        elif line[start] == "#":
            kind, start = "tag", start + 1
        else:
            kind = "phrase" if line[start] == '"' else "word"
        if kind != "word" and line.startswith('"', start):
            closing = line.find('"', start + 1)
            if closing < 0:
                raise QueryError("q", _("this quotation mark is not closed."), start)
            value, end = line[start + 1 : closing], closing + 1
        else:
            end = _REST.match(line, start).end()
            value = line[start:end]
        yield Item(kind, value, at, before["sign"] is not None, before["weight"])
        at = end


def _weight(item: Item) -> float | None:
    if item.weight is None:
        return None
    if item.unwanted:
        raise QueryError("q", _("what is not wanted has no weight."), item.position)
    weight = float(item.weight)
    if not 0 < weight <= MAX_WEIGHT:
        raise QueryError(
            "q",
            _("a weight is a number above 0 and at most %(max_weight)s.") % {"max_weight": MAX_WEIGHT},
            item.position,
        )
    return weight


def _add_filter(filters: dict, item: Item) -> None:
    key = item.kind.lower()
    at = item.position + len(item.kind) + 1
    if key not in KEYS:
        known = ", ".join(f"{name}:" for name in KEYS)
        raise QueryError(
            "q",
            _("there is no filter '%(kind)s:'; there are %(known)s. To find these words, quote them.")
            % {"kind": item.kind, "known": known},
            item.position,
        )
    name = KEYS[key]
    if name in filters:
        raise QueryError("q", _("%(key)s: can be given once.") % {"key": key}, item.position)
    try:
        filters[name] = _value(name, clean_text(item.value))
        Filters(**{name: filters[name]})
    except QueryError as error:
        raise QueryError("q", f"{key}: {error.message}", at) from error


def _value(name: str, value: str) -> str | int | bool:
    """A filter's value from its word in the bar."""
    if not value:
        raise QueryError(name, _("there is nothing behind the colon."))
    match name:
        case "min_size":
            return parse_id(name, value.lower().removesuffix("px"))
        case "untagged":
            if value.lower() != "untagged":
                raise QueryError(name, _("the one thing that can be asked for is is:untagged."))
            return True
        case "format":
            return {"JPG": "JPEG", "TIF": "TIFF", "HEIC": "HEIF"}.get(value.upper(), value.upper())
    return value


def format_bar(query: Query) -> str:
    """The line that parse_bar reads as this query's words, tags and filters."""
    words = [query.text]
    words += [_phrase(phrase, weight) for phrase, weight in query.phrases.items()]
    words += [f"{_prefix(query.tag_weights.get(name, 1))}#{_quoted(name)}" for name in query.tags]
    words += [f"-#{_quoted(name)}" for name in query.exclude_tags]
    words += [f'-"{query.exclude_text}"'] if query.exclude_text else []
    for key, name in KEYS.items():
        value = getattr(query.filters, name)
        if name == "untagged":
            words += ["is:untagged"] if value else []
        elif value and not (
            name == "album" and isinstance(value, int)
        ):  # an album's number is in the address
            words.append(f"{key}:{_quoted(str(value))}")
    return " ".join(word for word in words if word)


def _prefix(weight: float) -> str:
    return "" if weight == 1 else f"{weight:g}:"


def _phrase(phrase: str, weight: float) -> str:
    return f"{weight:g}:{phrase}" if '"' in phrase else f'{_prefix(weight)}"{phrase}"'


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value
