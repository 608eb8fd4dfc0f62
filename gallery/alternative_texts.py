"""What a picture shows, in words, for people who do not see it."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from gallery import extractor_switch
from gallery.models import Image, ImageTag

MOST = 3  # tags


def describe(images: Iterable[Image]) -> list[Image]:
    """Give each picture `alt`: its caption, or its first tags, or that there is none; in one statement."""
    found = list(images)
    silent = [image.pk for image in found if not image.caption]
    tags: dict[int, list[str]] = {}
    if silent:
        shown = ImageTag.objects.shown(extractor_switch.current().key).filter(image__in=silent)
        for pk, name in shown.order_by("-confidence").values_list("image_id", "tag__name"):
            if len(own := tags.setdefault(pk, [])) < MOST:
                own.append(name)
    for image in found:
        image.alt = (
            image.caption[:200] or ", ".join(tags.get(image.pk, ())) or _("Picture without a description")
        )
    return found
