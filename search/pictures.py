"""Pictures uploaded to search by: bytes -> what an extractor makes of them, kept for a day."""

import io

import numpy as np
from PIL import Image as Pillow

from gallery import ingest, serving
from gallery.extraction import pixels, registry
from search.models import QueryPicture

THUMBNAIL_SIDE = 256


def add(file) -> QueryPicture:
    """Read an uploaded query picture; ingest.Refused says why it is not taken."""
    ingest.digest(file)
    ingest.examine(file)
    description = serving.current()
    extractor = registry.load(description)
    file.seek(0)
    picture = pixels.load_rgb(file, at_least=extractor.at_least)
    [extraction] = extractor.extract([picture])
    return QueryPicture.objects.create(
        filename=ingest.clean_filename(file.name or ""),
        extractor=description.key,
        tags=extraction.tags,
        vector=extraction.embedding.astype("<f4").tobytes(),
        thumbnail=_jpeg(picture),
    )


def read_again(picture: QueryPicture) -> None:
    """Have the extractor that is searched now read the picture, from the small JPEG that was kept of it."""
    description = serving.current()
    [extraction] = registry.load(description).extract([pixels.load_rgb(io.BytesIO(picture.thumbnail))])
    picture.extractor, picture.tags = description.key, extraction.tags
    picture.vector = extraction.embedding.astype("<f4").tobytes()
    picture.save()


def vector_of(picture: QueryPicture) -> np.ndarray:
    """float32 (dim,), unit length."""
    return np.frombuffer(picture.vector, "<f4")


def _jpeg(picture: Pillow.Image) -> bytes:
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
