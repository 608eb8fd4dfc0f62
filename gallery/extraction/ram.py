"""The Recognize Anything Model, its whole network in this one file: pixels -> a logit for each of 4,585 tags.

Follows Recognize Anything (Zhang et al. 2023, arXiv:2306.03514), whose tagging head is that of Query2Label
(Liu et al. 2021, arXiv:2107.10834) on a Swin transformer (Liu et al. 2021, arXiv:2103.14030), and the layout
of its published checkpoint `ram_swin_large_14m.pth`. The Swin is transformers'; everything behind it is here.

Shapes: n pictures, w the backbone's width (1536), d the head's (768), T tags (4585), P tokens of a picture
(144 and their mean in front).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F  # noqa: N812 (its usual name)
from transformers import AttentionInterface, SwinConfig, SwinModel

from gallery.extraction.memory import release_mapped
from gallery.extraction.short_layers import FLOAT32, IN_8_BITS, Types, shorten

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HEADS = 4  # of the tagging head's cross-attention; the checkpoint's shapes do not tell it
# In the checkpoint and of no use here: the captioning half of the model, and what follows from the window
# size.
LEFT_OUT = re.compile(r"^(text_decoder|tag_encoder)\.|\.(relative_position_index|attn_mask)$")


class WeightsError(Exception):
    """A checkpoint is not of the layout that the network has; the message names the keys."""


@dataclass(frozen=True)
class Config:
    """The network's sizes; the defaults are those of ram_swin_large_14m."""

    image_size: int = 384
    patch_size: int = 4
    window_size: int = 12
    embed_dim: int = 192
    depths: tuple[int, ...] = (2, 2, 18, 2)
    num_heads: tuple[int, ...] = (6, 12, 24, 48)
    tokens_width: int = 512  # of a picture's tokens, and of a tag's description
    hidden_size: int = 768
    intermediate_size: int = 3072
    layers: int = 2
    tags: int = 4585

    @classmethod
    def of(cls, weights: dict[str, torch.Tensor]) -> "Config":
        """Return the sizes that a checkpoint's tensors have (keys as `rename` gives them).

        WeightsError if it is no RAM.
        """
        try:
            tags, tokens_width = weights["label_embed"].shape
            hidden_size = weights["head.0.query.weight"].shape[0]
            embed_dim, _, patch_size, _ = weights[
                "backbone.embeddings.patch_embeddings.projection.weight"
            ].shape
            blocks = re.compile(
                r"backbone\.encoder\.layers\.(\d+)\.blocks\.(\d+)\.attention\.(relative.*table)"
            )
            tables = {(int(m[1]), int(m[2])): weights[key] for key in weights if (m := blocks.fullmatch(key))}
            stages = range(1 + max(stage for stage, _ in tables))
            window_size = (math.isqrt(tables[0, 0].shape[0]) + 1) // 2
            return cls(
                # Not to be read off the weights; these two are what Swin is published with.
                image_size=384 if window_size == 12 else 224,
                patch_size=patch_size,
                window_size=window_size,
                embed_dim=embed_dim,
                depths=tuple(sum(stage == s for stage, _ in tables) for s in stages),
                num_heads=tuple(tables[stage, 0].shape[1] for stage in stages),
                tokens_width=tokens_width,
                hidden_size=hidden_size,
                intermediate_size=weights["head.0.intermediate.weight"].shape[0],
                layers=sum(key.endswith(".intermediate.weight") for key in weights),
                tags=tags,
            )
        except (KeyError, ValueError, IndexError) as error:
            raise WeightsError(
                f"This is no checkpoint of RAM: {error} is missing or of another shape."
            ) from error


class CrossAttentionLayer(nn.Module):
    """A BERT layer without self-attention: every tag's query looks at the picture's tokens."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        d, wide = config.hidden_size, config.intermediate_size
        self.query = nn.Linear(d, d)
        self.key = nn.Linear(config.tokens_width, d)
        self.value = nn.Linear(config.tokens_width, d)
        self.attention_output = nn.Linear(d, d)
        self.attention_norm = nn.LayerNorm(d, eps=1e-12)
        self.intermediate = nn.Linear(d, wide)
        self.activation = nn.GELU()
        self.output = nn.Linear(wide, d)
        self.output_norm = nn.LayerNorm(d, eps=1e-12)

    def forward(
        self, hidden: torch.Tensor, tokens: torch.Tensor, query: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Hidden (n or 1, T, d), tokens (n, P, tokens_width) -> (n, T, d).

        `query` is self.query(hidden) where that is known already.
        """
        if query is None:
            query = self.query(hidden)
        q, k, v = (
            self._heads(x) for x in (query, self.key(tokens), self.value(tokens))
        )  # (n, HEADS, T or P, d/HEADS)
        attended = F.scaled_dot_product_attention(q.expand(len(tokens), -1, -1, -1), k, v)
        attended = attended.transpose(1, 2).flatten(2)  # (n, T, d)
        hidden = self.attention_norm(self.attention_output(attended) + hidden)
        normed: torch.Tensor = self.output_norm(
            self.output(self.activation(self.intermediate(hidden))) + hidden
        )
        return normed

    @staticmethod
    def _heads(x: torch.Tensor) -> torch.Tensor:
        return x.view(*x.shape[:-1], HEADS, -1).transpose(1, 2)


class FixedBias(nn.Module):
    """Swin's relative position bias and the mask of shifted windows, added up once.

    Swin itself gathers the bias, and adds the mask, for each picture. Shape (1 or windows, heads, area,
    area).
    """

    def __init__(self, bias: torch.Tensor) -> None:
        super().__init__()
        self.bias = nn.Buffer(bias, persistent=False)

    def forward(self) -> torch.Tensor:
        return self.bias


def attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bias: torch.Tensor,
    **kwargs: Any,
) -> Any:
    """Compute Swin's attention.

    query, key, value (n * windows, heads, area, width), bias as FixedBias holds it, which is read in place
    for every picture instead of being copied n times. Gives (n * windows, area, heads, width).
    """
    shape, windows = query.shape, bias.shape[0]
    query, key, value = (x.reshape(-1, windows * shape[1], *shape[2:]) for x in (query, key, value))
    attended = F.scaled_dot_product_attention(
        query, key, value, attn_mask=bias.reshape(1, -1, *bias.shape[2:])
    )
    return attended.reshape(shape).transpose(1, 2), None


AttentionInterface.register("picfusion", attend)


class Ram(nn.Module):
    """The network, its large multiplications in `dtype`.

    Make one by `load`, or on random weights for measurements, and then call `prepare`.
    """

    def __init__(self, config: Config, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.config = config
        swin = SwinConfig(
            image_size=config.image_size,
            patch_size=config.patch_size,
            window_size=config.window_size,
            embed_dim=config.embed_dim,
            depths=list(config.depths),
            num_heads=list(config.num_heads),
            layer_norm_eps=1e-5,
            drop_path_rate=0.0,
            attn_implementation="picfusion",  # type: ignore[call-arg]
        )
        self.backbone = SwinModel(swin, add_pooling_layer=False)
        self.image_proj = nn.Linear(self.backbone.num_features, config.tokens_width)
        self.label_embed = nn.Parameter(torch.empty(config.tags, config.tokens_width))
        same = config.tokens_width == config.hidden_size
        self.wordvec_proj = nn.Identity() if same else nn.Linear(config.tokens_width, config.hidden_size)
        self.head = nn.ModuleList(CrossAttentionLayer(config) for _ in range(config.layers))
        self.fc = nn.Linear(config.hidden_size, 1)
        self._labels: tuple[torch.Tensor, torch.Tensor] | None = None
        if dtype != torch.float32:
            shorten(self, dtype)

    @torch.inference_mode()
    def prepare(self) -> "Ram":
        """Compute once what depends on no picture.

        Position biases, the tags' queries and their first projection.
        """
        backbone: Any = self.backbone
        for stage, layers in enumerate(backbone.encoder.layers):
            side = self.config.image_size // self.config.patch_size >> stage
            for block in layers.blocks:
                self._fix_bias(block, side)
        labels = F.relu(self.wordvec_proj(self.label_embed)).unsqueeze(0)  # (1, T, d)
        first: Any = self.head[0]
        self._labels = labels, first.query(labels)
        return self.eval()

    @staticmethod
    def _fix_bias(block: Any, side: int) -> None:
        """Compute a Swin block's bias and mask for pictures of side x side patches, for good."""
        old = block.attention.relative_position_bias
        table = old.relative_position_bias_table
        # Its own index may have been made on the meta device: a fresh one is asked for the bias.
        fresh = type(old)(table.shape[1], old.window_size)
        fresh.relative_position_bias_table = nn.Parameter(table.cpu(), requires_grad=False)
        bias = fresh().to(table.device)  # (1, heads, area, area)
        block.set_shift_and_window_size((side, side))
        mask = block.get_attn_mask(
            side, side, dtype=bias.dtype, device=bias.device
        )  # (windows, area, area), or None
        block.attention.relative_position_bias = FixedBias(bias if mask is None else bias + mask.unsqueeze(1))
        block.get_attn_mask = lambda *args, **kwargs: None

    def tokens(self, pixels: torch.Tensor) -> torch.Tensor:
        """Turn pixels (n, 3, size, size), normalized, into tokens (n, P, tokens_width), their mean first."""
        normed = self.backbone(pixels).last_hidden_state  # (n, P - 1, w)
        projected: torch.Tensor = self.image_proj(torch.cat([normed.mean(1, keepdim=True), normed], dim=1))
        return projected

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels float32 (n, 3, size, size), normalized -> logits float32 (n, T)."""
        if self._labels is None:
            raise RuntimeError("prepare() was not called")
        tokens = self.tokens(pixels)
        hidden, first_query = self._labels
        query: torch.Tensor | None = first_query
        for layer in self.head:
            hidden = layer(hidden, tokens, query)
            query = None
        logits: torch.Tensor = self.fc(hidden).squeeze(-1)
        return logits


def rename(key: str) -> str:
    """Return our key for a checkpoint's.

    A key that is neither's comes back as it is, to be reported by its own name.
    """
    for pattern, ours in _NAMES:
        key = re.sub(pattern, ours, key)
    return key


_NAMES = [
    (r"^visual_encoder\.patch_embed\.proj\.", "backbone.embeddings.patch_embeddings.projection."),
    (r"^visual_encoder\.patch_embed\.norm\.", "backbone.embeddings.norm."),
    (r"^visual_encoder\.norm\.", "backbone.layernorm."),
    (r"^visual_encoder\.layers\.", "backbone.encoder.layers."),
    (r"(?<=\d)\.norm1\.", ".layernorm_before."),
    (r"(?<=\d)\.norm2\.", ".layernorm_after."),
    (r"\.attn\.proj\.", ".attention.o_proj."),
    (r"\.attn\.qkv\.", ".attention.qkv."),
    (
        r"\.attn\.relative_position_bias_table$",
        ".attention.relative_position_bias.relative_position_bias_table",
    ),
    (r"^(?:tagging_head|vision_multi)\.encoder\.layer\.(\d+)\.", r"head.\1."),
    (r"(?<=\d)\.crossattention\.self\.", "."),
    (r"(?<=\d)\.crossattention\.output\.dense\.", ".attention_output."),
    (r"(?<=\d)\.crossattention\.output\.LayerNorm\.", ".attention_norm."),
    (r"(?<=\d)\.intermediate\.dense\.", ".intermediate."),
    (r"(?<=\d)\.output\.dense\.", ".output."),
    (r"(?<=\d)\.output\.LayerNorm\.", ".output_norm."),
]


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Return the checkpoint's tensors under our keys, memory-mapped, without what is left out.

    WeightsError if it is none.
    """
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True, mmap=True)["model"]
        items = [(key, tensor) for key, tensor in weights.items() if not LEFT_OUT.search(key)]
    except (
        RuntimeError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        ValueError,
        UnpicklingError,
    ) as error:
        raise WeightsError(f"{path.name} cannot be read as a checkpoint ({error}).") from error
    ours = {}
    for key, tensor in items:
        name = rename(key)
        if ".attention.qkv." in name:
            for part, chunk in zip("qkv", tensor.chunk(3), strict=True):
                ours[name.replace(".qkv.", f".{part}_proj.")] = chunk
        else:
            ours[name] = tensor
    return ours


def load(path: Path, device: str = "cpu", types: Types = FLOAT32) -> Ram:
    """Return the network with a checkpoint's weights, ready to run, its large multiplications in `types`.

    WeightsError names keys that are missing or unexpected.

    The checkpoint is memory-mapped and every tensor goes straight to its final type, so that the peak of
    memory is the network's own size and one tensor more.
    """
    weights = read_checkpoint(path)
    with torch.device("meta"):
        network = Ram(Config.of(weights), types.dtype)
    expected = network.state_dict()
    _check_keys(path, weights, expected)
    for key in list(weights):
        mapped = weights.pop(key)
        if types.in_8_bits and IN_8_BITS.search(key.rpartition(".")[0]):
            _assign(network, key, mapped)  # for a moment
            continue
        # A copy even where the type is right: the file may change while the network lives.
        _assign(network, key, mapped.to(device=device, dtype=expected[key].dtype, copy=True))
        _release(mapped)
    if types.in_8_bits:
        from gallery.extraction import eight_bits  # which loads numba

        eight_bits.convert(network, _release)
    return network.prepare()


def _release(mapped: torch.Tensor) -> None:
    release_mapped(mapped.data_ptr(), mapped.numel() * mapped.element_size())


def _check_keys(path: Path, weights: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    problems = []
    for what, keys in (
        ("missing", expected.keys() - weights.keys()),
        ("unexpected", weights.keys() - expected.keys()),
    ):
        if keys:
            problems.append(f"{what}: {', '.join(sorted(keys)[:20])}{' ...' if len(keys) > 20 else ''}")
    problems += [
        f"{key} is {tuple(weights[key].shape)}, not {tuple(expected[key].shape)}"
        for key in expected.keys() & weights.keys()
        if expected[key].shape != weights[key].shape
    ]
    if problems:
        raise WeightsError(f"{path.name} is not of RAM's layout; {'; '.join(problems)}.")


def _assign(network: nn.Module, key: str, tensor: torch.Tensor) -> None:
    owner, _, name = key.rpartition(".")
    setattr(network.get_submodule(owner), name, nn.Parameter(tensor, requires_grad=False))


def preprocess(images: Sequence[Image.Image], size: int) -> np.ndarray:
    """Turn RGB pictures into the network's input, float32 (n, 3, size, size).

    Resized (bilinear with antialias, the aspect is not kept), /255, and normalized by ImageNet's mean and
    deviation.
    """
    pixels = np.stack([np.asarray(image.resize((size, size), Image.Resampling.BILINEAR)) for image in images])
    normalized = (pixels.astype(np.float32) / 255 - np.asarray(MEAN, np.float32)) / np.asarray(
        STD, np.float32
    )  # (n, size, size, 3)
    return np.ascontiguousarray(normalized.transpose(0, 3, 1, 2))


def read_vocabulary(folder: Path) -> tuple[list[str], np.ndarray]:
    """Return the tags and each one's own threshold (float32), from the two text files of RAM's repository."""
    tags = (folder / "ram_tag_list.txt").read_text(encoding="utf-8").splitlines()
    thresholds = (folder / "ram_tag_list_threshold.txt").read_text().split()
    if len(tags) != len(thresholds):
        raise WeightsError(
            f"{len(tags)} tags and {len(thresholds)} thresholds: these files do not belong together."
        )
    return tags, np.array(thresholds, np.float32)


def tags_of(logits: torch.Tensor, tags: list[str], thresholds: np.ndarray) -> list[dict[str, float]]:
    """For each row of logits (n, T) the tags above their own threshold, surest first.

    The confidence is the sigmoid.
    """
    found = []
    for row in logits.float().sigmoid().cpu().numpy():
        above = np.flatnonzero(row > thresholds)
        found.append({tags[i]: float(row[i]) for i in above[np.argsort(-row[above], kind="stable")]})
    return found
