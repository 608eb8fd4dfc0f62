"""The database's rows -> the index's."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from django.db.models import BigIntegerField, F, Func
from django.db.models.functions import Greatest

from gallery import access
from gallery.imaging import screens
from gallery.imaging.formats import FORMATS
from gallery.models import AlbumImage, Embedding, Image, ImageTag
from search.index import words
from search.index.columns import COLUMNS, UNKNOWN, Rows, Written

CHUNK = 5000  # images read at a time: each chunk is a short transaction of its own
FORMAT_NUMBERS = {format.name: number for number, format in enumerate(FORMATS)}

WITHIN = 500  # images asked for by number at a time: SQLite limits how many a statement may name


class Milliseconds(Func):
    """A moment in milliseconds since 1970, worked out by the database."""

    template = "CAST(round((julianday(%(expressions)s) - 2440587.5) * 86400000) AS INTEGER)"
    output_field = BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra) -> Any:
        template = "ROUND(EXTRACT(EPOCH FROM %(expressions)s) * 1000)::bigint"
        return self.as_sql(compiler, connection, template=template, **extra)


class Seconds(Func):
    """A moment in seconds since 1970, worked out by the database.

    A million datetime objects would take ten seconds.
    """

    template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
    output_field = BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra) -> Any:
        template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint"
        return self.as_sql(compiler, connection, template=template, **extra)


def every_image(extractor: str, dim: int, after: int = 0) -> Iterator[Rows]:
    """Read every READY image that the extractor has processed, in growing order of its id.

    Without those in the trash; from the first id behind `after` on.
    """
    last = after
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


def searchable(extractor: str, dim: int, image_ids: Sequence[int]) -> set[int]:
    """Those of the images that `images` reads."""
    return set(_embeddings(extractor, dim).filter(image_id__in=image_ids).values_list("image_id", flat=True))


_FIELDS = (
    "image_id",
    "vector",
    "image__owner_id",
    "image__format",
    "image__perceptual_hash",
    "side",
    "taken",
    "added",
    "log_sum",
    "image__width",
    "image__height",
    "image__filename",
    "image__caption",
    "image__place",
    "image__camera",
    "image__lens",
    "image__colors",
    "image__text_in_image__text",
)


def _embeddings(extractor: str, dim: int) -> Any:
    ready = Embedding.objects.filter(
        access.untrashed("image__"), extractor=extractor, dim=dim, image__status=Image.Status.READY
    )
    return ready.annotate(
        side=Greatest("image__width", "image__height"),
        taken=Milliseconds(F("image__taken_local")),
        added=Seconds(F("image__created_at")),
    )


def _rows(found: list[tuple], dim: int, extractor: str, named: dict) -> Rows:
    ids, vectors, owners, formats, hashes, sides, taken, added, log_sums, *written = zip(*found, strict=True)
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
        "log_sums": [np.inf if own is None else own for own in log_sums],
        "tagged": tagged,
    }
    return Rows(
        {name: np.asarray(values, COLUMNS[name]) for name, values in columns.items()},
        np.frombuffer(b"".join(vectors), "<f4").reshape(-1, dim),
        tags,
        _pairs(AlbumImage.objects.filter(**named).values_list("image_id", "album_id"), row_of),
        _written(zip(formats, *written, strict=True), _keywords(named, row_of)),
    )


def _written(facts: Iterable[tuple], keywords: dict[int, list[str]]) -> Written:
    """Return the words of each row, from what is written about it and what it looks like."""
    numbers: dict[str, int] = {}
    pairs = []
    for row, (format, width, height, filename, caption, place, camera, lens, colors, text) in enumerate(
        facts
    ):
        fields = {
            "name": PurePath(filename).stem,
            "caption": caption,
            "keyword": " ".join(keywords.get(row, ())),
            "place": place,
            "text": text or "",
            "camera": camera,
            "lens": lens,
        }
        own = [f"{field}:{word}" for field, value in fields.items() for word in words.in_text(value)]
        own += [f"color:{color}" for color in colors.split()]
        own.append(f"look:{orientation(width, height)}")
        if screens.is_screenshot(filename, format, width, height, camera):
            own.append("look:screenshot")
        pairs += [(row, numbers.setdefault(word, len(numbers))) for word in own]
    return Written(list(numbers), np.array(pairs, np.int64).reshape(-1, 2))


def orientation(width: int, height: int) -> str:
    """Name a picture's shape; one that is nearly square counts as square."""
    if max(width, height) <= 1.05 * min(width, height):
        return "square"
    return "landscape" if width > height else "portrait"


def _keywords(named: dict, row_of: dict[int, int]) -> dict[int, list[str]]:
    """Return the tags that people gave, by row."""
    given = ImageTag.objects.filter(**named, source=ImageTag.Source.PERSON)
    found: dict[int, list[str]] = {}
    for image_id, name in given.values_list("image_id", "tag__name").iterator(chunk_size=10_000):
        if image_id in row_of:
            found.setdefault(row_of[image_id], []).append(name)
    return found


def _pairs(links: Any, row_of: dict[int, int]) -> np.ndarray:
    """(image id, key) pairs -> int64 (n, 2) of row and key, by row; those of other images are passed over."""
    pairs = [
        (row_of[image_id], key) for image_id, key in links.iterator(chunk_size=10_000) if image_id in row_of
    ]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[np.argsort(found[:, 0], kind="stable")]
