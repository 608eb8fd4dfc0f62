"""What pages say of the gallery as a whole."""

from django import template

from gallery import extractor_switch, verification

register = template.Library()


@register.simple_tag
def extraction_progress() -> extractor_switch.Progress:
    """Which extractor is searched, and how far a switch to another one is."""
    return extractor_switch.progress()


@register.simple_tag
def last_verification() -> verification.Outcome | None:
    """What the last look at every original found, or how far it is."""
    return verification.latest()
