"""What people do to a picture's tags. It outlives every re-extraction."""

import contextlib

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from gallery import extractor_switch
from gallery.imaging.written import BEST, Written
from gallery.models import Favourite, Image, ImageTag, Tag
from gallery.models.tag import normalize

AT_A_TIME = 500  # pictures in one transaction


def add(image: Image, name: str) -> ImageTag:
    """Give the picture a tag by a person's word; ValidationError if `name` cannot be a tag."""
    return _decide(image, name, ImageTag.Source.PERSON, confidence=1.0)


def remove(image: Image, name: str) -> None:
    """Take a tag from the picture, whoever gave it, and keep extractors from giving it again."""
    _decide(image, name, ImageTag.Source.REMOVED, confidence=0.0)


def add_written(image: Image, written: Written, rated: bool) -> None:
    """Give the picture the tags that people wrote into its file, and if `rated` five stars as a heart.

    What was decided about a tag here stays; a heart is given once, for its owner may take it away.
    """
    names = set()
    for word in written.keywords:
        with contextlib.suppress(ValidationError):  # no word that can be a tag
            names.add(normalize(word))
    with transaction.atomic():
        if names:
            tag_ids = Tag.objects.ids_for(names)
            decided = ImageTag.objects.filter(image=image, tag_id__in=tag_ids.values())
            said = set(decided.filter(extractor="").values_list("tag_id", flat=True))
            new = [tag_id for tag_id in tag_ids.values() if tag_id not in said]
            decided.filter(tag_id__in=new).delete()
            ImageTag.objects.bulk_create(
                [ImageTag(image=image, tag_id=tag_id, source=ImageTag.Source.PERSON) for tag_id in new]
            )
        if rated and written.rating == BEST:
            Favourite.objects.get_or_create(user_id=image.owner_id, image=image)


def add_to_all(images: QuerySet[Image], name: str) -> int:
    """Give the pictures a tag by a person's word; how many they are. ValidationError as `add`."""
    return _decide_all(images, name, ImageTag.Source.PERSON, confidence=1.0)


def remove_from_all(images: QuerySet[Image], name: str) -> int:
    """Take a tag from the pictures as `remove` does; how many they are."""
    return _decide_all(images, name, ImageTag.Source.REMOVED, confidence=0.0)


def _decide(image: Image, name: str, source: ImageTag.Source, confidence: float) -> ImageTag:
    _decide_all(Image.objects.filter(pk=image.pk), name, source, confidence)
    return ImageTag.objects.get(
        image=image, tag_id=Tag.objects.ids_of({normalize(name)})[normalize(name)], extractor=""
    )


def _decide_all(images: QuerySet[Image], name: str, source: ImageTag.Source, confidence: float) -> int:
    name = normalize(name)
    with transaction.atomic():
        tag_id = Tag.objects.ids_for({name})[name]
        ids = list(images.values_list("pk", flat=True))
        ImageTag.objects.filter(image__in=ids, tag_id=tag_id).delete()
        given = {"tag_id": tag_id, "source": source, "confidence": confidence}
        ImageTag.objects.bulk_create([ImageTag(image_id=pk, **given) for pk in ids])
    return len(ids)


def replace(owner_id: int, name: str, instead: str) -> int:
    """Give a person's own pictures another tag in the place of one, or '' for none; how many. A task, too.

    The old tag does not come back, whatever extractors say. ValidationError as `add`.
    """
    name, instead = normalize(name), normalize(instead) if instead.strip() else ""
    count = 0
    shown = ImageTag.objects.shown(extractor_switch.current().key)
    carrying = shown.filter(tag__name=name, image__owner_id=owner_id, image__trashed_at=None)
    ids = list(carrying.order_by("image_id").values_list("image_id", flat=True).distinct())
    if instead == name:
        return 0
    for start in range(0, len(ids), AT_A_TIME):
        some = Image.objects.filter(pk__in=ids[start : start + AT_A_TIME])
        with transaction.atomic():
            count += remove_from_all(some, name)
            if instead:
                add_to_all(some, instead)
    return count
