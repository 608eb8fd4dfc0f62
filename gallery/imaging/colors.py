"""The colours that a person would name in a picture."""

import numpy as np
from PIL import Image

SIDE = 48  # pixels that are looked at, each way
LEAST = 0.15  # share of the picture that a colour covers to be named
LEAST_VIVID = 0.05  # the same for its vivid pixels alone: a red cushion is looked at first
LEAST_GREY = 0.35  # the same for black, grey and white, which every picture has some of
# Where each hue begins, in degrees; red is on both sides of 0.
HUES = (
    (0, "red"), (18, "orange"), (45, "yellow"), (66, "green"), (170, "blue"),
    (255, "purple"), (295, "pink"), (340, "red"),
)  # fmt: skip
BLACK_AND_WHITE = "bw"
NAMES = (*dict.fromkeys(name for _, name in HUES), "brown", "black", "white", "grey")


def named(picture: Image.Image) -> list[str]:
    """List the colours of an RGB picture, the one that covers most first; 'bw' where it has no colour."""
    small = picture.resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=2)
    rgb = np.asarray(small, np.float32).reshape(-1, 3) / 255
    most, least = rgb.max(axis=1), rgb.min(axis=1)
    chroma = most - least
    if np.quantile(chroma, 0.98) < 0.06:
        return [BLACK_AND_WHITE, *_covering(_greys(most), LEAST_GREY)]
    saturation = chroma / np.maximum(most, 1e-6)
    is_grey = (chroma < 0.1) | (saturation < 0.18) | (most < 0.16)
    names = np.where(is_grey, _greys(most), _hues(rgb, most, chroma, saturation))
    is_vivid = ~is_grey & (saturation > 0.6) & (most > 0.45)
    colored = [
        *_covering(names[~is_grey], LEAST, len(names)),
        *_covering(names[is_vivid], LEAST_VIVID, len(names)),
    ]
    return list(dict.fromkeys([*colored, *_covering(names[is_grey], LEAST_GREY, len(names))]))


def _hues(rgb: np.ndarray, most: np.ndarray, chroma: np.ndarray, saturation: np.ndarray) -> np.ndarray:
    """Name each pixel by its hue: str (n,). Dark orange is brown, pale red pink."""
    red, green, blue = rgb.T
    width = np.maximum(chroma, 1e-6)
    hue = np.select(
        [most == red, most == green],
        [(green - blue) / width % 6, (blue - red) / width + 2],
        (red - green) / width + 4,
    )
    degrees = hue * 60 % 360
    starts = np.array([start for start, _ in HUES])
    names = np.array([name for _, name in HUES])[np.searchsorted(starts, degrees, side="right") - 1]
    warm = (degrees >= 10) & (degrees < 50)
    brown = warm & ((most < 0.62) | ((saturation < 0.45) & (most < 0.8)))
    reddish = (names == "red") & (most > 0.75) & (saturation < 0.5)
    grassy = (degrees >= 48) & (degrees < 66) & (most < 0.7)  # dark yellow is what grass has
    deep = (names == "pink") & (most < 0.75)
    named_pixels: np.ndarray = np.select(
        [brown, reddish, grassy, deep], ["brown", "pink", "green", "purple"], names
    )
    return named_pixels


def _greys(brightness: np.ndarray) -> np.ndarray:
    greys: np.ndarray = np.select([brightness < 0.22, brightness > 0.82], ["black", "white"], "grey")
    return greys


def _covering(names: np.ndarray, least: float, of: int | None = None) -> list[str]:
    """List the names that at least this share of `of` pixels have, most frequent first."""
    found, counts = np.unique(names, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [str(found[i]) for i in order if counts[i] >= least * (of or len(names))]
