"""Thumbnails by sorl-thumbnail, decoded the way everything else is."""

import io
import math
from typing import Any

from sorl.thumbnail import default, get_thumbnail
from sorl.thumbnail.engines.pil_engine import Engine as PillowEngine

from gallery.imaging.decoder import DecodeError, decoder
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


def thumbnail_of(image: Image, size: str) -> Any:
    """Give the thumbnail's file, made if need be; FileNotFoundError when the original is gone or rotten."""
    if not image.original.storage.exists(image.original_name):
        raise FileNotFoundError(image.original_name)
    try:
        return _made(image, size)
    except DecodeError as error:
        raise FileNotFoundError(image.original_name) from error


def _made(image: Image, size: str) -> Any:
    geometry = "{}x{}".format(*box_of(image.width, image.height, SIZES[size]))
    options = {"turn": image.turn} if image.turn else {}
    file = get_thumbnail(image.original, geometry, **options)
    if not file.exists():  # it was made once, and its file is gone: thumbnails can be thrown away
        default.kvstore.delete(file)
        file = get_thumbnail(image.original, geometry, **options)
    return file
