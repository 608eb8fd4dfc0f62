"""Originals on their way out: as uploaded, or without the location, one by one or many as a ZIP."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath

from django.http import StreamingHttpResponse
from zipstream import ZipStream

from gallery.files.thumbnails import thumbnail_of
from gallery.imaging import places
from gallery.models import Image

CHUNK = 1 << 18


def without_location(image: Image) -> bytes:
    """The original's bytes with the location blanked.

    Where that cannot be done, a large JPEG of the pixels alone.
    """
    with image.original.storage.open(image.original_name) as file:
        content = file.read()
    try:
        return places.strip(content)
    except places.NotStrippedError:
        picture = thumbnail_of(image, "large")
        with picture.storage.open(picture.name) as file:
            return file.read()


def zip_of(images: Iterable[tuple[Image, bool]], name: str) -> StreamingHttpResponse:
    """A ZIP of the originals, as (picture, whether its location stays), made while it is sent.

    Nothing of it is kept: memory stays the same however large it gets (a file without its location is read
    whole, and is at most MAX_UPLOAD_MB). Pictures are compressed already and are stored as they are. A file
    that is missing on the server's disk is named in a text file instead.
    """
    archive = ZipStream()
    names: set[str] = set()
    missing: list[str] = []
    for image, keeps_location in images:
        if not image.original.storage.exists(image.original_name):
            missing.append(image.filename)
            continue
        archive.add(_content(image, keeps_location), _unique(image.filename, names))
    if missing:
        archive.add("These pictures are missing on the server:\n" + "\n".join(missing) + "\n", "missing.txt")
    response = StreamingHttpResponse(archive, content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{_ascii(name)}.zip"'
    return response


def _content(image: Image, keeps_location: bool) -> Iterator[bytes]:
    """The file's bytes, read when it is its turn."""
    if not keeps_location:
        yield without_location(image)
        return
    with image.original.storage.open(image.original_name) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _unique(filename: str, taken: set[str]) -> str:
    """Find a name for the archive that is safe on every system and not taken.

    Names are compared as systems without case do.
    """
    path = PurePath(_safe(filename))
    name, number = str(path), 1
    while name.lower() in taken:
        number += 1
        name = f"{path.stem} ({number}){path.suffix}"
    taken.add(name.lower())
    return name


def _safe(filename: str) -> str:
    """Without what Windows and shells trip over; never empty, hidden or a way up."""
    name = "".join("_" if c in '<>:"/\\|?*' or not c.isprintable() else c for c in filename).strip(". ")
    reserved = PurePath(name).stem.upper() in {"CON", "PRN", "AUX", "NUL"} | {
        f"{d}{i}" for d in ("COM", "LPT") for i in range(10)
    }
    return f"_{name}" if reserved or not name else name


def _ascii(name: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in " -_") else "_" for c in name).strip()
    return kept[:100] or "pictures"
