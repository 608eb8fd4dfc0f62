"""Pictures uploaded to search by: bytes -> what an extractor makes of them, kept for a day."""

import io

import numpy as np
from django.core.files import File
from PIL import Image as Pillow

from gallery import extractor_switch, ingest
from gallery.extraction import registry
from gallery.imaging import pixels
from gallery.models import Image
from search.models import QueryPicture

KEPT_SIDE = 1024  # pixels of what is kept of it: a part of that is still a picture


def add(file: File) -> QueryPicture:
    """Read an uploaded query picture; RefusedError says why it is not taken."""
    ingest.digest(file)
    ingest.examine(file)
    file.seek(0)
    kept = pixels.load_rgb(file, at_least=KEPT_SIDE)
    file.seek(0)
    # Decoded as the gallery's pictures are, so that a picture of the gallery is found as itself.
    read = pixels.load_rgb(file, at_least=registry.load(extractor_switch.current()).at_least)
    return _create(ingest.clean_filename(file.name or ""), read, kept)


def add_part(source: Image | QueryPicture, box: tuple[float, float, float, float]) -> QueryPicture:
    """Read a part of a picture as one of its own.

    `box` is (left, top, right, bottom) as parts of its sides, 0 to 1.
    """
    file = source.original.path if isinstance(source, Image) else io.BytesIO(source.thumbnail)
    picture = pixels.load_rgb(file)
    sides = (picture.width, picture.height) * 2
    left, top, right, bottom = (round(part * side) for part, side in zip(box, sides, strict=True))
    part = picture.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    return _create(source.filename, part, part)


def _create(filename: str, read: Pillow.Image, kept: Pillow.Image) -> QueryPicture:
    description = extractor_switch.current()
    [extraction] = registry.load(description).extract([read])
    return QueryPicture.objects.create(
        filename=filename,
        extractor=description.key,
        tags=extraction.tags,
        vector=extraction.embedding.astype("<f4").tobytes(),
        thumbnail=_jpeg(kept),
    )


def read_again(picture: QueryPicture) -> None:
    """Have the extractor that is searched now read the picture, from the small JPEG that was kept of it."""
    description = extractor_switch.current()
    [extraction] = registry.load(description).extract([pixels.load_rgb(io.BytesIO(picture.thumbnail))])
    picture.extractor, picture.tags = description.key, extraction.tags
    picture.vector = extraction.embedding.astype("<f4").tobytes()
    picture.save()


def vector_of(picture: QueryPicture) -> np.ndarray:
    """float32 (dim,), unit length."""
    return np.frombuffer(picture.vector, "<f4")


def _jpeg(picture: Pillow.Image) -> bytes:
    small = picture.copy()
    small.thumbnail((KEPT_SIDE, KEPT_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
