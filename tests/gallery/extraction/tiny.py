"""Small random checkpoints in the official layouts of RAM and CLIP."""

import string
from pathlib import Path

import torch
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTokenizer,
    CLIPVisionConfig,
    SiglipConfig,
    SiglipModel,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

EMBED, DEPTHS, SWIN_HEADS, WINDOW, SIDE = 8, (2, 2, 2, 2), (1, 2, 2, 4), 7, 224
HIDDEN, WIDE, TOKENS, TAGS = 32, 64, 512, 60


def ram_state(hidden: int = HIDDEN, head: str = "vision_multi") -> dict[str, torch.Tensor]:
    """A state_dict with the keys and shapes of the published checkpoint, in small, and what it holds
    besides."""
    generator = torch.Generator().manual_seed(11)
    state: dict[str, torch.Tensor] = {}

    def linear(name: str, out: int, into: int, bias: bool = True) -> None:
        state[f"{name}.weight"] = torch.randn(out, into, generator=generator) / into**0.5
        if bias:
            state[f"{name}.bias"] = torch.randn(out, generator=generator) * 0.1

    def norm(name: str, width: int) -> None:
        state[f"{name}.weight"] = 1 + torch.randn(width, generator=generator) * 0.1
        state[f"{name}.bias"] = torch.randn(width, generator=generator) * 0.1

    state["visual_encoder.patch_embed.proj.weight"] = torch.randn(EMBED, 3, 4, 4, generator=generator) / 7
    state["visual_encoder.patch_embed.proj.bias"] = torch.zeros(EMBED)
    norm("visual_encoder.patch_embed.norm", EMBED)
    for stage, (depth, heads) in enumerate(zip(DEPTHS, SWIN_HEADS, strict=True)):
        width, layer = EMBED * 2**stage, f"visual_encoder.layers.{stage}"
        for block in range(depth):
            name = f"{layer}.blocks.{block}"
            norm(f"{name}.norm1", width)
            norm(f"{name}.norm2", width)
            linear(f"{name}.attn.qkv", 3 * width, width)
            linear(f"{name}.attn.proj", width, width)
            linear(f"{name}.mlp.fc1", 4 * width, width)
            linear(f"{name}.mlp.fc2", width, 4 * width)
            table = torch.randn((2 * WINDOW - 1) ** 2, heads, generator=generator)
            state[f"{name}.attn.relative_position_bias_table"] = table
            state[f"{name}.attn.relative_position_index"] = torch.zeros(
                WINDOW**2, WINDOW**2, dtype=torch.long
            )
            if block % 2:
                state[f"{name}.attn_mask"] = torch.zeros(4, WINDOW**2, WINDOW**2)
        if stage < len(DEPTHS) - 1:
            linear(f"{layer}.downsample.reduction", 2 * width, 4 * width, bias=False)
            norm(f"{layer}.downsample.norm", 4 * width)
    last = EMBED * 2 ** (len(DEPTHS) - 1)
    norm("visual_encoder.norm", last)
    linear("image_proj", TOKENS, last)
    state["label_embed"] = torch.randn(TAGS, TOKENS, generator=generator)
    if hidden != TOKENS:
        linear("wordvec_proj", hidden, TOKENS)
    for layer in range(2):
        name = f"{head}.encoder.layer.{layer}"
        linear(f"{name}.crossattention.self.query", hidden, hidden)
        linear(f"{name}.crossattention.self.key", hidden, TOKENS)
        linear(f"{name}.crossattention.self.value", hidden, TOKENS)
        linear(f"{name}.crossattention.output.dense", hidden, hidden)
        norm(f"{name}.crossattention.output.LayerNorm", hidden)
        linear(f"{name}.intermediate.dense", WIDE, hidden)
        linear(f"{name}.output.dense", hidden, WIDE)
        norm(f"{name}.output.LayerNorm", hidden)
    linear("fc", 1, hidden)
    state["text_decoder.cls.predictions.bias"] = torch.zeros(5)
    state["tag_encoder.encoder.layer.0.output.dense.weight"] = torch.zeros(3, 3)
    return state


def save_ram(folder: Path, state: dict[str, torch.Tensor] | None = None) -> Path:
    """Write checkpoint, tag list and thresholds; the checkpoint's path."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"model": state or ram_state()}, folder / "ram_swin_large_14m.pth")
    (folder / "ram_tag_list.txt").write_text("\n".join(f"tag {i}" for i in range(TAGS)))
    (folder / "ram_tag_list_threshold.txt").write_text("0.6\n" * TAGS)
    return folder / "ram_swin_large_14m.pth"


def save_clip(folder: Path, dim: int = 24) -> Path:
    """Write a random CLIP in Hugging Face layout whose words are letters; its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = string.ascii_lowercase + string.digits + "!,.#"
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[])
    tokenizer.save_pretrained(folder)
    end = len(words) - 1
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=end,
    )
    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    )
    torch.manual_seed(3)
    CLIPModel(
        CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=dim)
    ).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(
        folder
    )
    return folder


def save_siglip(folder: Path, dim: int = 32) -> Path:
    """Write a random SigLIP in Hugging Face layout, with the tokenizer of `save_clip`; its folder."""
    save_clip(folder)
    for name in ("model.safetensors", "config.json", "preprocessor_config.json"):
        (folder / name).unlink()
    sizes = {"intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": dim}
    text = sizes | {"vocab_size": 100, "max_position_embeddings": 64, "projection_size": dim}
    torch.manual_seed(5)
    SiglipModel(
        SiglipConfig(text_config=text, vision_config=sizes | {"image_size": 32, "patch_size": 8})
    ).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def save_tags(folder: Path) -> None:
    """Write the vocabulary that a CLIP-like model chooses from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ram_tag_list.txt").write_text("\n".join(f"tag {i}" for i in range(TAGS)))
