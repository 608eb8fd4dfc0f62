"""Uploads in pieces: a broken connection goes on at its byte, also after a restart of the site.

What has come is on the disk before anybody is told so, and stays for a week. The API speaks tus 1.0 with it.
"""

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import ingest, quota
from gallery.destination import Destination, destination
from gallery.imaging import dates
from gallery.imaging.metadata import Beside
from gallery.models import Image, PartialUpload
from gallery.refusal import NoRoomError, RefusedError

logger = logging.getLogger(__name__)

KEPT = timedelta(days=7)  # after the last byte
MOST_OPEN = 100  # of one person
AT_A_TIME = 65_536  # bytes read from the connection
CHECKSUMS = ("sha1", "sha256")


class BusyError(Exception):
    """Another request writes to this upload at the moment."""


class OffsetError(Exception):
    """The upload is at another byte."""


class ChecksumError(Exception):
    """The bytes that came are not those that were sent."""


def begin(upload: PartialUpload) -> None:
    """Check that there is room for the file, and open it; NoRoomError or RefusedError."""
    open_ones = PartialUpload.objects.filter(owner=upload.owner, is_done=False)
    lengths = list(open_ones.values_list("length", flat=True))
    if len(lengths) >= MOST_OPEN:
        raise NoRoomError(_("You have too many unfinished uploads."))
    quota.check(upload.owner, upload.length + sum(lengths))
    upload.expires_at = timezone.now() + KEPT
    upload.path.parent.mkdir(mode=0o700, exist_ok=True)
    upload.path.touch(mode=0o600)
    upload.save()


def write(
    upload: PartialUpload, stream: IO[bytes], offset: int, checksum: tuple[str, bytes] | None = None
) -> None:
    """Append what comes, from byte `offset` on, until the file is whole or the connection ends.

    What came before a connection broke stays, unless there is a checksum, (algorithm, digest) of it all:
    ChecksumError. OffsetError where the upload is at another byte, BusyError while another request does this.
    """
    if upload.is_done:
        if offset != upload.length:
            raise OffsetError
        return
    digest = hashlib.new(checksum[0]) if checksum else None
    with _locked(upload) as file:
        start = file.seek(0, os.SEEK_END)
        if start != offset:
            raise OffsetError
        for piece in _pieces(stream, upload.length - start):
            file.write(piece)
            if digest:
                digest.update(piece)
        if digest and checksum and digest.digest() != checksum[1]:
            file.truncate(start)
            raise ChecksumError
        file.flush()
        os.fsync(file.fileno())
    PartialUpload.objects.filter(pk=upload.pk).update(expires_at=timezone.now() + KEPT)


def _pieces(stream: IO[bytes], left: int) -> Iterator[bytes]:
    """Yield what comes, until the connection ends or breaks; errors of the disk are another matter."""
    while left > 0:
        try:
            piece = stream.read(min(AT_A_TIME, left))
        except OSError as error:  # Django's UnreadablePostError, too
            logger.info("An upload was interrupted: %s", error)
            return
        if not piece:
            return
        yield piece
        left -= len(piece)


@contextmanager
def _locked(upload: PartialUpload) -> Iterator[Any]:
    with os.fdopen(os.open(upload.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError from error
        yield file


def finish(upload: PartialUpload) -> Image | None:
    """Take a whole file in as a picture; None while bytes are missing.

    RefusedError where it is none, and the upload is gone; NoRoomError where there is no room, and it stays.
    Done twice it does nothing: a picture is there once.
    """
    if upload.is_done:
        return upload.image
    if upload.offset < upload.length:
        return None
    try:
        with _locked(upload) as file:
            goes_to = _destination(upload)
            added = ingest.add(upload.owner, File(file, upload.filename), beside=_beside(upload))
            goes_to.receive(added.image)
    except NoRoomError:
        raise
    except RefusedError:
        remove(upload)
        raise
    upload.image, upload.is_done = added.image, True
    upload.save(update_fields=["image", "is_done"])
    upload.path.unlink(missing_ok=True)
    return upload.image


def _destination(upload: PartialUpload) -> Destination:
    """Look up where the picture goes; without the album, where that went meanwhile."""
    tags = upload.tags.split(",")
    try:
        title = (
            "" if upload.album_id_asked else upload.album_title
        )  # of one that was begun by an earlier version
        return destination(upload.owner, upload.album_id_asked, title, tags)
    except ValidationError:
        return destination(upload.owner, None, "", tags)


def _beside(upload: PartialUpload) -> Beside:
    modified = upload.modified.timestamp() if upload.modified else None
    return Beside(taken=dates.guess(upload.filename, modified))


def remove(upload: PartialUpload) -> None:
    """Forget an upload and its bytes."""
    upload.path.unlink(missing_ok=True)
    upload.delete()


def tend() -> str:
    """Finish what is whole, remove what nobody went on with. The worker does it every hour."""
    done = 0
    for upload in PartialUpload.objects.filter(is_done=False).iterator():
        try:
            done += finish(upload) is not None
        except (RefusedError, BusyError, OSError) as reason:
            logger.info("Upload %s is not finished: %s", upload.pk, reason)
        except Exception:  # one that cannot be finished for a fault of ours holds up none of the others
            logger.exception("Upload %s is not finished", upload.pk)
    for upload in PartialUpload.objects.filter(expires_at__lt=timezone.now()).iterator():
        remove(upload)
    _sweep()
    return f"{done} uploads finished"


def _sweep() -> None:
    """Remove files whose upload is gone, as with the account of its owner."""
    folder = PartialUpload().path.parent
    paths = {path.stem: path for path in folder.glob("*.part")} if folder.is_dir() else {}
    kept = {str(pk) for pk in PartialUpload.objects.filter(is_done=False).values_list("pk", flat=True)}
    day_ago = timezone.now().timestamp() - timedelta(days=1).total_seconds()
    for name, path in paths.items():
        if name not in kept and path.stat().st_mtime < day_ago:
            path.unlink(missing_ok=True)
