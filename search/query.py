"""What was asked: parsed and validated, the same from the page's bar and from JSON."""

import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from gallery.models.tag import normalize

MAX_TEXT = 1000
MAX_TAGS = 50
MAX_PICTURES = 10

# In the bar: #tag, -#tag, and #"tag of several words".
_BAR_TAG = re.compile(r'(?<!\S)(-?)#(?:"([^"]*)"|(\S*))')


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

    def __post_init__(self):
        if len(self.text) > MAX_TEXT:
            raise QueryError("text", f"at most {MAX_TEXT} characters can be searched for; these are {len(self.text)}.")
        for field in ("tags", "exclude_tags"):
            if len(getattr(self, field)) > MAX_TAGS:
                raise QueryError(field, f"at most {MAX_TAGS} tags can be asked for at once.")
        if len(self.image_ids) + len(self.picture_keys) > MAX_PICTURES:
            raise QueryError("image", f"at most {MAX_PICTURES} pictures can be searched by at once.")
        both = set(self.tags) & set(self.exclude_tags)
        if both:
            raise QueryError("exclude_tags", f"'{min(both)}' cannot be both wanted and excluded.")

    def __bool__(self) -> bool:
        """Whether anything is asked that ranks pictures or leaves some out."""
        return bool(self.text or self.tags or self.exclude_tags or self.image_ids or self.picture_keys)


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


def parse_bar(line: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The search bar's line -> (text, wanted tags, excluded tags)."""
    found = {"": [], "-": []}
    for sign, quoted, word in _BAR_TAG.findall(line):
        found[sign].append(quoted or word)
    text = clean_text(_BAR_TAG.sub(" ", line))
    return text, clean_tags("q", found[""]), clean_tags("q", found["-"])


def format_bar(query: Query) -> str:
    """The line that parse_bar reads as this query's text and tags."""

    def tag(sign: str, name: str) -> str:
        return f'{sign}#"{name}"' if " " in name else f"{sign}#{name}"

    words = [query.text, *(tag("", name) for name in query.tags), *(tag("-", name) for name in query.exclude_tags)]
    return " ".join(word for word in words if word)


def from_address(parameters) -> Query:
    """The query in a page's address: `q` (the bar), `image` and `picture`, both repeatable. Takes a QueryDict."""
    text, tags, exclude_tags = parse_bar(parameters.get("q", "").strip())
    return Query(
        text=text,
        tags=tags,
        exclude_tags=exclude_tags,
        image_ids=tuple(dict.fromkeys(parse_id("image", value) for value in parameters.getlist("image"))),
        picture_keys=tuple(dict.fromkeys(parameters.getlist("picture"))),
    )


def parse_id(field: str, value: str) -> int:
    """A picture's number; QueryError for anything that cannot be one."""
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise QueryError(field, f"'{value[:40]}' is not the number of a picture.")
    return int(value)
