"""What pictures must be to be found at all: ONE table of filters.

The bar, the address, the API and its schema, the page's help and the index's masks all read FILTERS. A new
filter is one more entry; where it asks for a column that the index does not hold yet, that is one entry in
search/index/columns.py and in search/index_rows.py.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.fields import empty

from gallery import access
from gallery.api.strict import Choice
from gallery.imaging import formats
from gallery.imaging.colors import NAMES
from gallery.numbers import whole_number
from search.index.columns import UNKNOWN
from search.index.words import fold, in_query
from search.query.color_words import COLORS
from search.query.conditions import Among, Condition, HasWords, InAlbums, Limit
from search.query.errors import QueryError

Value = int | str | bool
if TYPE_CHECKING:
    Field = serializers.Field[Any, Any, Any, Any]  # generic for type checkers alone
else:
    Field = serializers.Field

FOREVER = 2**62
DATES = {4: "%Y", 7: "%Y-%m", 10: "%Y-%m-%d"}  # by length: a year, a month, a day
LARGEST_SIDE = 1_000_000


@dataclass(frozen=True)
class Filter(ABC):
    """One thing that can be asked of pictures."""

    name: str  # in a Query and in the API
    key: str  # before the colon in the bar
    column: str  # of the index; '' where it is not one column
    help: str | Promise
    example: str

    @abstractmethod
    def parse(self, text: str) -> Value:
        """Read the value from its word in the bar; QueryError says what it must be."""

    def check(self, value: Value) -> None:
        """Raise QueryError for a value that cannot be."""
        self.parse(str(value))

    def format(self, value: Value) -> str:
        """Write the value as the bar's word."""
        return str(value)

    @abstractmethod
    def limit(self, value: Value, user: Any) -> Condition:
        """Look the value up, as far as `user` may: what the index is asked for."""

    @abstractmethod
    def api_field(self) -> Field:
        """Make the field of the API's search."""

    @property
    def options(self) -> dict[str, Any]:
        """What every API field of a filter has."""
        return {"required": False, "help_text": self.help}


@dataclass(frozen=True)
class DateFilter(Filter):
    """From a date on, or before it. A date is a year, a month or a day and stands for its first moment."""

    is_end: bool

    def parse(self, text: str) -> Value:
        moment(self.name, text)
        return text

    def limit(self, value: Value, user: Any) -> Limit:
        start = self._in_index(moment(self.name, str(value)))
        if self.is_end:
            return Limit(self.column, UNKNOWN + 1, start - 1)
        return Limit(self.column, start, FOREVER)

    def _in_index(self, start: datetime) -> int:
        """As the column counts: when it was taken by the clock there, when it came here by the site's."""
        if self.column == "taken":
            return int(start.replace(tzinfo=UTC).timestamp()) * 1000
        return int(start.replace(tzinfo=timezone.get_default_timezone()).timestamp())

    def api_field(self) -> Field:
        return serializers.CharField(max_length=10, allow_blank=True, **self.options)


class _Flag(serializers.BooleanField):
    """A flag that a form leaves out is not asked, instead of false."""

    default_empty_html = empty


@dataclass(frozen=True)
class FlagFilter(Filter):
    """A yes-or-no question, `is:word` in the bar."""

    word: str
    condition: Callable[[Any], Condition]  # of the person who asks

    def parse(self, text: str) -> Value:
        if text.lower() != self.word:
            words = ", ".join(f"'{own.word}'" for own in FILTERS if isinstance(own, FlagFilter))
            raise QueryError(self.name, _("'is:' accepts only %(words)s.") % {"words": words})
        return True

    def check(self, value: Value) -> None:
        if not isinstance(value, bool):
            raise QueryError(self.name, _("This must be true or false."))

    def format(self, value: Value) -> str:
        return self.word

    def limit(self, value: Value, user: Any) -> Condition:
        return self.condition(user)

    def api_field(self) -> Field:
        return _Flag(**self.options)


@dataclass(frozen=True)
class WordFilter(Filter):
    """Words that must be written in one place: the file's name, say."""

    field: str  # as in search.index.words

    def parse(self, text: str) -> Value:
        if not in_query(text):
            raise QueryError(self.name, _("Give a word."))
        return text

    def limit(self, value: Value, user: Any) -> Condition:
        text = formats.without_extension(str(value)) if self.field == "name" else str(value)
        wanted = tuple(tuple(f"{self.field}:{form}" for form in own) for own in in_query(text))
        return HasWords(wanted, access.scope(user) if self.field == "place" else None)

    def api_field(self) -> Field:
        return serializers.CharField(max_length=200, allow_blank=True, **self.options)


@dataclass(frozen=True)
class ChoiceFilter(Filter):
    """One of a few words."""

    field: str
    choices: tuple[str, ...]
    synonyms: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def parse(self, text: str) -> Value:
        word = fold(text)
        word = self.synonyms.get(word, word)
        if word not in self.choices:
            raise QueryError(self.name, _("Choose one of: %(values)s.") % {"values": ", ".join(self.choices)})
        return word

    def limit(self, value: Value, user: Any) -> Condition:
        return HasWords(((f"{self.field}:{value}",),))

    def api_field(self) -> Field:
        return Choice(list(self.choices), **self.options)


@dataclass(frozen=True)
class FormatFilter(Filter):
    """A file format, by any of its names."""

    def parse(self, text: str) -> Value:
        found = formats.named(text)
        if found is None:
            names = ", ".join(formats.BY_NAME)
            raise QueryError(self.name, _("Choose one of: %(values)s.") % {"values": names})
        return found.name

    def limit(self, value: Value, user: Any) -> Limit:
        number = list(formats.BY_NAME).index(str(value))
        return Limit(self.column, number, number)

    def api_field(self) -> Field:
        return Choice(list(formats.BY_NAME), **self.options)


@dataclass(frozen=True)
class SizeFilter(Filter):
    """At least so many pixels along the longer side."""

    def parse(self, text: str) -> Value:
        number = whole_number(text.lower().removesuffix("px"))
        if number is None:
            raise QueryError(self.name, _("'%(value)s' is not a number.") % {"value": text[:40]})
        if number > LARGEST_SIDE:
            raise QueryError(self.name, _("The size must be from 0 to 1000000 pixels."))
        return number

    def limit(self, value: Value, user: Any) -> Limit:
        return Limit(self.column, int(value), FOREVER)

    def api_field(self) -> Field:
        return serializers.IntegerField(min_value=0, max_value=LARGEST_SIDE, **self.options)


@dataclass(frozen=True)
class OwnerFilter(Filter):
    """Whose pictures, by user name."""

    def parse(self, text: str) -> Value:
        return text

    def limit(self, value: Value, user: Any) -> Limit:
        """Nobody has number 0, so a name that does not exist tells nothing of who exists.

        It finds no pictures.
        """
        people = get_user_model().objects.filter(username=value)
        number = people.values_list("pk", flat=True).first() or 0
        return Limit(self.column, number, number)

    def api_field(self) -> Field:
        return serializers.CharField(max_length=150, allow_blank=True, **self.options)


class AlbumField(Field):
    """An album's number or its title."""

    _spectacular_annotation: dict[str, Any] = {"field": {"oneOf": [{"type": "integer"}, {"type": "string"}]}}

    def to_internal_value(self, data: Any) -> int | str:
        if isinstance(data, str) and 0 < len(data) <= 200 and data.isprintable():
            number = whole_number(data)
            return data if number is None else number
        if isinstance(data, int) and not isinstance(data, bool) and 0 < data <= 2**53:
            return data
        raise serializers.ValidationError(_("Must be an album's number or its title."))


@dataclass(frozen=True)
class AlbumFilter(Filter):
    """In the albums of this number or title that the person sees; several people may give the same title."""

    def parse(self, text: str) -> Value:
        return text

    def check(self, value: Value) -> None:
        """Whether it exists is looked up by `limit`, for the person who asks."""

    def limit(self, value: Value, user: Any) -> InAlbums:
        by: dict[str, Value] = {"pk": value} if isinstance(value, int) else {"title__iexact": value}
        ids = tuple(access.visible_albums(user).filter(**by).values_list("pk", flat=True))
        if not ids:
            raise QueryError(self.name, _("There is no album %(album)s.") % {"album": value})
        return InAlbums(ids)

    def api_field(self) -> Field:
        return AlbumField(**self.options)


def _flag(word: str, help: str | Promise, condition: Callable[[Any], Condition]) -> FlagFilter:
    return FlagFilter(word, "is", "", help, f"is:{word}", word, condition)


def _favourites(user: Any) -> tuple[int, ...]:
    return tuple(access.favourites(user).values_list("image_id", flat=True))


FILTERS: tuple[Filter, ...] = (
    AlbumFilter("album", "album", "", gettext_lazy("In an album, by title"), "album:Corsica"),
    OwnerFilter("owner", "owner", "owners", gettext_lazy("Whose picture it is"), "owner:ana"),
    DateFilter(
        "after",
        "after",
        "taken",
        gettext_lazy("Taken in this year or month, on this day, or later"),
        "after:2024-05",
        False,
    ),
    DateFilter("before", "before", "taken", gettext_lazy("Taken before"), "before:2025", True),
    DateFilter(
        "added_after", "added-after", "added", gettext_lazy("Added then or later"), "added-after:2026", False
    ),
    DateFilter(
        "added_before", "added-before", "added", gettext_lazy("Added before"), "added-before:2026-02", True
    ),
    FormatFilter("format", "format", "formats", gettext_lazy("The file format"), "format:png"),
    SizeFilter(
        "min_size", "min-size", "sides", gettext_lazy("Pixels along the longer side"), "min-size:2000"
    ),
    WordFilter("name", "name", "", gettext_lazy("Words in the file's name"), "name:IMG_2019", "name"),
    WordFilter("place", "place", "", gettext_lazy("Town, region or country"), "place:Lisbon", "place"),
    WordFilter("camera", "camera", "", gettext_lazy("Make or model"), "camera:canon", "camera"),
    WordFilter("lens", "lens", "", gettext_lazy("Words in the lens's name"), "lens:35mm", "lens"),
    ChoiceFilter(
        "color",
        "color",
        "",
        gettext_lazy("A colour that covers much of it"),
        "color:blue",
        "color",
        NAMES,
        COLORS,
    ),
    ChoiceFilter(
        "orientation",
        "orientation",
        "",
        gettext_lazy("landscape, portrait or square"),
        "orientation:portrait",
        "look",
        ("landscape", "portrait", "square"),
    ),
    _flag("untagged", gettext_lazy("Without tags"), lambda user: Limit("tagged", 0, 0)),
    _flag("favourite", gettext_lazy("Your favourites"), lambda user: Among(_favourites(user))),
    _flag("mine", gettext_lazy("Your own"), lambda user: Limit("owners", user.pk or 0, user.pk or 0)),
    _flag(
        "shared",
        gettext_lazy("Other people's, shared with you"),
        lambda user: Limit("owners", user.pk or 0, user.pk or 0, outside=True),
    ),
    _flag("bw", gettext_lazy("Black and white"), lambda user: HasWords((("color:bw",),))),
    _flag("screenshot", gettext_lazy("Screenshots"), lambda user: HasWords((("look:screenshot",),))),
)
BY_NAME = {filter.name: filter for filter in FILTERS}


def with_key(key: str, text: str) -> Filter | None:
    """Find the filter that `key:text` in the bar means; of several flags the one that has this word."""
    key = {"colour": "color"}.get(key, key)
    same = [filter for filter in FILTERS if filter.key == key]
    for filter in same:
        if isinstance(filter, FlagFilter) and filter.word == text.lower():
            return filter
    return same[0] if same else None


class Filters(Mapping[str, Value]):
    """The filters of a query by name; those that ask for nothing are left out.

    QueryError for a wrong value.
    """

    def __init__(self, **values: Value | None) -> None:
        self._values = {name: value for name, value in values.items() if value not in (None, "", False, 0)}
        for name, value in self._values.items():
            BY_NAME[name].check(value)

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Filters({self._values})"

    @property
    def album_id(self) -> int | None:
        """The album's number, where it is named by one."""
        album = self._values.get("album")
        return album if isinstance(album, int) else None

    def limits(self, user: Any) -> list[Condition]:
        """Look everything up; QueryError for an album that `user` does not see."""
        return [BY_NAME[name].limit(value, user) for name, value in self._values.items()]


def moment(field: str, date: str) -> datetime:
    """Give the first moment of a year, month or day, without a zone.

    Written '2024', '2024-05' or '2024-05-17'; QueryError for anything else.
    """
    try:
        start = datetime.strptime(date, DATES[len(date)])
    except (KeyError, ValueError) as error:
        text = _("'%(value)s' is not a date like 2024, 2024-05 or 2024-05-17.") % {"value": date[:40]}
        raise QueryError(field, text) from error
    if not 1800 < start.year < 9000:
        raise QueryError(field, _("'%(date)s' is not a plausible year.") % {"date": date})
    return start
