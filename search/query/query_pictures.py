"""Pictures uploaded to search by: bytes -> what an extractor makes of them, kept for a month."""

import io
from collections.abc import Mapping
from itertools import accumulate
from typing import IO, Any

import numpy as np
from django.contrib.auth.models import User
from django.core.files import File
from django.db.models.functions import Length
from django.utils.translation import gettext as _
from PIL import Image as Pillow

from gallery import extractor_switch, ingest
from gallery.extraction import registry
from gallery.imaging.decoder import DecodeError, decoder
from gallery.models import Image
from gallery.refusal import RefusedError
from search.models import QueryPicture
from search.query.errors import QueryError

SIDES = ("left", "top", "right", "bottom")
LEAST_SIDE = 1.0  # per cent of a picture's side
MOST = 200  # that are kept of one person, but for those of saved searches
MOST_BYTES = 20_000_000  # that these take
KEPT_SIDE = 1024  # pixels of what is kept of it: a part of that is still a picture


def add(file: "File[bytes]", owner: User | None = None) -> QueryPicture:
    """Read an uploaded query picture; RefusedError says why it is not taken.

    Of one person the newest MOST are kept, as far as they take no more than MOST_BYTES.
    """
    ingest.digest(file)
    ingest.examine(file)
    file.seek(0)
    kept = decoder().load(file, at_least=KEPT_SIDE).picture
    # Decoded as the gallery's pictures are, so that a picture of the gallery is found as itself.
    read = decoder().load(file, at_least=registry.load(extractor_switch.current()).at_least).picture
    return _create(ingest.clean_filename(file.name or ""), read, kept, owner)


def add_part(
    source: Image | QueryPicture, box: tuple[float, float, float, float], owner: User | None = None
) -> QueryPicture:
    """Read a part of a picture as one of its own.

    `box` is (left, top, right, bottom) as parts of its sides, 0 to 1.
    """
    fraction = max(min(box[2] - box[0], box[3] - box[1]), 0.001)
    opened: IO[bytes]
    turn = source.turn if isinstance(source, Image) else 0
    if isinstance(source, Image):
        opened = source.original.storage.open(source.original_name)
    else:
        opened = io.BytesIO(source.thumbnail)
    with opened as file:
        try:
            part = decoder().load(file, at_least=round(KEPT_SIDE / fraction), box=box, turn=turn).picture
        except DecodeError as error:
            raise RefusedError(_("The picture is damaged or incomplete.")) from error
    return _create(source.filename, part, part, owner)


def box(sides: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Read left, top, right and bottom in per cent: each as a part of the picture's side, 0 to 1.

    QueryError names the side that cannot be.
    """
    try:
        numbers = {side: float(sides.get(side, "")) for side in SIDES}
    except (TypeError, ValueError) as error:
        raise QueryError("left", _("Left, top, right and bottom must be numbers.")) from error
    for side, number in numbers.items():
        if not 0 <= number <= 100:
            raise QueryError(side, _("Each side must be from 0 to 100 percent."))
    left, top, right, bottom = numbers.values()
    if right - left < LEAST_SIDE or bottom - top < LEAST_SIDE:
        raise QueryError("right", _("The rectangle is too small, or its sides are swapped."))
    return left / 100, top / 100, right / 100, bottom / 100


def _create(filename: str, read: Pillow.Image, kept: Pillow.Image, owner: User | None) -> QueryPicture:
    description = extractor_switch.current()
    [extraction] = registry.load(description).extract([read])
    made = QueryPicture.objects.create(
        owner=owner,
        filename=filename,
        extractor=description.key,
        tags=extraction.tags,
        vector=extraction.embedding.astype("<f4").tobytes(),
        thumbnail=_jpeg(kept),
    )
    if owner:
        _make_room(owner)
    return made


def _make_room(owner: User) -> None:
    """Throw the oldest of a person's query pictures away, where they are too many or too large together."""
    unsaved = QueryPicture.objects.filter(owner=owner, saved_searches=None).order_by("-pk")
    sizes = list(unsaved.annotate(size=Length("thumbnail")).values_list("pk", "size"))
    together = accumulate(size for _pk, size in sizes)
    over = [
        pk
        for at, ((pk, _size), total) in enumerate(zip(sizes, together, strict=True))
        if at >= MOST or (at and total > MOST_BYTES)
    ]
    QueryPicture.objects.filter(pk__in=over).delete()


def read_again(picture: QueryPicture) -> None:
    """Have the extractor that is searched now read the picture, from the small JPEG that was kept of it."""
    description = extractor_switch.current()
    [extraction] = registry.load(description).extract([decoder().load(io.BytesIO(picture.thumbnail)).picture])
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
