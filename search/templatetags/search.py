"""How results are shown."""

from typing import Any

from django import template
from django.utils.translation import gettext_lazy

from search.forms import COLORS
from search.query.bar import quoted

register = template.Library()


@register.filter
def share_of(part: float, parts: Any) -> int:
    """How much of a result's score a part of it is, in per cent; what counts against it is left out."""
    total = sum(max(value, 0) for value in (parts.image, parts.text, parts.tags, parts.words))
    return round(100 * max(part, 0) / total) if total else 0


@register.filter
def as_tag(name: str) -> str:
    """Write a tag as the bar reads it."""
    return f"#{quoted(name)}"


WHERE = {
    "name": gettext_lazy("file name"),
    "caption": gettext_lazy("caption"),
    "keyword": gettext_lazy("tags"),
    "place": gettext_lazy("place"),
    "text": gettext_lazy("text in the picture"),
    "album": gettext_lazy("album"),
}


@register.filter
def color_name(color: str) -> str:
    """Name a colour in the person's language."""
    return str(COLORS.get(color) or gettext_lazy("black and white"))


@register.filter
def places(matched: Any) -> str:
    """Say where a word of the query is written."""
    return ", ".join(str(WHERE[field]) for field in matched.where)
