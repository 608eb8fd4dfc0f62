"""Pixels of wide gamut or high dynamic range -> sRGB, by what their container says of them (ITU-T H.273)."""

from functools import cache

import numpy as np
from PIL import Image

from gallery.imaging.containers import Coding

BAND = 1_000_000  # pixels that are worked on at a time
# The chromaticities x, y of red, green, blue and white, by H.273's number of colour primaries.
_D65 = (0.3127, 0.3290)
PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),  # BT.709, sRGB
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _D65),  # BT.601, 625 lines
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),  # BT.601, 525 lines
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),  # BT.2020
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),  # DCI-P3
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),  # Display P3
}
SRGB, PQ, HLG = 1, 16, 18
WHITE = 203.0  # cd/m2 of paper in HDR (ITU-R BT.2408)
PEAK = 1000.0  # cd/m2 that become white; what is brighter is white, too
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def is_other(coding: Coding | None) -> bool:
    """Whether the pixels are of other colours than sRGB's, in a way that is known here."""
    if coding is None or coding.primaries not in PRIMARIES:
        return False
    return coding.primaries not in (SRGB, 5, 6) or coding.transfer in (PQ, HLG)


def to_srgb(image: Image.Image, coding: Coding) -> Image.Image:
    """Convert an RGB picture; one of high dynamic range is tone-mapped."""
    is_hdr = coding.transfer in (PQ, HLG)
    light = _light(coding.transfer)  # float32 (256,): linear, paper white is 1
    matrix = _matrix(coding.primaries)
    converted = Image.new("RGB", image.size)
    rows = max(1, BAND // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        linear = light[np.asarray(band)] @ matrix.T
        if is_hdr:
            linear = _tone_mapped(linear)
        converted.paste(Image.fromarray(_encoded(linear)), (0, top))
    return converted


@cache
def _light(transfer: int) -> np.ndarray:
    """Linear light of the 256 values of a channel: float32 (256,)."""
    value = np.arange(256) / 255
    if transfer == PQ:  # SMPTE ST 2084
        power = value ** (1 / 78.84375)
        nits = 10_000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (
            1 / 0.1593017578125
        )
        return np.asarray(nits / WHITE, np.float32)
    if transfer == HLG:  # ITU-R BT.2100: the inverse OETF, then a screen's gamma of 1.2 at 1000 cd/m2
        upper = (np.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
        scene = np.where(value <= 0.5, value**2 / 3, upper)
        return np.asarray(scene**1.2 * PEAK / WHITE, np.float32)
    return np.asarray(np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4), np.float32)


def _matrix(primaries: int) -> np.ndarray:
    """float32 (3, 3): linear RGB of these primaries -> linear sRGB."""
    matrix: np.ndarray = np.linalg.inv(_to_xyz(SRGB)) @ _to_xyz(primaries)
    return matrix.astype(np.float32)


def _to_xyz(primaries: int) -> np.ndarray:
    """Float64 (3, 3): linear RGB -> CIE XYZ, white on white (SMPTE RP 177)."""
    *colors, white = [np.array([x / y, 1, (1 - x - y) / y]) for x, y in PRIMARIES[primaries]]
    columns = np.stack(colors, axis=1)
    matrix: np.ndarray = columns * np.linalg.solve(columns, white)
    return matrix


def _tone_mapped(linear: np.ndarray) -> np.ndarray:
    """Bring light up to PEAK below white, by luminance, so that hues stay (Reinhard et al. 2002, eq. 4)."""
    luminance = np.maximum(linear @ LUMINANCE, 1e-6)[..., None]
    peak = PEAK / WHITE
    mapped: np.ndarray = linear * ((1 + luminance / peak**2) / (1 + luminance))
    return mapped


def _encoded(linear: np.ndarray) -> np.ndarray:
    """uint8: linear light as sRGB writes it; what sRGB cannot show is cut off."""
    linear = np.clip(linear, 0, 1)
    curved: np.ndarray = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    rounded: np.ndarray = np.rint(curved * 255).astype(np.uint8)
    return rounded
