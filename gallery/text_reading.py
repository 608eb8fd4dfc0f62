"""The worker's second pass: the text in pictures, read when everything is searchable."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from gallery import access
from gallery.extraction.pipeline import Source, decode
from gallery.extraction.text_reader import AT_LEAST, InterruptedReadingError, TextReader, UnreadableError
from gallery.extractor_switch import MAX_ATTEMPTS
from gallery.files import storage
from gallery.imaging.decoder import DecodeError
from gallery.models import Image, TextInImage

logger = logging.getLogger(__name__)

PICTURES = 16  # that are read before the worker looks for other work


def unread() -> QuerySet[Image]:
    """Return the searchable pictures whose text was not read yet, newest first."""
    ready = Image.objects.filter(access.untrashed(), status=Image.Status.READY, is_text_read=False)
    return ready.order_by("-pk") if settings.READ_TEXT else ready.none()


def read_batch(is_urgent: Callable[[], bool]) -> int:
    """Read the text in some pictures; for how many of them nothing is left to do.

    It gives way as soon as `is_urgent` says that pictures came which are not searchable yet.
    """
    images = list(unread()[:PICTURES])
    done = 0
    unreadable: list[Image] = []
    if not images:
        return done
    with TextReader() as reader:
        for image in images:
            # Counted before it is begun, for it may take this process down; so may a stop of the worker.
            if not unread().filter(pk=image.pk).update(attempts=F("attempts") + 1):
                continue
            try:
                text = "" if image.attempts >= MAX_ATTEMPTS else _read(reader, image, is_urgent)
            except InterruptedReadingError:
                Image.objects.filter(pk=image.pk).update(attempts=image.attempts)
                break
            except OSError as error:  # of the disk, perhaps of one file
                logger.warning("The text of image %d cannot be read now: %s", image.pk, error)
                unreadable.append(image)
                continue
            store(image.pk, text)
            done += 1
            if not reader.is_alive:
                break  # the next batch has another one
    if not done:  # the disk is away: that is no picture's fault
        for image in unreadable:
            Image.objects.filter(pk=image.pk).update(attempts=image.attempts)
    return done


def _read(reader: TextReader, image: Image, is_urgent: Callable[[], bool]) -> str:
    """Return the text in a picture, '' where it is the picture's fault that there is none to be had."""
    try:
        return reader.read(decode(Source(image.original, image.turn), AT_LEAST).picture, is_urgent)
    except (UnreadableError, DecodeError) as error:
        logger.warning("The text of image %d is not read: %s", image.pk, error)
    except FileNotFoundError:
        if not storage.is_there(image.original):
            raise
        logger.warning("The text of image %d is not read: its file is gone", image.pk)
    return ""


def store(image_id: int, text: str) -> None:
    """Keep the text of a picture, which has been read then; nothing is kept of one without."""
    with transaction.atomic():
        if Image.objects.filter(pk=image_id).update(is_text_read=True, attempts=0) and text:
            TextInImage.objects.update_or_create(image_id=image_id, defaults={"text": text})
