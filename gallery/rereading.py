"""Looking at pictures again: what files say that was not read when they came, and the names of places."""

import dataclasses
import logging

from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from sorl.thumbnail import delete as delete_thumbnails

from gallery import tagging
from gallery.extraction.pipeline import Source, decode
from gallery.files import storage
from gallery.imaging import metadata, places
from gallery.imaging.camera import CameraFacts
from gallery.imaging.decoder import DecodeError, decoder
from gallery.imaging.pixels import HASHED
from gallery.imaging.written import Written
from gallery.models import Image
from gallery.models.image import GREY

logger = logging.getLogger(__name__)

# What `measure_batch` writes.
MEASURED = [
    "perceptual_hash",
    "color",
    "colors",
    "place",
    "taken_at",
    "taken_offset",
    "taken_local",
    "taken_precision",
    "taken_is_guess",
    "caption",
    "format",
    "width",
    "height",
    "is_cut_off",
    "latitude",
    "longitude",
    "metadata_version",
]
MEASURED += [field.name for field in dataclasses.fields(CameraFacts)]


def unmeasured() -> QuerySet[Image]:
    """Find images of which less is known than is kept now.

    Those that were processed before hashes and mean colours were kept, or by an earlier version of what is
    read today.
    """
    behind = Q(color=None, status=Image.Status.READY) | Q(metadata_version__lt=metadata.VERSION)
    return Image.objects.filter(behind).order_by("id")


def measure_batch(size: int) -> int:
    """Look at up to `size` of these again: what they look like, and what their files say.

    The number of images.

    One that cannot be decoded any more is like no other.
    """
    images = list(unmeasured()[:size])
    done = []
    for image in images:
        before = image.metadata_version
        try:
            written = _look_again(image)
        except (
            OSError,
            DatabaseError,
        ) as error:  # of the disk, not of the picture: it is there again some time
            if not isinstance(error, FileNotFoundError) or not storage.is_there(image.original):
                logger.warning("Pictures cannot be looked at again now: %s", error)
                break
            written = None
        except DecodeError as error:
            logger.warning("Image %d cannot be measured: %s", image.pk, error)
            written = None
        image.metadata_version = metadata.VERSION
        if image.color is None:
            image.perceptual_hash, image.color = 0, GREY
        done.append((image, written, before))
    _keep_what_was_seen(done)
    return len(done)


def _look_again(image: Image) -> Written:
    """Decode a picture and read what its file says; nothing is saved."""
    decoded = decode(Source(image.original, image.turn), 4 * HASHED)
    image.perceptual_hash, image.color = decoded.perceptual_hash, decoded.color
    image.colors = decoded.colors
    with image.original.storage.open(image.original_name) as file:
        facts = decoder().examine(file)
    image.describe(facts)
    return facts.written


def _keep_what_was_seen(done: list[tuple[Image, Written | None, int]]) -> None:
    """Write it, but for what a person said while the files were read, and for pictures turned meanwhile."""
    with transaction.atomic():
        now = Image.objects.in_bulk([image.pk for image, *_ in done])
        kept = [own for own in done if own[0].pk in now and now[own[0].pk].turn == own[0].turn]
        for image, _, _ in kept:
            image.keep_corrections(now[image.pk])
        Image.objects.bulk_update([image for image, *_ in kept], MEASURED)
        # Found to be of another format, as raw files that were taken for the TIFF of a stamp: read once more.
        other = [image.pk for image, *_ in kept if now[image.pk].format != image.format]
        Image.objects.filter(pk__in=other).update(status=Image.Status.PENDING, attempts=0)
        for image, written, before in kept:
            if written:
                tagging.add_written(image, written, rated=before < metadata.RATED_SINCE)
    for image, *_ in kept:
        if image.pk in other:
            delete_thumbnails(image.original, delete_file=False)
    name_places([image for image, *_ in kept])


def name_places(images: list[Image]) -> None:
    """Name the places of pictures that have a location and no name for it yet."""
    for image in images:
        if image.latitude is None or image.place:
            continue
        if name := _place_of(image):  # unless a person said something else meanwhile
            here = {"latitude": image.latitude, "longitude": image.longitude}
            Image.objects.filter(pk=image.pk, place="", **here).update(place=name)


def name_places_of(image_ids: list[int]) -> str:
    """Name the places of these pictures, whose location a person or a file beside them told."""
    name_places(list(Image.objects.filter(pk__in=image_ids)))
    return f"{len(image_ids)} pictures"


def _place_of(image: Image) -> str:
    if image.latitude is None or image.longitude is None:
        return ""
    return places.name_of(image.latitude, image.longitude)
