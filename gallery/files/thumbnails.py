"""Thumbnails by sorl-thumbnail, decoded the way everything else is."""

import io
from typing import Any

from sorl.thumbnail import default, get_thumbnail
from sorl.thumbnail.engines.pil_engine import Engine as PillowEngine

from gallery.imaging.decoder import DecodeError, decoder
from gallery.models import Image

# Name in the address -> the box that the thumbnail fits in, in pixels.
SIZES = {"small": "320x320", "medium": "640x640", "large": "1600x1600"}
LARGEST = 1600


class Engine(PillowEngine):
    """sorl's Pillow engine on pixels that are already upright sRGB, for every format that we take."""

    def get_image(self, source: Any) -> Any:
        return decoder().load(io.BytesIO(source.read()), at_least=LARGEST).picture


def thumbnail_of(image: Image, size: str) -> Any:
    """Give the thumbnail's file, made if need be; FileNotFoundError when the original is gone or rotten."""
    if not image.original.storage.exists(image.original_name):
        raise FileNotFoundError(image.original_name)
    try:
        return _made(image, size)
    except DecodeError as error:
        raise FileNotFoundError(image.original_name) from error


def _made(image: Image, size: str) -> Any:
    file = get_thumbnail(image.original, SIZES[size])
    if not file.exists():  # it was made once, and its file is gone: thumbnails can be thrown away
        default.kvstore.delete(file)
        file = get_thumbnail(image.original, SIZES[size])
    return file
