"""A CLIP-like model alone: its embeddings, and tags by zero-shot classification over a vocabulary.

A tenth of the original program's weights. A picture's tags are those of RAM's list whose prompt, "a photo of
...", is most like it: confidence is the softmax over the whole list at the model's temperature (Radford et
al. 2021, section 3.1.4).
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from PIL import Image

from gallery.extraction import weights
from gallery.extraction.base import Description, Extraction, Extractor
from gallery.extraction.memory import keep_freed_memory

if TYPE_CHECKING:
    from gallery.extraction.clip import Clip

logger = logging.getLogger(__name__)

VERSION = "1"
LEAST_CONFIDENCE = 0.05  # of a tag, of all 4,585
MOST_TAGS = 10
PROMPT = "a photo of {}"
BATCH = 256  # prompts embedded at a time


class ZeroShot(Extractor):
    """Any CLIP or SigLIP checkpoint, the setting CLIP_MODEL, where its weights are complete."""

    name = "clip"
    at_least = 384
    repo = weights.CLIP_REPO  # set from CLIP_MODEL

    @classmethod
    def missing(cls, models_dir: Path) -> list[str]:
        """Return the names of the files that are not there."""
        model = weights.clip_model(cls.repo)
        lacking = weights.missing(models_dir, model)
        return lacking + ([] if weights.vocabulary(models_dir) else [weights.VOCABULARY.name])

    @classmethod
    def describe(cls, models_dir: Path) -> Description:
        """Make a key of a digest of the configuration, the weights' size and the vocabulary."""
        model = weights.clip_model(cls.repo)
        folder, vocabulary = weights.folder(models_dir, model), weights.vocabulary(models_dir)
        config = (folder / "config.json").read_bytes()
        size = weights.clip_weights(folder).stat().st_size
        words = vocabulary.read_bytes() if vocabulary else b""
        digest = hashlib.sha256(config + str(size).encode() + words).hexdigest()[:8]
        return Description(f"clip/{VERSION}-{digest}", _dimensions(json.loads(config)))

    def __init__(self, models_dir: Path) -> None:
        import torch

        from gallery.extraction.clip import Clip
        from gallery.extraction.full import best_device

        keep_freed_memory()
        model = weights.clip_model(self.repo)
        device = best_device(torch)
        # On a CPU its vectors stay exact.
        dtype = torch.float32 if device == "cpu" else torch.float16
        self.clip = Clip(weights.folder(models_dir, model), device, dtype)
        self.scale: float | None = self.clip.scale
        vocabulary = weights.vocabulary(models_dir)
        assert vocabulary, "describe() was asked first"
        self.tags = read_vocabulary(vocabulary)
        key = self.describe(models_dir).key.replace("/", "-")
        self.prompts = prompt_embeddings(self.clip, self.tags, models_dir / f"{key}-prompts.npy")

    def extract(self, images: Sequence[Image.Image]) -> list[Extraction]:
        """Embeddings, and the likeliest tags of the vocabulary."""
        if not images:
            return []
        embeddings = self.clip.embed_pixels(self.clip.preprocess(images))
        logits = self.clip.scale * (embeddings.astype(np.float64) @ self.prompts.T)
        sums = log_sums(logits)
        return [
            Extraction(self._tags(np.exp(own - total)), embedding, float(total))
            for own, total, embedding in zip(logits, sums, embeddings, strict=True)
        ]

    def _tags(self, confidences: np.ndarray) -> dict[str, float]:
        best = np.argsort(-confidences, kind="stable")[:MOST_TAGS]
        return {self.tags[i]: float(confidences[i]) for i in best if confidences[i] >= LEAST_CONFIDENCE}

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dim), unit length; a text that is too long is cut."""
        return self.clip.embed_texts(texts)

    def is_cut(self, text: str) -> bool:
        return self.clip.is_cut(text)

    def log_sums(self, embeddings: np.ndarray) -> np.ndarray:
        """float64 (n,) for embeddings float32 (n, dim)."""
        return log_sums(self.clip.scale * (embeddings.astype(np.float64) @ self.prompts.T))


def log_sums(logits: np.ndarray) -> np.ndarray:
    """Sum the exponentials of each row of logits float64 (n, tags), and take the logarithm: float64 (n,).

    Against it a text's own logit is the probability that the picture shows this rather than anything else.
    """
    most = logits.max(axis=1)
    summed: np.ndarray = most + np.log(np.exp(logits - most[:, None]).sum(axis=1))
    return summed


def read_vocabulary(path: Path) -> list[str]:
    """Read one tag a line."""
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def prompt_embeddings(clip: "Clip", tags: list[str], path: Path) -> np.ndarray:
    """Embed the prompt of every tag, float64 (tags, dim): once, then from disk."""
    with FileLock(f"{path}.lock"):
        if not path.exists():
            logger.info("Embedding %d prompts, once", len(tags))
            prompts = [PROMPT.format(tag) for tag in tags]
            parts = [clip.embed_texts(prompts[i : i + BATCH]) for i in range(0, len(prompts), BATCH)]
            weights.write_array(path, np.concatenate(parts))
        vectors: np.ndarray = np.load(path).astype(np.float64)
        return vectors


def _dimensions(config: dict[str, object]) -> int:
    """Return the embeddings' dimensions; checkpoints leave out what is the default of their type."""
    if "projection_dim" in config:
        return int(str(config["projection_dim"]))
    from transformers import AutoConfig

    from gallery.extraction.clip import dimensions

    kind = str(config.pop("model_type"))
    return dimensions(AutoConfig.for_model(kind, **config))
