"""The worker's part: claim a batch of pending images, extract, store, retry."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from gallery.extraction import pixels, registry
from gallery.extraction.base import Extraction, Extractor
from gallery.models import Embedding, Image, ImageTag, Tag

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# A worker that has not stored its batch by then is taken for dead, and its images return.
LEASE = timedelta(minutes=2)


def enqueue() -> None:
    """Ask the worker to look for pending images. Call it after they are committed."""
    async_task("gallery.tasks.extract_pending", group="extraction")


def install_schedule(**kwargs) -> None:
    """After `migrate`: once a minute the worker looks by itself, for images whose worker died and lost requests."""
    Schedule.objects.update_or_create(
        name="extract pending pictures",
        defaults={"func": "gallery.tasks.extract_pending", "schedule_type": Schedule.MINUTES, "minutes": 1},
    )


def extract_pending() -> str:
    """Extract one batch, and ask for the next while there is more: a worker told to stop ends after one batch."""
    done = extract_batch(settings.EXTRACTION_BATCH_SIZE)
    if done and claimable().exists():
        enqueue()
    return f"{done} pictures"


def extract_batch(size: int) -> int:
    """Claim up to `size` images, extract them and store what came out; the number of images claimed."""
    images = claim(size)
    if not images:
        return 0
    extractor = registry.load()
    extractions: dict[Image, Extraction] = {}
    errors: dict[Image, Exception] = {}
    decoded = _decode(images, extractor, errors)
    try:
        extractions = dict(zip(decoded, extractor.extract(list(decoded.values())), strict=True))
    except Exception:
        logger.exception("A batch of %d failed; its pictures are tried one by one", len(decoded))
        for image, picture in decoded.items():
            try:
                extractions[image] = extractor.extract([picture])[0]
            except Exception as error:
                errors[image] = error
    store(extractions, extractor.key())
    for image, error in errors.items():
        record_failure(image, error)
    return len(images)


def claimable() -> QuerySet[Image]:
    """Images waiting to be read, and those whose worker's lease ran out. Fresh ones come first."""
    dead = Q(status=Image.Status.PROCESSING, lease_expires_at__lt=timezone.now())
    return Image.objects.filter(Q(status=Image.Status.PENDING) | dead).order_by("attempts", "id")


def claim(size: int) -> list[Image]:
    """Lease up to `size` images to this worker; the objects are as they were before this attempt was counted.

    An image that was begun before is claimed alone: if it is the one that kills workers, it takes no other with it.
    One that was begun MAX_ATTEMPTS times and never came back is FAILED.
    """
    with transaction.atomic():
        Image.objects.filter(pk__in=claimable().filter(attempts__gte=MAX_ATTEMPTS).values("pk")).update(
            status=Image.Status.FAILED,
            lease_expires_at=None,
            error=f"Reading it stopped the worker {MAX_ATTEMPTS} times.",
        )
        images = list(claimable()[:size])
        fresh = [image for image in images if not image.attempts]
        images = fresh or images[:1]
        Image.objects.filter(pk__in=[image.pk for image in images]).update(
            status=Image.Status.PROCESSING, attempts=F("attempts") + 1, lease_expires_at=timezone.now() + LEASE
        )
    return images


def store(extractions: dict[Image, Extraction], key: str) -> None:
    """Write a batch's tags and embeddings and make its images READY, in one transaction.

    Images deleted meanwhile are passed over; a tag that a person gave stays the person's.
    """
    with transaction.atomic():
        kept = set(Image.objects.filter(pk__in=[image.pk for image in extractions]).values_list("pk", flat=True))
        extractions = {image.pk: extraction for image, extraction in extractions.items() if image.pk in kept}
        tag_ids = Tag.objects.ids_for({tag for extraction in extractions.values() for tag in extraction.tags})
        ImageTag.objects.filter(image__in=kept, source=ImageTag.Source.EXTRACTOR).delete()
        ImageTag.objects.bulk_create(
            [
                ImageTag(
                    image_id=image_id,
                    tag_id=tag_ids[tag],
                    confidence=confidence,
                    source=ImageTag.Source.EXTRACTOR,
                    extractor=key,
                )
                for image_id, extraction in extractions.items()
                for tag, confidence in extraction.tags.items()
            ],
            ignore_conflicts=True,
        )
        Embedding.objects.bulk_create(
            [
                Embedding(
                    image_id=image_id,
                    extractor=key,
                    dim=len(extraction.embedding),
                    vector=extraction.embedding.astype("<f4").tobytes(),
                )
                for image_id, extraction in extractions.items()
            ],
            update_conflicts=True,
            unique_fields=["image", "extractor"],
            update_fields=["dim", "dtype", "vector"],
        )
        Image.objects.filter(pk__in=kept).update(status=Image.Status.READY, error="", lease_expires_at=None)


def record_failure(image: Image, error: Exception) -> None:
    """Put an image back for another attempt, or give up after MAX_ATTEMPTS, with the reason."""
    attempts = image.attempts + 1  # `image` is as it was before the claim counted this attempt
    status = Image.Status.FAILED if attempts >= MAX_ATTEMPTS else Image.Status.PENDING
    logger.warning("Image %d, attempt %d: %s: %s", image.pk, attempts, type(error).__name__, error)
    Image.objects.filter(pk=image.pk, status=Image.Status.PROCESSING).update(
        status=status, error=explain(error), lease_expires_at=None
    )


def explain(error: Exception) -> str:
    """An exception as a sentence for the picture's owner."""
    match error:
        case FileNotFoundError():
            return "The original file is missing from the server's disk."
        case MemoryError():
            return "There was not enough memory to read this picture."
        case _:
            return f"The picture could not be read ({type(error).__name__}: {str(error)[:200]})."


def retry(images: QuerySet[Image]) -> int:
    """Begin anew with FAILED images; how many there were."""
    count = images.filter(status=Image.Status.FAILED).update(status=Image.Status.PENDING, attempts=0, error="")
    if count:
        transaction.on_commit(enqueue)
    return count


def _decode(images: list[Image], extractor: Extractor, errors: dict[Image, Exception]) -> dict:
    """The images' pixels; failures go into `errors`."""
    results = pixels.load_many([image.original.path for image in images], extractor.at_least)
    decoded = {}
    for image, result in zip(images, results, strict=True):
        (errors if isinstance(result, Exception) else decoded)[image] = result
    return decoded
