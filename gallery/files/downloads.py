"""Originals on their way out: as uploaded, or without the location, one by one or many as a ZIP."""

import hashlib
import io
import logging
import os
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import IO, TypeVar

from django.core.exceptions import BadRequest
from django.http import QueryDict, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from zipstream import ZipStream

from gallery.files.storage import is_in_object_store
from gallery.files.thumbnails import thumbnail_of
from gallery.imaging import writing
from gallery.imaging.decoder import DecodeError, DecoderBusyError, asker, decoder
from gallery.imaging.formats import BY_NAME
from gallery.imaging.writing import Said
from gallery.models import Image, ImageTag
from gallery.models.image import Corrected

logger = logging.getLogger(__name__)

Made = TypeVar("Made")

CHUNK = 1 << 18
BELIEVED = 600.0  # seconds that a file which was read whole is not read again for the next part of it
MOST_BELIEVED = 10_000
_read_whole: dict[tuple[str, str, int, int], float] = {}
LONGEST_NAME = 255  # bytes, as file systems take them


@dataclass(frozen=True)
class Stripped:
    """A file without its location, and the media type and name that go with it."""

    content: bytes
    media_type: str
    filename: str


def without_location(image: Image) -> Stripped:
    """Take the location out of a copy of the original.

    Where that cannot be done, a large JPEG of the pixels stands in. FileNotFoundError when it is gone.
    """
    try:
        with image.original.storage.open(image.original_name) as file:
            stripped = decoder().strip(file)
        return Stripped(stripped, BY_NAME[image.format].media_type, image.filename)
    except DecodeError as reason:
        logger.info("Image %d is given out as a JPEG of its pixels: %s", image.pk, reason)
    with thumbnail_of(image, "large") as file:
        jpeg = BY_NAME["JPEG"]
        name = PurePath(image.filename).stem + f" (pixels only).{jpeg.extension}"
        return Stripped(file.read(), jpeg.media_type, name)


def is_whole(image: Image, reads: bool = True) -> bool:
    """Whether the file is not known to be damaged, and is byte for byte what came here.

    What was read once is believed for some minutes, while nobody writes to it; without `reads`, as where
    nothing is sent, its length is enough. A store's files are not asked for, which would be one more request:
    it keeps them whole or not at all.
    """
    if image.is_damaged or is_in_object_store(image.original):
        return not image.is_damaged
    try:
        return image.original.size == image.size_bytes and (not reads or _is_as_it_came(image))
    except FileNotFoundError:
        return True  # which is told as such


def _is_as_it_came(image: Image) -> bool:
    """Read the whole file, and compare its SHA-256."""
    with image.original.storage.open(image.original_name) as file:
        state = os.stat(file.fileno())
        key = (image.original_name, image.sha256, state.st_size, state.st_mtime_ns)
        if time.monotonic() - _read_whole.get(key, -BELIEVED) < BELIEVED:
            return True
        is_right = hashlib.file_digest(file, "sha256").hexdigest() == image.sha256
    if is_right:
        if len(_read_whole) >= MOST_BELIEVED:
            _read_whole.clear()
        _read_whole[key] = time.monotonic()
    return is_right


def wants_metadata(form: QueryDict) -> bool:
    """Whether files are to say what is known of them here: with=metadata. BadRequest for another word."""
    wanted = form.get("with", "")
    if wanted not in ("", "metadata"):
        raise BadRequest(_("A file comes as it is, or with=metadata."))
    return bool(wanted)


def with_metadata(image: Image, keeps_location: bool) -> tuple[Stripped, bytes]:
    """Give a copy of the original that says what is known of it here, and b'' or XMP to lie beside it.

    The XMP is for formats that nothing is written into. FileNotFoundError when the original is gone.
    """
    said = _said(image, keeps_location)
    own = BY_NAME[image.format].media_type
    # What the file says of a place that was corrected goes, too.
    if keeps_location and not image.corrected & Corrected.PLACE:
        with image.original.storage.open(image.original_name) as file:
            return _saying(file, Stripped(b"", own, image.filename), said, image.pk)
    copy = without_location(image)
    if copy.media_type != own:  # the pixels alone, which are turned already
        said = replace(said, turn=0)
    return _saying(io.BytesIO(copy.content), copy, said, image.pk)


def _saying(file: IO[bytes], copy: Stripped, said: Said, pk: int) -> tuple[Stripped, bytes]:
    """Give the copy with what is said written into the file; else the file as it is, and XMP.

    The file is read once it is its turn, so that those that wait take no memory.
    """
    try:
        return replace(copy, content=decoder().write(file, said)), b""
    except DecodeError as reason:
        logger.info("What is known of image %d lies beside it: %s", pk, reason)
        file.seek(0)
        return replace(copy, content=file.read()), writing.packet(said)


def _said(image: Image, keeps_location: bool) -> Said:
    """What people said of a picture, but for hearts, which are nobody else's business."""
    tags = image.image_tags.filter(source=ImageTag.Source.PERSON).values_list("tag__name", flat=True)
    location = None
    if keeps_location and image.latitude is not None and image.longitude is not None:
        location = (image.latitude, image.longitude)
    return Said(
        keywords=tuple(tags),
        caption=image.caption,
        taken=image.clock,
        precision=image.taken_precision,
        is_date_corrected=bool(image.corrected & Corrected.DATE),
        offset=image.taken_offset,
        location=location,
        place=image.place if keeps_location else "",
        turn=image.turn,
    )


def zip_of(images: Iterable[tuple[Image, bool]], name: str, metadata: bool = False) -> StreamingHttpResponse:
    """Stream a ZIP of the originals, given as (picture, whether its location stays), made while it is sent.

    With `metadata` they say what is known of them here.

    Nothing of it is kept: memory stays the same however large it gets (a file without its location is read
    whole, and is at most MAX_UPLOAD_MB). Pictures are compressed already and are stored as they are. A file
    that cannot be read never ends the ZIP: it is named in a text file at the end.
    """
    response = StreamingHttpResponse(_stream(images, metadata, asker.get()()), content_type="application/zip")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{_safe(name)}.zip")
    return response


def _stream(images: Iterable[tuple[Image, bool]], metadata: bool, who: str) -> Iterator[bytes]:
    archive = ZipStream()
    taken: set[str] = set()
    missing: list[str] = []
    for image, keeps_location in images:
        try:
            if not is_whole(image):
                raise OSError("its file is not what was uploaded")
            if metadata:
                copy, beside = _in_turn(who, partial(with_metadata, image, keeps_location))
                name = _unique(copy.filename, taken)
                archive.add(copy.content, name)
                if beside:
                    archive.add(beside, _unique(f"{name}.xmp", taken))
            elif keeps_location:
                file = image.original.storage.open(image.original_name)
                archive.add(_chunks(file, image.filename, missing), _unique(image.filename, taken))
            else:
                stripped = _in_turn(who, partial(without_location, image))
                archive.add(stripped.content, _unique(stripped.filename, taken))
        except Exception as error:  # of the disk, or of a hostile file: the others are sent all the same
            logger.warning("Image %d is left out of a ZIP: %s: %s", image.pk, type(error).__name__, error)
            missing.append(image.filename)
        yield from archive.all_files()
    if missing:
        lines = ["These pictures could not be read on the server:", *missing, ""]
        archive.add("\n".join(lines), "missing.txt")
    yield from archive.finalize()


def _in_turn(who: str, make: Callable[[], Made]) -> Made:
    """Make it for `who`, waiting up to two minutes for its turn: a ZIP under way cannot ask to come back."""
    until = time.monotonic() + 120
    while True:
        # While a ZIP is being sent the request is over for whatever tells who asks.
        token = asker.set(lambda: who)
        try:
            return make()
        except DecoderBusyError:  # after it waited for some seconds
            if time.monotonic() > until:
                raise
        finally:
            asker.reset(token)


def _chunks(file: IO[bytes], name: str, missing: list[str]) -> Iterator[bytes]:
    """Yield the file's bytes; where reading fails, what came until then, and its name among the missing."""
    with file:
        try:
            while chunk := file.read(CHUNK):
                yield chunk
        except OSError as error:
            logger.warning("%s ends early in a ZIP: %s", name, error)
            missing.append(f"{name} (incomplete)")


def _unique(filename: str, taken: set[str]) -> str:
    """Find a name for the archive that is safe on every system and not taken.

    Names are compared as systems without case do that normalize Unicode, and have at most 255 bytes.
    """
    path = PurePath(_safe(filename))
    number = 1
    while True:
        behind = path.suffix[:20] if number == 1 else f" ({number}){path.suffix[:20]}"
        stem = path.stem.encode()[: LONGEST_NAME - len(behind.encode())].decode(errors="ignore")
        name = stem + behind
        key = unicodedata.normalize("NFC", name).casefold()
        if key not in taken:
            taken.add(key)
            return name
        number += 1


def _safe(filename: str) -> str:
    """Replace what Windows and shells trip over; never empty, hidden or a way up."""
    name = "".join("_" if c in '<>:"/\\|?*' or not c.isprintable() else c for c in filename).strip(". ")
    reserved = PurePath(name).stem.upper() in {"CON", "PRN", "AUX", "NUL"} | {
        f"{d}{i}" for d in ("COM", "LPT") for i in range(10)
    }
    return f"_{name}" if reserved or not name else name
