"""The worker's second pass: the text in pictures, read when everything is searchable."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from gallery import access
from gallery.extraction.pipeline import decode
from gallery.extraction.text_reader import AT_LEAST, InterruptedReadingError, TextReader, UnreadableError
from gallery.imaging.decoder import DecodeError
from gallery.models import Image, TextInImage

logger = logging.getLogger(__name__)

PICTURES = 16  # that are read before the worker looks for other work


def unread() -> QuerySet[Image]:
    """Return the searchable pictures whose text was not read yet, newest first."""
    ready = Image.objects.filter(access.untrashed(), status=Image.Status.READY, is_text_read=False)
    return ready.order_by("-pk") if settings.READ_TEXT else ready.none()


def read_batch(is_urgent: Callable[[], bool]) -> int:
    """Read the text in some pictures; how many were looked at.

    It gives way as soon as `is_urgent` says that pictures came which are not searchable yet.
    """
    images = list(unread()[:PICTURES])
    looked_at = 0
    if not images:
        return looked_at
    with TextReader() as reader:
        for image in images:
            # Noted before it is begun: a picture that takes this process down is not tried again.
            if not unread().filter(pk=image.pk).update(is_text_read=True):
                continue
            looked_at += 1
            try:
                text = reader.read(decode(image.original.path, AT_LEAST).picture, is_urgent)
            except InterruptedReadingError:
                Image.objects.filter(pk=image.pk).update(is_text_read=False)
                break
            except UnreadableError as error:
                logger.warning("The text of image %d is not read: %s", image.pk, error)
                break  # the child is of no use any more; the next batch has another one
            except (OSError, DecodeError) as error:
                logger.warning("The text of image %d is not read: %s", image.pk, error)
                continue
            store(image.pk, text)
    return looked_at


def store(image_id: int, text: str) -> None:
    """Keep the text of a picture; nothing is kept of one without."""
    with transaction.atomic():
        if text and Image.objects.filter(pk=image_id).exists():
            TextInImage.objects.update_or_create(image_id=image_id, defaults={"text": text})
