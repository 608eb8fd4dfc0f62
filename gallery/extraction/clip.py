"""CLIP and models like it through transformers: pictures and texts -> vectors of one space.

CLIP: Radford et al. 2021, arXiv:2103.00020. SigLIP: Zhai et al. 2023, arXiv:2303.15343. SigLIP 2: Tschannen
et al. 2025, arXiv:2502.14786; its checkpoints of a fixed resolution are of the same type.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoConfig, AutoTokenizer, CLIPModel, SiglipModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.utils.logging import disable_progress_bar

from gallery.extraction.base import unit
from gallery.extraction.weights import WrongWeightsError

# Model and processor by the type in config.json.
TYPES: dict[str, tuple[Any, Any]] = {
    "clip": (CLIPModel, CLIPImageProcessorPil),
    "siglip": (SiglipModel, SiglipImageProcessorPil),
}
LONGEST_SHAPE = 4  # sides of a picture that the processor may enlarge whole


class Clip:
    """Any CLIP or SigLIP checkpoint that transformers loads, by its folder or its name on the hub."""

    def __init__(self, source: str | Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        disable_progress_bar()  # type: ignore[no-untyped-call]
        self.device, self.dtype = device, dtype
        config = AutoConfig.from_pretrained(source)
        if config.model_type not in TYPES:
            raise WrongWeightsError(f"{source} is of the type {config.model_type}, not {' or '.join(TYPES)}.")
        model_type, processor = TYPES[config.model_type]
        self.processor = processor.from_pretrained(source)
        self.tokenizer = AutoTokenizer.from_pretrained(source)
        model: Any = model_type.from_pretrained(source, dtype=dtype)
        self.model = model.to(device).eval()
        self.dim: int = dimensions(config)
        self.longest_text: int = config.text_config.max_position_embeddings  # 77 tokens, SigLIP 64
        # SigLIP was trained on texts filled up to their full length.
        self.padding: Any = "max_length" if config.model_type == "siglip" else True
        self.scale = float(self.model.logit_scale.detach().float().exp())  # 1 / the model's temperature
        # The tokenizer keeps its padding and truncation as state: two threads must not set it at once.
        self.lock = threading.Lock()

    def preprocess(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """RGB pictures -> float32 (n, 3, side, side), resized, cut and normalized as the checkpoint says."""
        pixels: torch.Tensor = self.processor([_cut(image) for image in images], return_tensors="pt")[
            "pixel_values"
        ]
        return pixels

    @torch.inference_mode()
    def embed_pixels(self, pixels: torch.Tensor) -> np.ndarray:
        """Embed what `preprocess` returned: float32 (n, dim), unit length."""
        features = self.model.get_image_features(
            pixel_values=pixels.to(self.device, self.dtype)
        ).pooler_output
        return unit(features.float().cpu().numpy())

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), dim), unit length; a text beyond `longest_text` tokens is cut there."""
        with self.lock:
            tokens = self.tokenizer(
                list(texts),
                padding=self.padding,
                truncation=True,
                max_length=self.longest_text,
                return_tensors="pt",
            ).to(self.device)
        features = self.model.get_text_features(**tokens).pooler_output
        return unit(features.float().cpu().numpy())

    def is_cut(self, text: str) -> bool:
        """Whether the text has more tokens than are read."""
        with self.lock:
            return len(self.tokenizer(text, truncation=False, verbose=False)["input_ids"]) > self.longest_text


def dimensions(config: Any) -> int:
    """Return how many numbers an embedding has, by the checkpoint's configuration."""
    if config.model_type == "siglip":
        return int(config.text_config.projection_size)
    return int(config.projection_dim)


def _cut(image: Image.Image) -> Image.Image:
    """Cut a long picture to its middle square, which is all that is looked at.

    The processor makes the shorter side 224 pixels first: of 1 x 60000 pixels that would be 29 GB.
    """
    side = min(image.size)
    if max(image.size) <= LONGEST_SHAPE * side:
        return image
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))
