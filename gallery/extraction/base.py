"""What an extractor is: pixels or words in, tags and embeddings out. Knows nothing of Django."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Extraction:
    """What an extractor found in one picture."""

    tags: dict[str, float]  # tag -> confidence, 0..1, likeliest first
    embedding: np.ndarray  # float32, shape (dim,), unit length
    log_sum: float | None = None  # see Extractor.log_sums


@dataclass(frozen=True)
class Description:
    """What can be said of an extractor without loading it."""

    key: str  # how rows in the database name it: name/version, as in lite/1; another key, other vectors
    dim: int

    @property
    def name(self) -> str:
        return self.key.partition("/")[0]


class Extractor(ABC):
    """Turns pictures and words into vectors of one space, and pictures into tags.

    Creating one loads its models: heavy imports happen in `__init__`, never when the module is imported.
    """

    name: str
    tags: list[str]  # that it can give
    at_least: int  # pixels: pictures need not be decoded larger than this on their shorter side
    near_picture: float | None = None  # similarity from which pictures show the same; None: cannot be told
    scale: float | None = None  # of similarities, where `log_sums` says what they are worth
    batch: int = 16  # pictures that `extract` is best given at a time

    @classmethod
    def missing(cls, models_dir: Path) -> list[str]:
        """Return the names of the files of weights that are not there."""
        return []

    @classmethod
    @abstractmethod
    def describe(cls, models_dir: Path) -> Description:
        """Return the extractor's key and dimensions with the weights in `models_dir`. Loads nothing."""

    @abstractmethod
    def __init__(self, models_dir: Path) -> None:
        """Load the models; what is computed once and kept goes to `models_dir`."""

    @abstractmethod
    def extract(self, images: Sequence[Image.Image]) -> list[Extraction]:
        """Tags and embedding of each RGB picture, in order.

        Callers bound the batch; any size of picture is fine.
        """

    @abstractmethod
    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Return the texts' embeddings: float32, shape (len(texts), dim), unit length.

        Safe to call from many threads.
        """

    def log_sums(self, embeddings: np.ndarray) -> np.ndarray:
        """Sum up what pictures could show instead: float64 (n,), for embeddings float32 (n, dim).

        exp(scale * similarity - log_sum) is the probability that a picture shows what a text says. Only where
        `scale` is given.
        """
        raise NotImplementedError

    def near(self, text: str) -> list[str] | None:
        """Name the tags that mean what the words do, [] for none; None where that cannot be told."""
        return None

    def unknown_words(self, text: str) -> list[str]:
        """List the words of a text that the extractor does not know."""
        return []

    @classmethod
    def synonyms(cls) -> dict[str, str]:
        """Other words for the extractor's tags, normalized, and the tag that each stands for.

        Loads nothing.
        """
        return {}

    def tag_names(self) -> frozenset[str]:
        """Return every name that its tags go by, normalized."""
        return frozenset(self.tags) | self.synonyms().keys()

    @abstractmethod
    def is_cut(self, text: str) -> bool:
        """Whether the text is longer than the model reads, so that its end does not count."""


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors along the last axis, scaled to unit length, as float32; zero vectors stay zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: np.ndarray = (vectors / np.maximum(length, 1e-12)).astype(np.float32)
    return scaled
