"""What pages of other apps show of searching."""

from django import template

from gallery.models import Image
from search import engine, neighbours

register = template.Library()


@register.simple_tag
def similar_images(image: Image, user) -> list[engine.Result]:
    """The pictures most like this one, among those that `user` may see."""
    return engine.similar(image, user)


@register.simple_tag
def neighbours_of(image: Image, request) -> neighbours.Neighbours:
    """The pictures before and after this one in the list that it was opened from."""
    return neighbours.around(image, request.user, request.GET)


@register.filter
def share_of(part: float, parts) -> int:
    """How much of a result's score a part of it is, in per cent; what counts against it is left out."""
    total = sum(max(value, 0) for value in (parts.image, parts.text, parts.tags))
    return round(100 * max(part, 0) / total) if total else 0
