"""The original program's models: CLIP for embeddings, the Recognize Anything Model for tags."""

import hashlib
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from gallery.extraction import weights
from gallery.extraction.base import Description, Extraction, Extractor
from gallery.extraction.memory import available_bytes, keep_freed_memory
from gallery.extraction.zero_shot import log_sums, prompt_embeddings

if TYPE_CHECKING:
    from gallery.extraction.short_layers import Types

logger = logging.getLogger(__name__)

VERSION = "1"
BYTES_PER_PICTURE = 600_000_000  # what a forward pass of RAM at full size needs, measured and rounded up


class Full(Extractor):
    """CLIP ViT-B/32 (LAION-2B) and RAM Swin-L, where their weights are complete: see `manage.py weights`."""

    name = "full"
    at_least = 384
    may_use_8_bits = True  # set from RAM_IN_8_BITS

    @classmethod
    def missing(cls, models_dir: Path) -> list[str]:
        return [name for model in ("clip", "ram") for name in weights.missing(models_dir, model)]

    @classmethod
    def describe(cls, models_dir: Path) -> Description:
        """Make a key of a digest of CLIP's configuration and the sizes of both weights.

        Other weights, other key.
        """
        clip, ram = weights.folder(models_dir, "clip"), weights.folder(models_dir, "ram")
        config = (clip / "config.json").read_bytes()
        sizes = [path.stat().st_size for path in (weights.clip_weights(clip), ram / weights.RAM_CHECKPOINT)]
        digest = hashlib.sha256(config + repr(sizes).encode()).hexdigest()[:8]
        return Description(f"full/{VERSION}-{digest}", json.loads(config).get("projection_dim", 512))

    def __init__(self, models_dir: Path) -> None:
        import torch

        from gallery.extraction import ram
        from gallery.extraction.clip import Clip

        keep_freed_memory()
        device = best_device(torch)
        types = best_types(torch, device, self.may_use_8_bits)
        logger.info("Loading CLIP and RAM on %s in %s", device, types)
        folder = weights.folder(models_dir, "ram")
        self.torch, self.ram, self.device = torch, ram, device
        # On a CPU, CLIP is a twentieth of the work: there its vectors stay exact.
        self.clip = Clip(
            weights.folder(models_dir, "clip"), device, torch.float32 if device == "cpu" else types.dtype
        )
        self.tagger = ram.load(folder / weights.RAM_CHECKPOINT, device, types)
        self.tags, self.thresholds = ram.read_vocabulary(folder)
        self.batch = batch_size(torch, device)
        self.scale: float | None = self.clip.scale
        key = self.describe(models_dir).key.replace("/", "-")
        self.prompts = prompt_embeddings(self.clip, self.tags, models_dir / f"{key}-prompts.npy")

    def extract(self, images: Sequence[Image.Image]) -> list[Extraction]:
        """Tags by RAM and embeddings by CLIP; the pixels for CLIP are made while RAM is running."""
        if not images:
            return []
        with ThreadPoolExecutor(1) as beside:
            for_clip = beside.submit(self.clip.preprocess, images)
            tags = self._tags(images)
            embeddings = self.clip.embed_pixels(for_clip.result())
        sums = self.log_sums(embeddings)
        return [
            Extraction(own, embedding, float(total))
            for own, embedding, total in zip(tags, embeddings, sums, strict=True)
        ]

    def log_sums(self, embeddings: np.ndarray) -> np.ndarray:
        """float64 (n,) for embeddings float32 (n, dim)."""
        return log_sums(self.clip.scale * (embeddings.astype(np.float64) @ self.prompts.T))

    def _tags(self, images: Sequence[Image.Image]) -> list[dict[str, float]]:
        torch = self.torch
        pixels = torch.from_numpy(self.ram.preprocess(images, self.tagger.config.image_size))
        with torch.inference_mode():
            logits = self.tagger(pixels.to(self.device))
        return self.ram.tags_of(logits, self.tags, self.thresholds)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dim), unit length; a text beyond 77 tokens is cut there."""
        return self.clip.embed_texts(texts)

    def is_cut(self, text: str) -> bool:
        return self.clip.is_cut(text)


def best_device(torch: Any) -> str:
    """Return the device to run on: a GPU where there is one."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def best_types(torch: Any, device: str, may_use_8_bits: bool = True) -> "Types":
    """Return what RAM's large multiplications run in: half precision on a GPU, else what is fastest here."""
    from gallery.extraction.short_layers import Types, fastest

    return fastest(may_use_8_bits) if device == "cpu" else Types(torch.float16)


def batch_size(torch: Any, device: str) -> int:
    """As many pictures at a time as half of the free memory holds.

    1 to 4 on a CPU, where more gain nothing, to 32 on a GPU.
    """
    free = torch.cuda.mem_get_info()[0] if device == "cuda" else available_bytes()
    return int(max(1, min(4 if device == "cpu" else 32, free // 2 // BYTES_PER_PICTURE)))
