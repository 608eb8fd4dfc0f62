"""The database's rows -> the index's."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from django.db.models import F, Func, IntegerField
from django.db.models.functions import Greatest

from gallery import access
from gallery.imaging.formats import FORMATS
from gallery.models import AlbumImage, Embedding, Image, ImageTag
from search.index.columns import COLUMNS, UNKNOWN, Rows

CHUNK = 5000  # images read at a time: each chunk is a short transaction of its own
FORMAT_NUMBERS = {format.name: number for number, format in enumerate(FORMATS)}

WITHIN = 500  # images asked for by number at a time: SQLite limits how many a statement may name


class Seconds(Func):
    """A moment in seconds since 1970, worked out by SQLite.

    A million datetime objects would take ten seconds.
    """

    template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
    output_field = IntegerField()


def every_image(extractor: str, dim: int) -> Iterator[Rows]:
    """Read every READY image that the extractor has processed, in growing order of its id.

    Without those in the trash.
    """
    last = 0
    while True:
        following = _embeddings(extractor, dim).filter(image_id__gt=last).order_by("image_id")
        found = list(following.values_list(*_FIELDS)[:CHUNK])
        if not found:
            return
        first, last = found[0][0], found[-1][0]
        yield _rows(found, dim, extractor, {"image_id__gte": first, "image_id__lte": last})


def images(extractor: str, dim: int, image_ids: Sequence[int]) -> Iterator[Rows]:
    """Those of the images that are READY, that the extractor has read, and that are not in the trash."""
    for start in range(0, len(image_ids), WITHIN):
        named = {"image_id__in": image_ids[start : start + WITHIN]}
        found = list(_embeddings(extractor, dim).filter(**named).order_by("image_id").values_list(*_FIELDS))
        if found:
            yield _rows(found, dim, extractor, named)


_FIELDS = (
    "image_id",
    "vector",
    "image__owner_id",
    "image__format",
    "image__perceptual_hash",
    "side",
    "taken",
    "added",
)


def _embeddings(extractor: str, dim: int) -> Any:
    ready = Embedding.objects.filter(
        access.untrashed("image__"), extractor=extractor, dim=dim, image__status=Image.Status.READY
    )
    return ready.annotate(
        side=Greatest("image__width", "image__height"),
        taken=Seconds(F("image__taken_at")),
        added=Seconds(F("image__created_at")),
    )


def _rows(found: list[tuple], dim: int, extractor: str, named: dict) -> Rows:
    ids, vectors, owners, formats, hashes, sides, taken, added = zip(*found, strict=True)
    row_of = {image_id: row for row, image_id in enumerate(ids)}
    tags = _pairs(ImageTag.objects.shown(extractor).filter(**named).values_list("image_id", "tag_id"), row_of)
    tagged = np.zeros(len(ids), np.uint8)
    tagged[tags[:, 0]] = 1
    columns = {
        "ids": ids,
        "owners": owners,
        "taken": [UNKNOWN if moment is None else moment for moment in taken],
        "added": added,
        "hashes": np.array([value or 0 for value in hashes], np.int64).view(np.uint64),
        "sides": sides,
        "formats": [FORMAT_NUMBERS[name] for name in formats],
        "tagged": tagged,
    }
    return Rows(
        {name: np.asarray(values, COLUMNS[name]) for name, values in columns.items()},
        np.frombuffer(b"".join(vectors), "<f4").reshape(-1, dim),
        tags,
        _pairs(AlbumImage.objects.filter(**named).values_list("image_id", "album_id"), row_of),
    )


def _pairs(links: Any, row_of: dict[int, int]) -> np.ndarray:
    """(image id, key) pairs -> int64 (n, 2) of row and key, by row; those of other images are passed over."""
    pairs = [
        (row_of[image_id], key) for image_id, key in links.iterator(chunk_size=10_000) if image_id in row_of
    ]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[np.argsort(found[:, 0], kind="stable")]
