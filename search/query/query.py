"""What was asked: parsed and validated, the same from the page's bar, from an address and from JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from gallery.models.tag import normalize
from gallery.numbers import whole_number
from search.index.fusion import FUSIONS, MEASURED_BEST
from search.index.ranking import COMPONENTS
from search.query.errors import QueryError
from search.query.filters import Filters

MAX_TEXT = 1000
MAX_TAGS = 50
MAX_PHRASES = 20
MAX_PICTURES = 10
MAX_WEIGHT = 100
DEFAULT_FUSION = MEASURED_BEST
ORDERS = ("best", "newest", "oldest", "added", "name", "size")


@dataclass(frozen=True)
class Query:
    """A validated query.

    Tags are normalized and without repetition; pictures are named, not yet looked up.
    """

    text: str = ""  # words that are read as one sentence
    phrases: Mapping[str, float] = field(
        default_factory=dict
    )  # more of them, each with its weight; `text` weighs 1
    tags: tuple[str, ...] = ()
    tag_weights: Mapping[str, float] = field(default_factory=dict)  # of tags that do not weigh 1
    exclude_tags: tuple[str, ...] = ()
    exclude_text: str = ""  # pushes down what is like it
    exclude_words: tuple[str, ...] = ()  # does so, too, and leaves out what carries a tag that a word names
    image_ids: tuple[int, ...] = ()  # pictures of the gallery
    picture_keys: tuple[str, ...] = ()  # uploaded query pictures
    exclude_image_ids: tuple[int, ...] = ()
    filters: Filters = field(default_factory=Filters)
    weights: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(COMPONENTS, 1.0))
    fusion: str = DEFAULT_FUSION
    order: str = "best"  # of the results, one of ORDERS

    def __post_init__(self) -> None:
        for name, texts in (("text", [self.text, *self.phrases]), ("exclude_text", [self.unwanted_text])):
            length = sum(map(len, texts))
            if length > MAX_TEXT:
                raise QueryError(
                    name,
                    _("Your text has %(length)s characters; the limit is %(max_text)s.")
                    % {"max_text": MAX_TEXT, "length": length},
                )
        if len(self.phrases) > MAX_PHRASES:
            raise QueryError(
                "phrases",
                _("Use at most %(max_phrases)s phrases.") % {"max_phrases": MAX_PHRASES},
            )
        for name in ("tags", "exclude_tags"):
            if len(getattr(self, name)) > MAX_TAGS:
                raise QueryError(name, _("Use at most %(max_tags)s tags.") % {"max_tags": MAX_TAGS})
        if len(self.image_ids) + len(self.picture_keys) + len(self.exclude_image_ids) > MAX_PICTURES:
            raise QueryError(
                "image",
                _("Use at most %(max_pictures)s example pictures.") % {"max_pictures": MAX_PICTURES},
            )
        if both := set(self.tags) & set(self.exclude_tags):
            raise QueryError(
                "exclude_tags", _("'%(both)s' can't be both wanted and excluded.") % {"both": min(both)}
            )
        if twice := set(self.image_ids) & set(self.exclude_image_ids):
            raise QueryError(
                "exclude_image",
                _("Picture %(both)s can't be both wanted and unwanted.") % {"both": min(twice)},
            )
        if self.fusion not in FUSIONS:
            raise QueryError("fusion", _("Choose one of: %(fusions)s.") % {"fusions": ", ".join(FUSIONS)})
        if self.order not in ORDERS:
            raise QueryError("sort", _("Choose one of: %(orders)s.") % {"orders": ", ".join(ORDERS)})
        self._check_weights()

    def _check_weights(self) -> None:
        if not self.weights.keys() <= set(COMPONENTS) or not all(
            0 <= w <= MAX_WEIGHT for w in self.weights.values()
        ):
            raise QueryError(
                "weights",
                _("Give image, text, tags and words a weight from 0 to %(max_weight)s each.")
                % {"max_weight": MAX_WEIGHT},
            )
        for name in ("phrases", "tag_weights"):
            if not all(0 < weight <= MAX_WEIGHT for weight in getattr(self, name).values()):
                raise QueryError(
                    name,
                    _("A weight must be above 0 and at most %(max_weight)s.") % {"max_weight": MAX_WEIGHT},
                )
        if strange := self.tag_weights.keys() - set(self.tags):
            raise QueryError(
                "tag_weights", _("'%(strange)s' is not one of the tags.") % {"strange": min(strange)}
            )

    def __bool__(self) -> bool:
        """Whether anything is asked that ranks pictures or leaves some out."""
        return self != Query(weights=self.weights, fusion=self.fusion, order=self.order)

    @property
    def has_balance(self) -> bool:
        """Whether the person weighed the components, or chose how they are fused."""
        return self.fusion != DEFAULT_FUSION or any(weight != 1 for weight in self.weights.values())

    @property
    def unwanted_text(self) -> str:
        """Everything that is unwanted in words."""
        return " ".join([self.exclude_text, *self.exclude_words]).strip()

    @property
    def texts(self) -> dict[str, float]:
        """Everything wanted in words, with its weight."""
        own = {self.text: 1.0} if self.text else {}
        return own | {phrase: weight + own.get(phrase, 0.0) for phrase, weight in self.phrases.items()}


def clean_text(text: str) -> str:
    """Free text with control characters as spaces and single spaces between words."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def clean_tags(field: str, names: list[str]) -> tuple[str, ...]:
    """Normalize tags, each once, in the order given; QueryError for one that cannot be a tag."""
    return tuple(dict.fromkeys(clean_tag(field, name) for name in names))


def clean_tag(field: str, name: str, position: int | None = None) -> str:
    """Return the tag normalized; QueryError if it cannot be one."""
    try:
        return normalize(name)
    except ValidationError as error:
        raise QueryError(field, error.messages[0], position) from error


def parse_id(field: str, value: str) -> int:
    """Read a picture's or an album's number; QueryError for anything that cannot be one."""
    number = whole_number(value)
    if number is None:
        raise QueryError(field, _("'%(value)s' is not a number.") % {"value": value[:40]})
    return number
