"""What people do to a picture's tags. It outlives every re-extraction."""

from django.db import transaction

from gallery.models import Image, ImageTag, Tag
from gallery.models.tag import normalize


def add(image: Image, name: str) -> ImageTag:
    """Give the picture a tag by a person's word; ValidationError if `name` cannot be a tag."""
    return _decide(image, name, ImageTag.Source.PERSON, confidence=1.0)


def remove(image: Image, name: str) -> None:
    """Take a tag from the picture, whoever gave it, and keep extractors from giving it again."""
    _decide(image, name, ImageTag.Source.REMOVED, confidence=0.0)


def _decide(image: Image, name: str, source: ImageTag.Source, confidence: float) -> ImageTag:
    name = normalize(name)
    with transaction.atomic():
        tag_id = Tag.objects.ids_for({name})[name]
        ImageTag.objects.filter(image=image, tag_id=tag_id).delete()
        return ImageTag.objects.create(image=image, tag_id=tag_id, source=source, confidence=confidence)
