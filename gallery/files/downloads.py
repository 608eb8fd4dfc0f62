"""Originals on their way out: as uploaded, or without the location, one by one or many as a ZIP."""

import logging
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from zipstream import ZipStream

from gallery.files.thumbnails import thumbnail_of
from gallery.imaging.decoder import DecodeError, decoder
from gallery.imaging.formats import BY_NAME
from gallery.models import Image

logger = logging.getLogger(__name__)

CHUNK = 1 << 18
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
    picture = thumbnail_of(image, "large")
    with picture.storage.open(picture.name) as file:
        jpeg = BY_NAME["JPEG"]
        name = PurePath(image.filename).stem + f" (pixels only).{jpeg.extension}"
        return Stripped(file.read(), jpeg.media_type, name)


def zip_of(images: Iterable[tuple[Image, bool]], name: str) -> StreamingHttpResponse:
    """Stream a ZIP of the originals, given as (picture, whether its location stays), made while it is sent.

    Nothing of it is kept: memory stays the same however large it gets (a file without its location is read
    whole, and is at most MAX_UPLOAD_MB). Pictures are compressed already and are stored as they are. A file
    that cannot be read never ends the ZIP: it is named in a text file at the end.
    """
    response = StreamingHttpResponse(_stream(images), content_type="application/zip")
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{_safe(name)}.zip")
    return response


def _stream(images: Iterable[tuple[Image, bool]]) -> Iterator[bytes]:
    archive = ZipStream()
    taken: set[str] = set()
    missing: list[str] = []
    for image, keeps_location in images:
        try:
            if image.is_damaged:
                raise OSError("its file is not what was uploaded")
            if keeps_location:
                file = image.original.storage.open(image.original_name)
                archive.add(_chunks(file, image.filename, missing), _unique(image.filename, taken))
            else:
                stripped = without_location(image)
                archive.add(stripped.content, _unique(stripped.filename, taken))
        except Exception as error:  # of the disk, or of a hostile file: the others are sent all the same
            logger.warning("Image %d is left out of a ZIP: %s: %s", image.pk, type(error).__name__, error)
            missing.append(image.filename)
        yield from archive.all_files()
    if missing:
        lines = ["These pictures could not be read on the server:", *missing, ""]
        archive.add("\n".join(lines), "missing.txt")
    yield from archive.finalize()


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
