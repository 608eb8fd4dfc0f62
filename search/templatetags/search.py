"""What pages of other apps show of searching."""

from django import template

from gallery.models import Image
from search import engine

register = template.Library()


@register.simple_tag
def similar_images(image: Image, user) -> list[engine.Result]:
    """The pictures most like this one, among those that `user` may see."""
    return engine.similar(image, user)
