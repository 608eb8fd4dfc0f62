"""all-MiniLM-L6-v2 in numpy: words -> vectors, without the libraries that train networks.

A BERT of six layers (Devlin et al. 2018, arXiv:1810.04805) distilled by Wang et al. 2020 (arXiv:2002.10957);
a text's embedding is the mean of its tokens' last hidden states, made unit length. A process that embeds what
people type needs nothing else: it starts in a few seconds and takes half the memory. The weights are mapped
from their file, so that processes share them.
"""

import json
import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gallery.extraction.base import unit

DIM, LAYERS, HEADS = 384, 6, 12
EPSILON = 1e-12  # of layer normalization
LONGEST_TEXT = 256  # tokens, as MiniLM was trained
BATCH = 32


class SentenceEncoder:
    """The encoder whose `model.safetensors` and `tokenizer.json` lie in a folder; many threads may use it."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._weights = mapped(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.vocabulary = frozenset(self._tokenizer.get_vocab())

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (len(texts), 384). Texts of like length share a batch, so that little is padding."""
        embeddings = np.zeros((len(texts), DIM), dtype=np.float32)
        tokens = [self._tokens(text) for text in texts]
        by_length = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
        for start in range(0, len(texts), BATCH):
            rows = by_length[start : start + BATCH]
            embeddings[rows] = self._embed([tokens[i] for i in rows])
        return embeddings

    def is_cut(self, text: str) -> bool:
        """Whether the text is longer than the model reads."""
        return len(self._tokenizer.encode(text).ids) > LONGEST_TEXT

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text).ids
        return (
            ids if len(ids) <= LONGEST_TEXT else [*ids[: LONGEST_TEXT - 1], ids[-1]]
        )  # the last one is [SEP]

    def _embed(self, texts: list[list[int]]) -> np.ndarray:
        """float32 (n, 384) of n texts, each its tokens' numbers."""
        longest = max(map(len, texts))
        ids = np.zeros((len(texts), longest), np.int64)
        mask = np.zeros((len(texts), longest), np.float32)
        for row, own in enumerate(texts):
            ids[row, : len(own)], mask[row, : len(own)] = own, 1
        hidden = self._embedded(ids)
        for layer in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, mask)
        summed = (hidden * mask[..., None]).sum(axis=1)
        return unit(summed / mask.sum(axis=1, keepdims=True))

    def _embedded(self, ids: np.ndarray) -> np.ndarray:
        """Look tokens (n, t) up, and add where they stand: float32 (n, t, 384)."""
        own = self._weights
        hidden = own["embeddings.word_embeddings.weight"][ids]
        hidden = hidden + own["embeddings.position_embeddings.weight"][: ids.shape[1]]
        hidden += own["embeddings.token_type_embeddings.weight"][0]
        return self._normalized("embeddings.LayerNorm", hidden)

    def _layer(self, name: str, hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Attend, and think about it: float32 (n, t, 384) -> the same shape."""
        mixed = self._linear(f"{name}.attention.output.dense", self._attended(name, hidden, mask))
        hidden = self._normalized(f"{name}.attention.output.LayerNorm", mixed + hidden)
        wide = gelu(self._linear(f"{name}.intermediate.dense", hidden))
        return self._normalized(
            f"{name}.output.LayerNorm", self._linear(f"{name}.output.dense", wide) + hidden
        )

    def _attended(self, name: str, hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Each token's weighted mean of all tokens' values, head by head: float32 (n, t, 384)."""
        count, longest, _ = hidden.shape
        query, key, value = (
            self._linear(f"{name}.attention.self.{part}", hidden)
            .reshape(count, longest, HEADS, DIM // HEADS)
            .swapaxes(1, 2)  # (n, heads, t, 32)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(2, 3) / np.float32(np.sqrt(DIM // HEADS))  # (n, heads, t, t)
        scores += np.where(mask, np.float32(0), np.float32(-1e9))[:, None, None, :]
        scores -= scores.max(axis=-1, keepdims=True)
        shares = np.exp(scores)
        shares /= shares.sum(axis=-1, keepdims=True)
        attended: np.ndarray = (shares @ value).swapaxes(1, 2).reshape(count, longest, DIM)
        return attended

    def _linear(self, name: str, values: np.ndarray) -> np.ndarray:
        flat: np.ndarray = values.reshape(-1, values.shape[-1]) @ self._weights[f"{name}.weight"].T
        flat += self._weights[f"{name}.bias"]
        return flat.reshape(*values.shape[:-1], -1)

    def _normalized(self, name: str, values: np.ndarray) -> np.ndarray:
        centred = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
        scaled: np.ndarray = centred / spread * self._weights[f"{name}.weight"]
        scaled += self._weights[f"{name}.bias"]
        return scaled


def gelu(values: np.ndarray) -> np.ndarray:
    """X * P(X <= x) of a normal X (Hendrycks and Gimpel 2016, arXiv:1606.08415), to about 2e-7.

    The error function is formula 7.1.26 of Abramowitz and Stegun.
    """
    x = np.abs(values) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * x)
    series = np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(factor)
    error = np.copysign(1 - series * t * np.exp(-x * x), values)
    activated: np.ndarray = np.float32(0.5) * values * (1 + error)
    return activated


def mapped(path: Path) -> dict[str, np.ndarray]:
    """Return the float32 arrays of a safetensors file by name, read-only and mapped: processes share them."""
    with path.open("rb") as file:
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    length = int.from_bytes(whole[:8], "little")
    described: dict[str, Any] = json.loads(whole[8 : 8 + length])
    arrays = {}
    for name, facts in described.items():
        if facts.get("dtype") == "F32":
            start, stop = (8 + length + offset for offset in facts["data_offsets"])
            arrays[name] = np.frombuffer(whole, "<f4", (stop - start) // 4, start).reshape(facts["shape"])
    return arrays
