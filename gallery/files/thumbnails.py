"""Thumbnails by sorl-thumbnail, decoded the way everything else is."""

import io
import logging
import math
from collections.abc import Iterator
from typing import IO, Any

from django.db import transaction
from PIL import Image as Pillow
from PIL.Image import Image as Picture
from sorl.thumbnail import default, get_thumbnail
from sorl.thumbnail.engines.pil_engine import Engine as PillowEngine
from sorl.thumbnail.images import ImageFile, deserialize_image_file
from sorl.thumbnail.kvstores.base import add_prefix, del_prefix
from sorl.thumbnail.models import KVStore

from gallery.extraction.pipeline import Source
from gallery.imaging.decoder import decoder
from gallery.imaging.pixels import QUARTERS
from gallery.models import Image

logger = logging.getLogger(__name__)

# Name in the address -> the sides of the box that the thumbnail fits in, in pixels.
SIZES = {"small": 320, "medium": 640, "large": 1600}
LARGEST = 1600
EARLY = ("small", "medium")  # what grids show: made when a picture is read
LONG = 3  # times its shorter side: a panorama, which is bounded by its area instead
LONGEST = 5  # times the box, the longer side of a panorama
AT_ONCE = 500  # rows in a statement


class Engine(PillowEngine):
    """sorl's Pillow engine on pixels that are already upright sRGB, for every format that we take."""

    def get_image(self, source: Any) -> Any:
        return decoder().load(io.BytesIO(source.read()), at_least=LARGEST).picture

    def create(self, image: Any, geometry: Any, options: dict[str, Any]) -> Any:
        if turn := options.get("turn"):
            image = image.transpose(QUARTERS[turn])
        return super().create(image, geometry, options)

    def _scale(self, image: Any, width: int, height: int) -> Any:
        # As Pillow itself makes thumbnails: two thirds of the time that sorl's filter takes.
        return image.resize((width, height), Pillow.Resampling.BICUBIC, reducing_gap=2.0)

    def _get_raw_data(self, image: Any, format_: str, quality: int, **options: Any) -> Any:
        # A progressive file takes more than twice the time and is 3 % smaller.
        return super()._get_raw_data(image, format_, quality, **{**options, "progressive": False})


def box_of(width: int, height: int, side: int) -> tuple[int, int]:
    """Give the width and height, in pixels, that a picture's thumbnail for a box of `side` fits in.

    20,000 x 1,000 pixels in a box of 1,600 would be a strip of 80: it gets the area of the box instead.
    """
    if max(width, height) <= LONG * min(width, height):
        return side, side
    factor = min(side / math.sqrt(width * height), LONGEST * side / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def thumbnail_of(image: Image, size: str) -> IO[bytes]:
    """Open the thumbnail, made if need be; FileNotFoundError when the original is gone or rotten.

    Of one that exists nothing is asked but its bytes: an object store answers each question in 20 ms.
    """
    name = thumbnail_name(image, size)
    try:
        return default.storage.open(name)
    except FileNotFoundError:
        _make(image, size)
        if not Image.objects.filter(pk=image.pk).exists():  # it went meanwhile, and these were not there yet
            Made(image).remove()
        return default.storage.open(name)


class NewThumbnails:
    """The thumbnails that grids show, made of pictures that are decoded for something else.

    Files are written as pictures come, in whatever thread; `register` then tells sorl of all of them at once,
    so that they go with their pictures.
    """

    def __init__(self) -> None:
        self._made: list[tuple[int, ImageFile, ImageFile]] = []

    def source(self, image: Image) -> Source:
        """Say how to read a picture so that its thumbnails come out of it."""
        width, height = image.width, image.height
        boxes = [box_of(width, height, SIZES[size]) for size in EARLY]
        scale = max(min(box[0] / width, box[1] / height) for box in boxes)
        needed = math.ceil(min(1, scale) * min(width, height))
        return Source(image.original, image.turn, needed, lambda picture: self._make(image, picture))

    def register(self) -> None:
        """Tell sorl, in one transaction; those of pictures that went meanwhile are thrown away.

        If that fails nothing is lost but time: what sorl does not know `verify` finds.
        """
        try:
            self._register()
        except Exception:
            logger.exception("Thumbnails of %d images", len(self._made))
        self._made = []

    def _register(self) -> None:
        numbers = {pk for pk, *_ in self._made}
        with transaction.atomic():
            # Locked, so that whoever deletes one waits, and finds them.
            there = Image.objects.filter(pk__in=numbers).order_by("pk").select_for_update(no_key=True)
            kept = set(there.values_list("pk", flat=True))
            for pk, original, thumbnail in self._made:
                if pk in kept:
                    default.kvstore.get_or_set(original)
                    default.kvstore.set(thumbnail, original)
        for pk, _original, thumbnail in self._made:
            if pk not in kept:
                default.storage.delete(thumbnail.name)

    def _make(self, image: Image, picture: Picture) -> None:
        """Write a picture's thumbnails. If that fails, they are made when they are asked for."""
        try:
            for size in EARLY:
                geometry, options = _asked(image, size)
                original = ImageFile(image.original)
                original.set_size((image.width, image.height))
                thumbnail = ImageFile(thumbnail_name(image, size), default.storage)
                if thumbnail.exists():
                    # sorl would write another beside it, and does not know one of a worker that died.
                    with thumbnail.storage.open(thumbnail.name) as file, Pillow.open(file) as known:
                        thumbnail.set_size(known.size)
                else:
                    # The picture is turned already.
                    given = {**default.backend.default_options, **options, "turn": 0}
                    default.backend._create_thumbnail(picture, geometry, given, thumbnail)
                self._made.append((image.pk, original, thumbnail))
        except Exception:
            logger.exception("Thumbnails of image %d", image.pk)


class Made:
    """The thumbnails of an image, which may be gone when they are removed."""

    def __init__(self, image: Image) -> None:
        self._original = ImageFile(image.original)
        self._names = [thumbnail_name(image, size) for size in SIZES]

    def remove(self) -> None:
        """Remove those that sorl knows of, and those that two processes made at once."""
        default.kvstore.delete(self._original)
        for name in self._names:
            default.storage.delete(name)


def left_behind() -> Iterator[tuple[ImageFile, list[ImageFile]]]:
    """Yield each original that sorl knows of and no picture has any more, and the thumbnails of it.

    So they are found that could not be removed with their picture.
    """
    kvstore, prefix = default.kvstore, add_prefix("", "thumbnails")
    rows, last = KVStore.objects.filter(key__startswith=prefix).order_by("key"), ""
    while some := list(rows.filter(key__gt=last).values_list("key", flat=True)[:AT_ONCE]):
        last = some[-1]
        originals = KVStore.objects.filter(key__in=[add_prefix(key) for key in map(del_prefix, some)])
        told = originals.values_list("key", "value")
        files = {del_prefix(key): deserialize_image_file(value) for key, value in told}
        names = [file.name for file in files.values()]
        known = set(Image.objects.filter(original__in=names).values_list("original", flat=True))
        for key, file in files.items():
            if file.name not in known:
                made = [kvstore._get(own) for own in kvstore._get(key, identity="thumbnails") or []]
                yield file, [own for own in made if own is not None]


def thumbnail_name(image: Image, size: str) -> str:
    """Name the thumbnail's file as sorl does, without asking its table."""
    backend = default.backend
    geometry, options = _asked(image, size)
    named = {**backend.default_options, **options}
    return str(backend._get_thumbnail_filename(ImageFile(image.original), geometry, named))


def _asked(image: Image, size: str) -> tuple[str, dict[str, Any]]:
    """Return the geometry and options by which sorl makes a thumbnail."""
    geometry = "{}x{}".format(*box_of(image.width, image.height, SIZES[size]))
    return geometry, {"turn": image.turn} if image.turn else {}


def _make(image: Image, size: str) -> None:
    geometry, options = _asked(image, size)
    if not image.original.storage.exists(image.original_name):
        raise FileNotFoundError(image.original_name)
    file = get_thumbnail(image.original, geometry, **options)
    if not file.exists():  # it was made once, and its file is gone: thumbnails can be thrown away
        default.kvstore.delete(file)
        get_thumbnail(image.original, geometry, **options)
