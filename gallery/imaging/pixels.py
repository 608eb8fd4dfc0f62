"""Files -> upright 8-bit RGB pixels, whatever format, colour space or depth they come in."""

import io
import math
from pathlib import Path
from typing import IO, Any

import numpy as np
import pillow_heif
from PIL import Image, ImageCms, ImageFile

from gallery.imaging import containers, raw, wide_color
from gallery.imaging.containers import Coding
from gallery.imaging.formats import BY_NAME, FORMATS

pillow_heif.register_heif_opener()
try:
    import pillow_jxl  # noqa: F401 - registers itself with Pillow; under the GPL, so that some leave it out
except ImportError:
    KNOWN = [format for format in FORMATS if format.name != "JXL"]
else:
    KNOWN = list(FORMATS)
# The limit on pixels is MAX_IMAGE_MEGAPIXELS, checked by gallery.ingest before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

# Raw files first: Pillow takes many of them for the TIFF of a stamp.
OPENED = [raw.OTHER, *(format.name for format in KNOWN if not format.is_raw)]
ORIENTATION = 0x0112
WHITE_IS_ZERO = 0
PHOTOMETRIC = 262  # TIFF's tag
_SRGB, _LAB = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
DARK, LIGHT = 64, 200  # greys: of the ground, and from which a drawing is too light for a white one
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
QUARTERS = {
    1: Image.Transpose.ROTATE_270,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_90,
}
LEAST_SHOWN = 0.08  # of the rows of a JPEG that is cut off, below which there is nothing to see
LARGEST_AREA = 8  # times `at_least` squared: a panorama of more comes smaller
BAND = 1_000_000  # pixels
HASHED = 32  # cells a side that a perceptual hash looks at
# float64 (8, 32): the cosine transform's second to ninth row; the first is the mean, which brightness
# changes.
_COSINES = np.cos(np.pi / (2 * HASHED) * np.arange(1, 9)[:, None] * (2 * np.arange(HASHED) + 1))


def open_header(file: str | Path | IO[bytes]) -> Image.Image:
    """Open a picture without decoding it. Whatever is of no format that we take raises Pillow's errors."""
    return Image.open(file, formats=OPENED)


def is_begun(file: IO[bytes]) -> bool:
    """Whether a file that cannot be opened begins like a picture of a format that we take."""
    file.seek(0)
    start = file.read(16)
    checks = (Image.OPEN[name][1] for name in OPENED if name in Image.OPEN)
    return any(check is not None and check(start) is True for check in checks)


def format_of(image: Image.Image) -> str:
    """Name the format.

    An MPO is a JPEG with further pictures behind the first, as many phones write.
    """
    if isinstance(image, raw.RawImageFile):
        return image.kind
    return "JPEG" if image.format == "MPO" else str(image.format)


def orientation(image: Image.Image) -> int:
    """EXIF's number for how the pixels that Pillow gives have to be turned; 1 for not at all.

    In HEIF and AVIF the container's own turn comes before EXIF's: HEIF's is made by its decoder, AVIF's is
    what its plugin gives as EXIF's. JPEG XL knows only the container's, which its decoder makes.
    """
    if image.format in ("HEIF", "AVIF") and isinstance(image, ImageFile.ImageFile) and image.fp:
        turns = containers.read(image.fp).turns
        if image.format == "HEIF":
            return 1 if turns else int(image.info.get("original_orientation") or 1)
        if not turns:  # what EXIF said before the plugin put the container's word there
            exif = Image.Exif()
            exif.load(image._decoder.get_info()[4] or b"")  # type: ignore[attr-defined]
            return int(exif.get(ORIENTATION, 1))
    return 1 if image.format == "JXL" else int(image.getexif().get(ORIENTATION, 1))


def is_turned(image: Image.Image) -> bool:
    """Whether width and height change places when the picture is seen upright."""
    return orientation(image) in (5, 6, 7, 8)


def load_rgb(
    file: str | Path | IO[bytes],
    at_least: int | None = None,
    box: Box | None = None,
    turn: int = 0,
    lenient: bool = True,
) -> Image.Image:
    """Decode a picture's first frame: upright, RGB, 8 bit, sRGB, without transparency.

    With `at_least`, in pixels, it may come smaller than it is, but no side below that unless it was, or
    unless it is so long that its area would be large: a JPEG's decoder skips detail by itself (draft mode),
    others are reduced band by band, so that little memory is needed besides the decoder's own. `turn` is a
    person's, in quarters clockwise. `box` cuts a part out, (left, top, right, bottom) as parts of the upright
    picture's sides. A JPEG that lacks its end is shown as far as it goes if `lenient`. Raises whatever Pillow
    raises on bytes that it cannot decode.
    """
    with open_header(file) as image:
        coding = (
            containers.read(image.fp).coding if isinstance(image, ImageFile.ImageFile) and image.fp else None
        )
        upright = TURNS.get(orientation(image))
        if at_least:
            factor = at_least / min(image.size)
            if factor < 1:
                image.draft(None, (round(image.width * factor), round(image.height * factor)))
        _load(image, lenient)
        profile = image.info.get("icc_profile")
        small = _reduced(image, _reduction(image.size, at_least))
    small = small if upright is None else small.transpose(upright)
    small = small if turn % 4 == 0 else small.transpose(QUARTERS[turn % 4])
    if box:
        sides = (small.width, small.height) * 2
        left, top, right, bottom = (round(part * side) for part, side in zip(box, sides, strict=True))
        small = small.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    return _to_srgb(small, profile, coding)


def _load(image: Image.Image, lenient: bool) -> None:
    """Decode; of a JPEG that is cut off what there is, if there is anything to see."""
    try:
        image.load()
    except OSError:
        if not lenient or format_of(image) != "JPEG":
            raise
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            image.load()
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        shown = np.ptp(np.asarray(image.convert("L")), axis=1) > 0  # rows with anything in them
        if np.count_nonzero(shown) < LEAST_SHOWN * len(shown):
            raise


def reduced(picture: Image.Image, at_least: int) -> Image.Image:
    """Make an RGB picture smaller as far as its shorter side keeps `at_least` pixels, by whole numbers."""
    factor = _reduction(picture.size, at_least)
    return picture.reduce(factor) if factor > 1 else picture


def _reduction(size: tuple[int, int], at_least: int | None) -> int:
    """By how much a decoded picture may be divided."""
    if not at_least:
        return 1
    by_side = min(size) // at_least
    by_area = math.ceil(math.sqrt(size[0] * size[1] / (LARGEST_AREA * at_least**2)))
    return max(1, by_side, by_area)


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """Make the picture `factor` times smaller, in bands of about a million pixels; 8 bit, without alpha."""
    white, ground = _white(image), _ground(image)
    if factor == 1:
        return _flat(image, white, ground)
    height = factor * max(1, BAND // (image.width * factor))
    target: Image.Image | None = None
    for top in range(0, image.height, height):
        band = image.crop((0, top, image.width, min(top + height, image.height)))
        small = _flat(band, white, ground).reduce(factor)
        if target is None:
            target = Image.new(small.mode, (small.width, -(-image.height // factor)))
        target.paste(small, (0, top // factor))
    return target or image


def _flat(image: Image.Image, white: float, ground: int) -> Image.Image:
    """8 bit, without transparency or palette; CMYK and grey stay for their colour profiles."""
    image = _to_8_bit(image, white)
    if _is_transparent(image):
        mode = "L" if image.mode in ("LA", "La") else "RGB"
        rgba = image.convert("RGBA")
        image = Image.new(mode, image.size, ground if mode == "L" else (ground,) * 3)
        image.paste(rgba.convert(mode), mask=rgba.getchannel("A"))
    if image.mode == "LAB":
        return ImageCms.profileToProfile(image, _LAB, _SRGB, outputMode="RGB") or image.convert("RGB")
    return image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")


def _is_transparent(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _ground(image: Image.Image) -> int:
    """Choose the grey that shows through: white, but dark where what is drawn is as good as white itself."""
    if not _is_transparent(image) or image.mode.startswith("I"):
        return 255
    sample = image.resize((min(256, image.width), min(256, image.height)), Image.Resampling.NEAREST)
    pixels = np.asarray(sample.convert("RGBA"), np.float32)
    weights = pixels[..., 3]
    if weights.min() > 127 or not weights.any():
        return 255
    drawn = np.average(pixels[..., :3].mean(axis=2), weights=weights)
    return DARK if drawn > LIGHT else 255


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
    grey = np.clip(values * (255.0 / white), 0, 255).astype(np.uint8)
    return Image.fromarray(255 - grey if _is_negative(image) else grey)


def _is_negative(image: Image.Image) -> bool:
    """Whether a TIFF's smallest value is white; Pillow turns only those of 8 bits and fewer over."""
    tags = getattr(image, "tag_v2", None)
    return tags is not None and tags.get(PHOTOMETRIC) == WHITE_IS_ZERO


def _to_srgb(image: Image.Image, profile: bytes | None, coding: Coding | None) -> Image.Image:
    """RGB in sRGB, by the picture's colour profile where it has a sound one, or by its container's word."""
    is_hdr = coding is not None and coding.transfer in (wide_color.PQ, wide_color.HLG)
    if profile and not is_hdr and image.mode in ("RGB", "CMYK", "L"):
        try:
            converted = ImageCms.profileToProfile(image, io.BytesIO(profile), _SRGB, outputMode="RGB")
            return converted or image.convert("RGB")
        except ImageCms.PyCMSError:
            pass  # A broken or mismatched profile says nothing of the colours: convert plainly.
    rgb = image.convert("RGB")
    return wide_color.to_srgb(rgb, coding) if coding and wide_color.is_other(coding) else rgb


def bytes_needed(image: Image.Image) -> int:
    """Estimate the memory, in bytes, that decoding an opened picture takes at its peak."""
    format = BY_NAME[format_of(image)]
    each = format.bytes_per_pixel
    if format.name == "JPEG" and "progressive" not in image.info:
        each = 1.0  # line by line, in draft mode
    return int(image.width * image.height * each)
