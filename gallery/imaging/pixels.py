"""Files -> upright 8-bit RGB pixels, whatever format, colour space or depth they come in."""

import io
from pathlib import Path
from typing import IO

import numpy as np
import pillow_heif
from PIL import Image, ImageCms, ImageOps

from gallery.imaging.formats import BY_NAME

pillow_heif.register_heif_opener()
# The limit on pixels is MAX_IMAGE_MEGAPIXELS, checked by gallery.ingest before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

ORIENTATION = 0x0112
_SRGB = ImageCms.createProfile("sRGB")
HASHED = 32  # cells a side that a perceptual hash looks at
# float64 (8, 32): the cosine transform's second to ninth row; the first is the mean, which brightness
# changes.
_COSINES = np.cos(np.pi / (2 * HASHED) * np.arange(1, 9)[:, None] * (2 * np.arange(HASHED) + 1))


def open_header(file: str | Path | IO[bytes]) -> Image.Image:
    """Open a picture without decoding it. Whatever is of no format that we take raises Pillow's errors."""
    return Image.open(file, formats=list(BY_NAME))


def format_of(image: Image.Image) -> str:
    """Name the format.

    An MPO is a JPEG with further pictures behind the first, as many phones write.
    """
    return "JPEG" if image.format == "MPO" else str(image.format)


def is_turned(image: Image.Image) -> bool:
    """Whether EXIF says that width and height change places when the picture is seen upright."""
    return image.getexif().get(ORIENTATION) in (5, 6, 7, 8)


def load_rgb(file: str | Path | IO[bytes], at_least: int | None = None) -> Image.Image:
    """Decode a picture's first frame: upright, RGB, 8 bit, sRGB, transparency on white.

    With `at_least`, in pixels, a JPEG may come smaller than it is, but no side below that unless it was: the
    decoder skips detail by itself (draft mode), which takes a fraction of the time. Raises whatever Pillow
    raises on bytes that it cannot decode.
    """
    with open_header(file) as image:
        if at_least:
            factor = at_least / min(image.size)
            if factor < 1:
                image.draft(None, (round(image.width * factor), round(image.height * factor)))
        image.load()
        profile = image.info.get("icc_profile")
        upright = ImageOps.exif_transpose(image)
    return _to_srgb(_to_8_bit(upright), profile)


def perceptual_hash(image: Image.Image) -> int:
    """Compute 64 bits, as a signed number, that copies of a picture nearly share (pHash: Zauner 2010).

    Whatever their size, compression or light: which of the 8 x 8 lowest frequencies of the cosine transform
    are above their median.

    A picture of one colour gives 0. On 300 photos, a quarter-size copy differs in 2 bits (median; 99 in 100
    in at most 6), another photo in 14 or more.
    """
    cells = np.asarray(
        image.convert("L").resize((HASHED, HASHED), Image.Resampling.BOX, reducing_gap=2), np.float64
    )
    frequencies = _COSINES @ cells @ _COSINES.T  # (8, 8)
    if np.abs(frequencies).max() < 1:
        return 0
    return int(np.packbits(frequencies > np.median(frequencies)).view(">i8")[0])


def color(image: Image.Image) -> int:
    """0xRRGGBB, the mean of its pixels: what stands in a picture's place while it loads."""
    [[[red, green, blue]]] = np.asarray(image.resize((1, 1), Image.Resampling.BOX, reducing_gap=2)).tolist()
    return red << 16 | green << 8 | blue


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Greyscale of 16 or 32 bits, or floating point, scaled to 8 bits; other modes as they are."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.nan_to_num(np.asarray(image).astype(np.float32))
    top = float(values.max(initial=0))
    # The range that the values were most likely written in: 0..1, 8 bits, 16 bits, or their own.
    white = next((limit for limit in (1.0, 255.0, 65535.0) if image.mode != "I;16" and top <= limit), 65535.0)
    white = max(white, top)
    return Image.fromarray(np.clip(values * (255.0 / white), 0, 255).astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in sRGB; transparent parts become white."""
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(rgba, mask=rgba)
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            converted = ImageCms.profileToProfile(image, io.BytesIO(profile), _SRGB, outputMode="RGB")
            return converted or image.convert("RGB")
        except ImageCms.PyCMSError:
            pass  # A broken or mismatched profile says nothing of the colours: convert plainly.
    return image.convert("RGB")
