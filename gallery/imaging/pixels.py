"""Files -> upright 8-bit RGB pixels, whatever format, colour space or depth they come in."""

import io
import math
from pathlib import Path
from typing import IO, Any

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from gallery.imaging.formats import BY_NAME

pillow_heif.register_heif_opener()
# The limit on pixels is MAX_IMAGE_MEGAPIXELS, checked by gallery.ingest before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

ORIENTATION = 0x0112
_SRGB = ImageCms.createProfile("sRGB")
Box = tuple[float, float, float, float]
# How EXIF's orientations are turned upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LARGEST_AREA = 8  # times `at_least` squared: a panorama of more comes smaller
BAND = 1_000_000  # pixels
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


def load_rgb(
    file: str | Path | IO[bytes], at_least: int | None = None, box: Box | None = None
) -> Image.Image:
    """Decode a picture's first frame: upright, RGB, 8 bit, sRGB, transparency on white.

    With `at_least`, in pixels, it may come smaller than it is, but no side below that unless it was, or
    unless it is so long that its area would be large: a JPEG's decoder skips detail by itself (draft mode),
    others are reduced band by band, so that little memory is needed besides the decoder's own. `box` cuts a
    part out, (left, top, right, bottom) as parts of the upright picture's sides. Raises whatever Pillow
    raises on bytes that it cannot decode.
    """
    with open_header(file) as image:
        if at_least:
            factor = at_least / min(image.size)
            if factor < 1:
                image.draft(None, (round(image.width * factor), round(image.height * factor)))
        image.load()
        profile, turn = image.info.get("icc_profile"), TURNS.get(image.getexif().get(ORIENTATION, 1))
        small = _reduced(image, _reduction(image.size, at_least))
    upright = small if turn is None else small.transpose(turn)
    if box:
        sides = (upright.width, upright.height) * 2
        left, top, right, bottom = (round(part * side) for part, side in zip(box, sides, strict=True))
        upright = upright.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    return _to_srgb(upright, profile)


def _reduction(size: tuple[int, int], at_least: int | None) -> int:
    """By how much a decoded picture may be divided."""
    if not at_least:
        return 1
    by_side = min(size) // at_least
    by_area = math.ceil(math.sqrt(size[0] * size[1] / (LARGEST_AREA * at_least**2)))
    return max(1, by_side, by_area)


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """Make the picture `factor` times smaller, in bands of about a million pixels; 8 bit, without alpha."""
    white = _white(image)
    if factor == 1:
        return _flat(image, white)
    height = factor * max(1, BAND // (image.width * factor))
    target: Image.Image | None = None
    for top in range(0, image.height, height):
        band = image.crop((0, top, image.width, min(top + height, image.height)))
        small = _flat(band, white).reduce(factor)
        if target is None:
            target = Image.new(small.mode, (small.width, -(-image.height // factor)))
        target.paste(small, (0, top // factor))
    return target or image


def _flat(image: Image.Image, white: float) -> Image.Image:
    """8 bit, without transparency or palette; CMYK and grey stay for their colour profiles."""
    image = _to_8_bit(image, white)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(rgba, mask=rgba)
    return image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")


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
    return int(red << 16 | green << 8 | blue)


def _white(image: Image.Image) -> float:
    """Return what counts as white in greyscale of 16 or 32 bits or floating point.

    The range that the values were most likely written in: 0..1, 8 bits, 16 bits, or their own. 0 in other
    modes.
    """
    if not image.mode.startswith(("I", "F")):
        return 0.0
    extrema: Any = image.getextrema()
    top = max(0.0, float(np.nan_to_num(extrema[1])))
    limits = (65535.0,) if image.mode.startswith("I;16") else (1.0, 255.0, 65535.0)
    return next((limit for limit in limits if top <= limit), top)


def _to_8_bit(image: Image.Image, white: float) -> Image.Image:
    """Greyscale of more bits scaled to 8; other modes as they are."""
    if not white:
        return image
    values = np.nan_to_num(np.asarray(image).astype(np.float32))
    return Image.fromarray(np.clip(values * (255.0 / white), 0, 255).astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in sRGB, by the picture's colour profile where it has a sound one."""
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            converted = ImageCms.profileToProfile(image, io.BytesIO(profile), _SRGB, outputMode="RGB")
            return converted or image.convert("RGB")
        except ImageCms.PyCMSError:
            pass  # A broken or mismatched profile says nothing of the colours: convert plainly.
    return image.convert("RGB")


def bytes_needed(image: Image.Image) -> int:
    """Estimate the memory, in bytes, that decoding an opened picture takes at its peak."""
    format = BY_NAME[format_of(image)]
    each = format.bytes_per_pixel
    if format.name == "JPEG" and "progressive" not in image.info:
        each = 1.0  # line by line, in draft mode
    return int(image.width * image.height * each)
