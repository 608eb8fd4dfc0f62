"""What pages say of the gallery as a whole."""

from django import template

from gallery import serving

register = template.Library()


@register.simple_tag
def extraction_progress() -> serving.Progress:
    """Which extractor is searched, and how far a switch to another one is."""
    return serving.progress()
