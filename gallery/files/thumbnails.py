"""Thumbnails by sorl-thumbnail, decoded the way everything else is."""

import io
import math
from typing import IO, Any

from sorl.thumbnail import default, get_thumbnail
from sorl.thumbnail.engines.pil_engine import Engine as PillowEngine
from sorl.thumbnail.images import ImageFile

from gallery.imaging.decoder import decoder
from gallery.imaging.pixels import QUARTERS
from gallery.models import Image

# Name in the address -> the sides of the box that the thumbnail fits in, in pixels.
SIZES = {"small": 320, "medium": 640, "large": 1600}
LARGEST = 1600
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
