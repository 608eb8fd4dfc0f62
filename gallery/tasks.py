"""The worker's part: claim a batch of pending images, extract, store, retry."""

import logging
from datetime import timedelta

import numpy as np
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from gallery import extractor_switch, rereading, text_reading
from gallery.extraction import registry
from gallery.extraction.base import Extraction, Extractor
from gallery.extraction.lite import Lite
from gallery.extraction.pipeline import Reading, Source, extract_files
from gallery.extractor_switch import MAX_ATTEMPTS
from gallery.files.storage import StoreError
from gallery.files.thumbnails import NewThumbnails
from gallery.imaging.decoder import DecodeError
from gallery.machine import machine_id
from gallery.models import Embedding, Image, ImageTag, Tag, TagDecision
from gallery.models.tag import normalize
from gallery.turns import claimable, given_up, in_turns

logger = logging.getLogger(__name__)

# A worker that has not stored its batch by then is taken for dead, and its images return.
LEASE = timedelta(minutes=2)
SUMMED_UP = 500  # embeddings at a time


def enqueue() -> None:
    """Ask the worker to look for pending images.

    As all that is asked of it, this is a row of the database: written in the transaction of what it is about,
    it is there if and only if that is.
    """
    async_task("gallery.tasks.extract_pending", group="extraction")


def install_schedule(**kwargs) -> None:
    """Install the schedules, after `migrate`.

    Once a minute the worker looks by itself, for images whose worker died and for lost requests.
    """
    Schedule.objects.update_or_create(
        name="extract pending pictures",
        defaults={"func": "gallery.tasks.extract_pending", "schedule_type": Schedule.MINUTES, "minutes": 1},
    )
    Schedule.objects.update_or_create(
        name="empty the trash",
        defaults={"func": "gallery.trash.purge", "schedule_type": Schedule.HOURLY},
    )
    Schedule.objects.update_or_create(
        name="forget failed attempts",
        defaults={"func": "gallery.throttle.forget", "schedule_type": Schedule.HOURLY},
    )
    Schedule.objects.update_or_create(
        name="forget the audit trail of long ago",
        defaults={"func": "gallery.audit.forget", "schedule_type": Schedule.DAILY},
    )
    Schedule.objects.update_or_create(
        name="finish and forget uploads in pieces",
        defaults={"func": "gallery.partial_uploads.tend", "schedule_type": Schedule.HOURLY},
    )
    Schedule.objects.update_or_create(
        name="verify originals",
        defaults={"func": "gallery.verification.start", "schedule_type": Schedule.MONTHLY},
    )
    Schedule.objects.update_or_create(
        name="remove expired tokens",
        defaults={"func": "gallery.access_tokens.forget_expired", "schedule_type": Schedule.DAILY},
    )
    Schedule.objects.update_or_create(
        name="thin out the log of changes",
        defaults={"func": "gallery.change_log.thin_out", "schedule_type": Schedule.HOURLY},
    )
    Schedule.objects.update_or_create(
        name="remove expired sessions",
        defaults={"func": "gallery.tasks.clear_sessions", "schedule_type": Schedule.DAILY},
    )


def clear_sessions() -> str:
    """Remove expired sessions: every visitor of a share link has one."""
    call_command("clearsessions")
    return "done"


def extract_pending() -> str:
    """Extract one batch, and ask for the next while there is more.

    A worker told to stop ends after one batch, or the next one if that was taken from the queue already.

    When nothing is pending and the extractor is being switched, a batch of the library is read by the new
    one.
    """
    size = settings.EXTRACTION_BATCH_SIZE
    done = extract_batch(size) or reextract_batch(size) or rereading.measure_batch(size) or sum_up_batch()
    done = done or text_reading.read_batch(is_urgent=claimable().exists)
    more = claimable().exists() or extractor_switch.is_switching() or rereading.unmeasured().exists()
    if done and (more or text_reading.unread().exists()):
        enqueue()
    return f"{done} pictures"


def others_wait() -> bool:
    """Whether the worker is asked for more than the task that asks this."""
    return OrmQ.objects.all()[:2].count() > 1


def extract_batch(size: int) -> int:
    """Claim up to `size` images, extract them and store what came out; the number of images claimed."""
    if not claimable().exists():
        return 0
    description = extractor_switch.current()
    # Before the claim: a model that cannot be loaded is no picture's fault, and costs none an attempt.
    extractor = registry.load(description)
    extractor_switch.remember(description)
    images = claim(size)
    errors = _extract_and_store(images, extractor, description.key, with_thumbnails=True)
    away = {image: error for image, error in errors.items() if isinstance(error, StoreError)}
    _give_back(away)
    for image, error in errors.items():
        if image not in away:
            record_failure(image, error)
    rereading.name_places([image for image in images if image not in away])
    return len(images) - len(away)


def read_turned(image_ids: list[int]) -> str:
    """Read searchable pictures again that a person turned; they stay searchable meanwhile.

    What another extractor made of them, as while one takes over from another, is made again, too.
    """
    description = extractor_switch.current()
    extractor = registry.load(description)
    turned = Image.objects.filter(pk__in=image_ids, status=Image.Status.READY)
    Embedding.objects.filter(image__in=turned).exclude(extractor=description.key).delete()
    images = list(turned)
    for start in range(0, len(images), settings.EXTRACTION_BATCH_SIZE):
        batch = images[start : start + settings.EXTRACTION_BATCH_SIZE]
        errors = _extract_and_store(batch, extractor, description.key, with_thumbnails=True)
        for image, error in errors.items():
            logger.warning("Image %d, turned: %s: %s", image.pk, type(error).__name__, error)
    return f"{len(images)} pictures"


def reextract_batch(size: int) -> int:
    """While the extractor is being switched: have the new one read up to `size` searchable images.

    When there are no more, switch. The number of images read.
    """
    if not extractor_switch.is_switching():
        return 0
    target = registry.target()
    extractor = registry.load(target)
    images = extractor_switch.claim_unread(target, size)
    for image, error in _extract_and_store(images, extractor, target.key).items():
        logger.warning("Image %d, by %s: %s: %s", image.pk, target.key, type(error).__name__, error)
        Image.objects.filter(pk=image.pk).update(error=failure(error))
    if not images:
        extractor_switch.switch_if_complete()
    return len(images)


def sum_up_batch() -> int:
    """Work out what embeddings of before lack, from the vectors alone; how many that were."""
    description = extractor_switch.current()
    lacking = Embedding.objects.filter(extractor=description.key, log_sum=None)
    if description.name == Lite.name or not lacking.exists():
        return 0
    extractor = registry.load(description)
    embeddings = list(lacking.order_by("pk")[:SUMMED_UP])
    if extractor.scale is None or not embeddings:
        return 0
    sums = extractor.log_sums(np.stack([embedding.as_array() for embedding in embeddings]))
    for embedding, total in zip(embeddings, sums.tolist(), strict=True):
        embedding.log_sum = total
    Embedding.objects.bulk_update(embeddings, ["log_sum"])
    return len(embeddings)


def _extract_and_store(
    images: list[Image], extractor: Extractor, key: str, with_thumbnails: bool = False
) -> dict[Image, Exception]:
    """Extract the images, store what came out, and return what failed and why.

    `with_thumbnails` makes them in the same pass: the picture is decoded once.
    """
    readings: dict[int, Reading] = {}
    errors: dict[Image, Exception] = {}
    turns = {image.pk: image.turn for image in images}
    shown = NewThumbnails()
    sources = [Source(image.original, image.turn) for image in images]
    if with_thumbnails:
        sources = [shown.source(image) for image in images]
    for image, result in zip(
        images,
        extract_files(extractor, sources),
        strict=True,
    ):
        if isinstance(result, Exception):
            errors[image] = result
        else:
            readings[image.pk] = result
    shown.register()
    store(readings, key, turns)
    return errors


def claim(size: int) -> list[Image]:
    """Lease up to `size` images to this worker; the objects are as they were before this attempt was counted.

    Images that were begun before come in ever smaller batches, so that the one that kills workers is found
    without holding up those that were merely interrupted. One that was begun MAX_ATTEMPTS times and never
    came back is FAILED.
    """
    with transaction.atomic():
        given_up(MAX_ATTEMPTS).update(
            status=Image.Status.FAILED,
            lease_expires_at=None,
            error=Image.Failure.CRASHED,
        )
        images = extractor_switch.unsuspicious(in_turns(size))
        Image.objects.filter(pk__in=[image.pk for image in images]).update(
            claimed_by=machine_id(),
            status=Image.Status.PROCESSING,
            attempts=F("attempts") + 1,
            lease_expires_at=timezone.now() + LEASE,
        )
    return images


def release(machine: str) -> int:
    """Give back what a worker of this machine held when it ended; how many images that were.

    The attempt stays counted, for one of them may have ended it.
    """
    held = Image.objects.filter(status=Image.Status.PROCESSING, claimed_by=machine)
    return held.update(status=Image.Status.PENDING, lease_expires_at=None, claimed_by="")


def store(readings: dict[int, Reading], key: str, turns: dict[int, int] | None = None) -> None:
    """Write a batch's tags and embeddings, by image id, and make its images READY, in one transaction.

    Images deleted meanwhile are passed over, and so are those that a person turned, which are read again:
    `turns` says how they were when they were read. Where a person gave or removed a tag, their word stays.
    """
    with transaction.atomic():
        now = dict(Image.objects.filter(pk__in=readings).values_list("pk", "turn"))
        kept = {pk for pk, turn in now.items() if turns is None or turns.get(pk) == turn}
        readings = {image_id: reading for image_id, reading in readings.items() if image_id in kept}
        _store_tags(readings, key)
        embeddings = [_embedding(image_id, reading, key) for image_id, reading in readings.items()]
        Embedding.objects.bulk_create(
            embeddings,
            update_conflicts=True,
            unique_fields=["image", "extractor"],
            update_fields=["dim", "dtype", "vector", "log_sum"],
        )
        looks = [
            Image(pk=pk, perceptual_hash=own.perceptual_hash, color=own.color, colors=own.colors)
            for pk, own in readings.items()
        ]
        Image.objects.bulk_update(looks, ["perceptual_hash", "color", "colors"])
        Image.objects.filter(pk__in=kept).update(
            status=Image.Status.READY, attempts=0, error="", lease_expires_at=None
        )


def _store_tags(readings: dict[int, Reading], key: str) -> None:
    """Replace the tags that this extractor gave to these images."""
    names = {normalize(tag) for reading in readings.values() for tag in reading.extraction.tags}
    tag_ids = Tag.objects.ids_for(names)
    decided = set(ImageTag.objects.filter(image__in=readings, extractor="").values_list("image_id", "tag_id"))
    ImageTag.objects.filter(image__in=readings, extractor=key).delete()
    ids = dict(Tag.objects.filter(pk__in=set(tag_ids.values())).values_list("name", "id"))
    hides = {ids[own.name]: own.hides for own in TagDecision.objects.filter(name__in=ids, instead="")}
    sources = {False: ImageTag.Source.EXTRACTOR, True: ImageTag.Source.HIDDEN}

    def source(tag_id: int, confidence: float) -> str:
        return sources[tag_id in hides and hides[tag_id](confidence)]

    ImageTag.objects.bulk_create(
        ImageTag(
            image_id=image_id,
            tag_id=tag_id,
            confidence=confidence,
            source=source(tag_id, confidence),
            extractor=key,
        )
        for image_id, reading in readings.items()
        for tag_id, confidence in _by_tag_id(reading.extraction, tag_ids).items()
        if (image_id, tag_id) not in decided
    )


def _embedding(image_id: int, reading: Reading, key: str) -> Embedding:
    vector = reading.extraction.embedding
    return Embedding(
        image_id=image_id,
        extractor=key,
        dim=len(vector),
        vector=vector.astype("<f4").tobytes(),
        log_sum=reading.extraction.log_sum,
    )


def _by_tag_id(extraction: Extraction, tag_ids: dict[str, int]) -> dict[int, float]:
    """Confidence by tag; where two of the extractor's words are one tag, the surer one's."""
    found: dict[int, float] = {}
    for tag, confidence in extraction.tags.items():
        tag_id = tag_ids[normalize(tag)]
        found[tag_id] = max(confidence, found.get(tag_id, 0.0))
    return found


def record_failure(image: Image, error: Exception) -> None:
    """Put an image back for another attempt, or give up after MAX_ATTEMPTS, with the reason."""
    attempts = image.attempts + 1  # `image` is as it was before the claim counted this attempt
    status = Image.Status.FAILED if attempts >= MAX_ATTEMPTS else Image.Status.PENDING
    logger.warning("Image %d, attempt %d: %s: %s", image.pk, attempts, type(error).__name__, error)
    Image.objects.filter(pk=image.pk, status=Image.Status.PROCESSING).update(
        status=status, error=failure(error), lease_expires_at=None
    )


def _give_back(away: dict[Image, StoreError]) -> None:
    """Put back what could not be fetched: that is no picture's fault, and costs none an attempt."""
    for image, error in away.items():
        logger.warning("Image %d waits for its file: %s", image.pk, error)
        Image.objects.filter(pk=image.pk, status=Image.Status.PROCESSING).update(
            status=Image.Status.PENDING, attempts=image.attempts, lease_expires_at=None
        )


def failure(error: Exception) -> Image.Failure:
    """Sort an exception into what its owner is told; the log has it whole."""
    match error:
        case FileNotFoundError():
            return Image.Failure.MISSING
        case MemoryError() | DecodeError(kind="memory"):
            return Image.Failure.MEMORY
        case _:
            return Image.Failure.UNREADABLE


def retry(images: QuerySet[Image]) -> int:
    """Queue FAILED images again; return how many there were."""
    with transaction.atomic():
        count = images.filter(status=Image.Status.FAILED).update(
            status=Image.Status.PENDING, attempts=0, error=""
        )
        if count:
            enqueue()
    return count
