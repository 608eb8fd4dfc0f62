"""How results are shown."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def share_of(part: float, parts: Any) -> int:
    """How much of a result's score a part of it is, in per cent; what counts against it is left out."""
    total = sum(max(value, 0) for value in (parts.image, parts.text, parts.tags))
    return round(100 * max(part, 0) / total) if total else 0
