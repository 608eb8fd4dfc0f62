"""Bytes from strangers -> an Image row, its original on disk, and work for the worker."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.db import Error as DatabaseUnclear
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.tasks import async_task
from sorl.thumbnail import default
from sorl.thumbnail.images import ImageFile

from gallery import quota, tagging, tasks, trash
from gallery.imaging import formats
from gallery.imaging.decoder import DecodeError, decoder
from gallery.imaging.metadata import Beside, Facts
from gallery.imaging.written import Written
from gallery.models import GuestPicture, Image
from gallery.refusal import CutOffError, RefusedError

WITNESSES = 3  # old pictures that are looked for before a file counts as lost


@dataclass(frozen=True)
class Added:
    """What became of an accepted file: `created` is False when its owner had the very same bytes already."""

    image: Image
    created: bool
    was_trashed: bool = False


def add(
    owner: User,
    file: File,
    filename: str | None = None,
    beside: Beside | None = None,
    restore: bool = True,
    whole_only: bool = False,
    hidden: bool = False,
) -> Added:
    """Check, store and enqueue one picture for `owner`; RefusedError says why it is not taken.

    `beside` is what a file beside it says of it. One that is in their trash comes back from it, if `restore`.
    A JPEG that lacks its end is a CutOffError if `whole_only`. One that is new is `hidden`, as in the trash,
    where somebody still has to say yes to it.

    When this returns, the original is on disk and its row is committed or part of the caller's transaction.
    """
    sha256 = digest(file)
    if hidden:
        quota.check(owner, file.size)  # first: whether there is room tells a guest nothing of what is here
    existing = Image.objects.filter(owner=owner, sha256=sha256).first()
    if existing and _mend(existing, file):
        return _again(existing, file, beside, restore, hidden)
    quota.check(owner, file.size)
    facts = examine(file)
    if whole_only and facts.is_cut_off:
        raise CutOffError(_("The picture is damaged or incomplete."))
    image = Image(
        owner=owner,
        sha256=sha256,
        filename=clean_filename(filename or file.name or ""),
        size_bytes=file.size,
        trashed_at=timezone.now() if hidden else None,
    )
    beside = beside or Beside()
    image.describe(facts, beside)
    try:
        _store(image, file, (facts.written, beside.written))
    except IntegrityError:
        if not Image.objects.filter(owner=owner, sha256=sha256).exists():
            raise
        # The same bytes arrived twice at once: the other one won.
        file.seek(0)
        return add(owner, file, filename, beside, restore, whole_only, hidden)
    return Added(image, created=True)


def _store(image: Image, file: File, written: Iterable[Written]) -> None:
    """Write a picture's file, and then its row, with what it says of itself, and the work for the worker."""
    file.seek(0)
    image.original.save("", file, save=False)
    try:
        with transaction.atomic():
            quota.check(image.owner, file.size)  # again, for others came while this one was looked at
            image.save()
            for own in written:
                tagging.add_written(image, own, rated=True)
            tasks.enqueue()
    except BaseException as error:
        # A connection that broke leaves it open whether the server still commits.
        if connection.vendor == "sqlite" or not isinstance(error, OperationalError | InterfaceError):
            _take_back(image)
        raise


def _take_back(image: Image) -> None:
    """Remove the file of a picture that got no row.

    An error may come when the row is committed already. Where that cannot be found out the file stays: one
    too many loses nothing, and `verify` puts it aside.
    """
    try:
        is_written = Image.objects.filter(owner=image.owner_id, original=image.original_name).exists()
    except DatabaseUnclear:
        return
    if not is_written:
        image.original.delete(save=False)


def _again(image: Image, file: File, beside: Beside | None, restore: bool, hidden: bool) -> Added:
    """Take the very same bytes of a picture that is here once more."""
    # What waits from a guest is nobody's yet: its owner takes it by adding it.
    waits = not hidden and GuestPicture.objects.filter(image=image).exists()
    was_trashed = image.trashed_at is not None and not waits
    if restore or waits:
        trash.restore(Image.objects.filter(pk=image.pk))
    if beside:
        _complete(image, beside)
    return Added(image, created=False, was_trashed=was_trashed)


def _mend(image: Image, file: File) -> bool:
    """Store a picture's bytes again where its file was lost or rotted; False if the picture went meanwhile.

    What rotted is left for `verify`.
    """
    lost, storage = image.original_name, image.original.storage
    if (storage.exists(lost) and not image.is_damaged) or not _has_others(image):
        return True
    quota.check_room(file.size)
    file.seek(0)
    image.original.save("", file, save=False)
    image.is_damaged = False
    same = Image.objects.filter(pk=image.pk, original=lost)
    if same.update(original=image.original_name, is_damaged=False):
        default.kvstore.delete(ImageFile(lost, storage))  # its thumbnails: the new file gets its own
    else:
        _take_back(image)  # it went meanwhile, or somebody else was quicker
    tasks.retry(Image.objects.filter(pk=image.pk))
    return Image.objects.filter(pk=image.pk).exists()


def _has_others(image: Image) -> bool:
    """Whether files of the oldest pictures are there: else the disk is not, and nothing is lost."""
    others = Image.objects.exclude(pk=image.pk).order_by("pk")[:WITNESSES]
    return not others or any(own.original.storage.exists(own.original_name) for own in others)


def _complete(image: Image, beside: Beside) -> None:
    """Add to a picture that is there what a file beside it says; what is known already is not written."""
    corrected = image.corrected
    if changed := image.complete(beside):
        values = {name: getattr(image, name) for name in changed}
        with transaction.atomic():
            Image.objects.filter(pk=image.pk, corrected=corrected).update(**values)
            if "latitude" in changed:
                async_task("gallery.rereading.name_places_of", [image.pk], group="places")
    # A heart that its owner took away does not come back when the folder is imported again.
    tagging.add_written(image, beside.written, rated=bool(changed))


def digest(file: File) -> str:
    """Return the file's SHA-256 in hex; RefusedError if it is empty or above MAX_UPLOAD_MB."""
    if file.size == 0:
        raise RefusedError(_("The file is empty."))
    if file.size > settings.MAX_UPLOAD_MB * 1_000_000:
        raise RefusedError(
            _(
                "The file is %(size).1f MB; the limit is %(most)s MB. "
                "An administrator can raise MAX_UPLOAD_MB."
            )
            % {"size": file.size / 1e6, "most": settings.MAX_UPLOAD_MB}
        )
    sha256 = hashlib.sha256()
    for chunk in file.chunks():
        sha256.update(chunk)
    return sha256.hexdigest()


def examine(file: File) -> Facts:
    """Decode a file once, in a process of its own, and read what it says; RefusedError if it is not taken."""
    try:
        return decoder().examine(file)
    except DecodeError as error:
        raise RefusedError(_sentence(error)) from error


def _sentence(error: DecodeError) -> str:
    """Say why a file is not taken."""
    match error.kind:
        case "unreadable":
            sentence = _("This file is not a picture we can read. Supported formats: %(formats)s.")
            return sentence % {"formats": formats.labels()}
        case "pixels":
            sentence = _(
                "The picture has %(own).0f megapixels; the limit is %(most)s. "
                "An administrator can raise MAX_IMAGE_MEGAPIXELS."
            )
            return sentence % {"own": error.own, "most": settings.MAX_IMAGE_MEGAPIXELS}
    sentences = {
        "raw": _("This camera raw file can't be developed here: its camera or compression isn't known."),
        "parts": _("The file has more parts than a picture has."),
        "no pixels": _("The picture has no pixels."),
        "memory": _("The picture is too large to process here. An administrator can raise DECODE_MEMORY_MB."),
        "slow": _("The picture takes too long to process."),
    }
    return sentences.get(error.kind, _("The picture is damaged or incomplete."))


def clean_filename(name: str) -> str:
    """Return the last part of a path from any system, printable, at most 255 characters."""
    name = PureWindowsPath(PurePosixPath(name).name).name
    name = "".join(character for character in name if character.isprintable()).strip()
    if len(name) > 255:
        suffix = Path(name).suffix[:20]
        name = name[: 255 - len(suffix)] + suffix
    return name if name.strip(".") else "unnamed"
