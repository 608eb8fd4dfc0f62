"""What was asked: parsed and validated, the same from the page's bar and from JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from gallery.models.tag import normalize
from search.fusion import COMPONENTS, FUSIONS

MAX_TEXT = 1000
MAX_TAGS = 50
MAX_PICTURES = 10

MAX_WEIGHT = 100

# In the bar: #tag, -#tag, and #"tag of several words"; -"unwanted words".
_BAR_TAG = re.compile(r'(?<!\S)(-?)#(?:"([^"]*)"|(\S*))')
_BAR_UNWANTED = re.compile(r'(?<!\S)-"([^"]*)"')


class QueryError(Exception):
    """A query that cannot be answered: which field, and a sentence that says why."""

    def __init__(self, field: str, message: str):
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


@dataclass(frozen=True)
class Query:
    """A validated query. Tags are normalized and without repetition; pictures are named, not yet looked up."""

    text: str = ""
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    image_ids: tuple[int, ...] = ()  # pictures of the gallery
    picture_keys: tuple[str, ...] = ()  # uploaded query pictures
    album: int | None = None
    exclude_text: str = ""
    exclude_image_ids: tuple[int, ...] = ()
    weights: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(COMPONENTS, 1.0))
    fusion: str = "mean"

    def __post_init__(self):
        for name in ("text", "exclude_text"):
            length = len(getattr(self, name))
            if length > MAX_TEXT:
                raise QueryError(name, f"at most {MAX_TEXT} characters can be searched for; these are {length}.")
        for name in ("tags", "exclude_tags"):
            if len(getattr(self, name)) > MAX_TAGS:
                raise QueryError(name, f"at most {MAX_TAGS} tags can be asked for at once.")
        if len(self.image_ids) + len(self.picture_keys) + len(self.exclude_image_ids) > MAX_PICTURES:
            raise QueryError("image", f"at most {MAX_PICTURES} pictures can be searched by at once.")
        both = set(self.tags) & set(self.exclude_tags)
        if both:
            raise QueryError("exclude_tags", f"'{min(both)}' cannot be both wanted and excluded.")
        both = set(self.image_ids) & set(self.exclude_image_ids)
        if both:
            raise QueryError("exclude_image", f"picture {min(both)} cannot be both wanted and unwanted.")
        if self.fusion not in FUSIONS:
            raise QueryError("fusion", f"must be one of: {', '.join(FUSIONS)}.")
        if self.weights.keys() != set(COMPONENTS) or not all(0 <= w <= MAX_WEIGHT for w in self.weights.values()):
            raise QueryError("weights", f"must give image, text and tags a number from 0 to {MAX_WEIGHT} each.")

    def __bool__(self) -> bool:
        """Whether anything is asked that ranks pictures or leaves some out."""
        wanted = self.text or self.tags or self.image_ids or self.picture_keys
        return bool(wanted or self.exclude_tags or self.exclude_text or self.exclude_image_ids or self.album)


def clean_text(text: str) -> str:
    """Free text with control characters as spaces and single spaces between words."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def clean_tags(field: str, names: list[str]) -> tuple[str, ...]:
    """Normalized tags, each once, in the order given; QueryError for one that cannot be a tag."""
    cleaned = {}
    for name in names:
        try:
            cleaned[normalize(name)] = None
        except ValidationError as error:
            raise QueryError(field, error.messages[0]) from error
    return tuple(cleaned)


def parse_bar(line: str) -> dict[str, str | tuple[str, ...]]:
    """The search bar's line -> the Query's text, tags, exclude_tags and exclude_text."""
    found = {"": [], "-": []}
    for sign, quoted, word in _BAR_TAG.findall(line):
        found[sign].append(quoted or word)
    rest = _BAR_TAG.sub(" ", line)
    return {
        "text": clean_text(_BAR_UNWANTED.sub(" ", rest)),
        "tags": clean_tags("q", found[""]),
        "exclude_tags": clean_tags("q", found["-"]),
        "exclude_text": clean_text(" ".join(_BAR_UNWANTED.findall(rest))),
    }


def format_bar(query: Query) -> str:
    """The line that parse_bar reads as this query's text and tags."""

    def tag(sign: str, name: str) -> str:
        return f'{sign}#"{name}"' if " " in name else f"{sign}#{name}"

    words = [query.text, *(tag("", name) for name in query.tags), *(tag("-", name) for name in query.exclude_tags)]
    words += [f'-"{query.exclude_text}"'] if query.exclude_text else []
    return " ".join(word for word in words if word)


def from_address(parameters) -> Query:
    """The query in a page's address: `q` (the bar), `album`, and `image`, `exclude_image` and `picture`, these
    repeatable. Takes a QueryDict."""
    return Query(
        **parse_bar(parameters.get("q", "").strip()),
        image_ids=_ids(parameters, "image"),
        exclude_image_ids=_ids(parameters, "exclude_image"),
        picture_keys=tuple(dict.fromkeys(parameters.getlist("picture"))),
        album=parse_id("album", parameters["album"]) if parameters.get("album") else None,
    )


def _ids(parameters, field: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(parse_id(field, value) for value in parameters.getlist(field)))


def parse_id(field: str, value: str) -> int:
    """A picture's or an album's number; QueryError for anything that cannot be one."""
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise QueryError(field, f"'{value[:40]}' is not a number.")
    return int(value)
