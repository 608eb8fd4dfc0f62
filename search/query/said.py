"""What the extractor makes of words, kept: people ask with the same ones again and again."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gallery.extraction.base import Extractor

KEPT = 4096  # texts; an embedding of 512 numbers is 2 kB


@dataclass(frozen=True)
class Said:
    """A text's embedding float32 (dim,), which nobody may write to, and what the extractor says of it."""

    vector: np.ndarray
    is_cut: bool  # it is longer than the model reads
    unknown_words: tuple[str, ...]


@lru_cache(maxsize=KEPT)
def said(model: Extractor, text: str) -> Said:
    """Embed a text, and look for words that the extractor does not know."""
    [vector] = model.embed_texts([text])
    vector.flags.writeable = False
    return Said(vector, model.is_cut(text), tuple(model.unknown_words(text)))


@lru_cache(maxsize=KEPT)
def near(model: Extractor, text: str) -> tuple[str, ...] | None:
    """Name the tags that mean what the words do; None where the extractor cannot tell."""
    names = model.near(text)
    return None if names is None else tuple(names)
