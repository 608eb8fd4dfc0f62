"""Thumbnails by sorl-thumbnail, decoded the way everything else is."""

import io
import logging
import math
from typing import IO, Any

from django.db import transaction
from PIL.Image import Image as Picture
from sorl.thumbnail import default, get_thumbnail
from sorl.thumbnail.engines.pil_engine import Engine as PillowEngine
from sorl.thumbnail.images import ImageFile

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


class Engine(PillowEngine):
    """sorl's Pillow engine on pixels that are already upright sRGB, for every format that we take."""

    def get_image(self, source: Any) -> Any:
        return decoder().load(io.BytesIO(source.read()), at_least=LARGEST).picture

    def create(self, image: Any, geometry: Any, options: dict[str, Any]) -> Any:
        if turn := options.get("turn"):
            image = image.transpose(QUARTERS[turn])
        return super().create(image, geometry, options)


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
        return default.storage.open(name)


class NewThumbnails:
    """The thumbnails that grids show, made of pictures that are decoded for something else.

    Files are written as pictures come, in whatever thread; `register` then tells sorl of all of them at once,
    so that they go with their pictures.
    """

    def __init__(self) -> None:
        self._made: list[tuple[ImageFile, ImageFile]] = []

    def source(self, image: Image) -> Source:
        """Say how to read a picture so that its thumbnails come out of it."""
        width, height = image.width, image.height
        boxes = [box_of(width, height, SIZES[size]) for size in EARLY]
        scale = max(min(box[0] / width, box[1] / height) for box in boxes)
        needed = math.ceil(min(1, scale) * min(width, height))
        return Source(image.original, image.turn, needed, lambda picture: self._make(image, picture))

    def register(self) -> None:
        """Tell sorl, in one transaction."""
        with transaction.atomic():
            for original, thumbnail in self._made:
                default.kvstore.get_or_set(original)
                default.kvstore.set(thumbnail, original)
        self._made = []

    def _make(self, image: Image, picture: Picture) -> None:
        """Write a picture's thumbnails. If that fails, they are made when they are asked for."""
        try:
            for size in EARLY:
                geometry, options = _asked(image, size)
                original = ImageFile(image.original)
                original.set_size((image.width, image.height))
                thumbnail = ImageFile(thumbnail_name(image, size), default.storage)
                if thumbnail.exists():  # of before: sorl would write another beside it
                    continue
                # The picture is turned already.
                given = {**default.backend.default_options, **options, "turn": 0}
                default.backend._create_thumbnail(picture, geometry, given, thumbnail)
                self._made.append((original, thumbnail))
        except Exception:
            logger.exception("Thumbnails of image %d", image.pk)


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
