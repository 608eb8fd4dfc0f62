"""RAM: the original's numbers on a reference checkpoint, and every rule of the layout on a small one of our
own."""

import json

import numpy as np
import pytest
import torch
from django.conf import settings
from PIL import Image as Pillow
from torch.nn import functional as F  # noqa: N812

from gallery.extraction import eight_bits, ram, short_layers
from gallery.extraction.short_layers import Types
from tests.conftest import drawn
from tests.gallery.extraction import tiny

# Without VNNI oneDNN's 8-bit sums overflow: such a processor is never given them.
HAS_8_BITS = short_layers.has_8_bits()
REFERENCE = settings.BASE_DIR.parent / "shared" / "ram"


@pytest.fixture(scope="module")
def network():
    return ram.load(REFERENCE / "ram_tiny.pth")


@pytest.fixture(scope="module")
def expected():
    return np.load(REFERENCE / "expected.npz")


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference checkpoint of RAM is not here")
class TestReference:
    """What the original program computes for a small checkpoint in the official layout."""

    @pytest.mark.parametrize(
        ("pixels", "logits"), [("pixel_values", "logits"), ("picture_pixel_values", "picture_logits")]
    )
    def test_logits_agree(self, network, expected, pixels, logits):
        with torch.inference_mode():
            found = network(torch.from_numpy(expected[pixels])).numpy()
        np.testing.assert_allclose(found, expected[logits], atol=1e-4, rtol=0)

    def test_preprocessing_agrees(self, network, expected):
        with Pillow.open(REFERENCE / "picture.png") as picture:
            found = ram.preprocess([picture.convert("RGB")], network.config.image_size)
        np.testing.assert_allclose(found, expected["picture_pixel_values"], atol=1e-5, rtol=0)

    def test_tags_agree_exactly(self, network, expected):
        tags, thresholds = ram.read_vocabulary(REFERENCE)
        wanted = json.loads((REFERENCE / "expected_tags.json").read_text())
        for pixels, name in (
            ("pixel_values", "tags_of_pixel_values"),
            ("picture_pixel_values", "tags_of_picture"),
        ):
            with torch.inference_mode():
                found = ram.tags_of(network(torch.from_numpy(expected[pixels])), tags, thresholds)
            rows = wanted[name] if isinstance(wanted[name][0], list) else [wanted[name]]
            assert [sorted(row) for row in found] == [sorted(row) for row in rows]

    @pytest.mark.parametrize(
        "types", [Types(torch.bfloat16), *([Types(torch.bfloat16, True)] * HAS_8_BITS)], ids=str
    )
    def test_shorter_types_give_nearly_the_same_tags(self, expected, types):
        """The fast paths against float32: only tags at their threshold come or go, and few of them.

        How bfloat16 rounds differs between processors, so that a row of few tags says little by itself: the
        Jaccard index is of the tags of all pictures together.
        """
        most = 0.1 if types.in_8_bits else 0.05
        fast = ram.load(REFERENCE / "ram_tiny.pth", types=types)
        _tags, thresholds = ram.read_vocabulary(REFERENCE)
        both = either = 0
        for pixels, logits in (("pixel_values", "logits"), ("picture_pixel_values", "picture_logits")):
            with torch.inference_mode():
                found = fast(torch.from_numpy(expected[pixels])).float().sigmoid().numpy()
            exact = torch.from_numpy(expected[logits]).sigmoid().numpy()
            changed = (found > thresholds) != (exact > thresholds)
            assert np.abs(exact - thresholds)[changed].max(initial=0) < 0.05
            assert np.abs(found - exact).max() < most
            both += np.sum((found > thresholds) & (exact > thresholds))
            either += np.sum((found > thresholds) | (exact > thresholds))
        assert both / either >= 0.97


@pytest.fixture
def checkpoint(tmp_path):
    return tiny.save_ram(tmp_path)


def pixels() -> torch.Tensor:
    return torch.randn(2, 3, tiny.SIDE, tiny.SIDE, generator=torch.Generator().manual_seed(2))


def test_the_sizes_are_read_off_the_checkpoint(checkpoint):
    config = ram.load(checkpoint).config
    assert config == ram.Config(
        224, 4, 7, tiny.EMBED, tiny.DEPTHS, tiny.SWIN_HEADS, tiny.TOKENS, tiny.HIDDEN, tiny.WIDE, 2, tiny.TAGS
    )


@pytest.mark.parametrize("hidden", [tiny.HIDDEN, tiny.TOKENS])
@pytest.mark.parametrize("head", ["vision_multi", "tagging_head"])
def test_the_head_does_what_the_papers_say(tmp_path, hidden, head):
    """Against the formulas written out, one tag's attention at a time.

    With equal widths wordvec_proj is not there.
    """
    state = tiny.ram_state(hidden, head)
    network = ram.load(tiny.save_ram(tmp_path, state))
    with torch.inference_mode():
        tokens, logits = network.tokens(pixels()), network(pixels())
    x = state["label_embed"]
    if hidden != tiny.TOKENS:
        x = F.linear(x, state["wordvec_proj.weight"], state["wordvec_proj.bias"])
    for picture in range(2):
        rows = F.relu(x)
        for layer in range(2):
            rows = _layer(rows, tokens[picture], state, f"{head}.encoder.layer.{layer}")
        expected = F.linear(rows, state["fc.weight"], state["fc.bias"])[:, 0]
        torch.testing.assert_close(logits[picture], expected, atol=1e-4, rtol=1e-4)


def _layer(rows, tokens, state, name):
    def dense(x, key):
        return F.linear(x, state[f"{name}.{key}.weight"], state[f"{name}.{key}.bias"])

    def norm(x, key):
        return F.layer_norm(
            x, x.shape[-1:], state[f"{name}.{key}.weight"], state[f"{name}.{key}.bias"], eps=1e-12
        )

    q = dense(rows, "crossattention.self.query").chunk(4, dim=-1)
    k = dense(tokens, "crossattention.self.key").chunk(4, dim=-1)
    v = dense(tokens, "crossattention.self.value").chunk(4, dim=-1)
    heads = [torch.softmax(a @ b.T / a.shape[-1] ** 0.5, -1) @ c for a, b, c in zip(q, k, v, strict=True)]
    rows = norm(
        dense(torch.cat(heads, -1), "crossattention.output.dense") + rows, "crossattention.output.LayerNorm"
    )
    return norm(dense(F.gelu(dense(rows, "intermediate.dense")), "output.dense") + rows, "output.LayerNorm")


def test_the_mean_token_stands_in_front(checkpoint):
    network = ram.load(checkpoint)
    with torch.inference_mode():
        tokens = network.tokens(pixels())
        normed = network.backbone(pixels()).last_hidden_state
    assert tokens.shape == (2, 50, tiny.TOKENS)
    torch.testing.assert_close(tokens[:, 0], network.image_proj(normed.mean(1)), atol=1e-5, rtol=1e-5)


def without(state, key):
    del state[key]


BROKEN = {
    "missing in the head": (lambda s: without(s, "fc.bias"), "missing: fc.bias"),
    "missing in the backbone": (
        lambda s: without(s, "visual_encoder.layers.1.blocks.0.mlp.fc1.weight"),
        "missing: backbone.encoder.layers.1.blocks.0.mlp.fc1.weight",
    ),
    "unexpected": (lambda s: s.update(surplus=torch.zeros(1)), "unexpected: surplus"),
    "another shape": (
        lambda s: s.update({"fc.weight": torch.zeros(1, 5)}),
        r"fc.weight is \(1, 5\), not \(1, 32\)",
    ),
    "no RAM at all": (lambda s: (s.clear(), s.update(weight=torch.zeros(1))), "no checkpoint of RAM"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_another_layout_is_an_error_that_names_the_keys(tmp_path, name):
    change, message = BROKEN[name]
    state = tiny.ram_state()
    change(state)
    with pytest.raises(ram.WeightsError, match=message):
        ram.load(tiny.save_ram(tmp_path, state))


def test_a_file_that_is_no_checkpoint_is_an_error(tmp_path):
    for content in (b"", b"not a checkpoint", b"PK\x03\x04 half a zip"):
        (tmp_path / "x.pth").write_bytes(content)
        with pytest.raises(ram.WeightsError, match=r"x\.pth cannot be read"):
            ram.load(tmp_path / "x.pth")


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    torch.save({"model": Evil()}, tmp_path / "x.pth")
    with pytest.raises(Exception, match=r"Weights only|cannot be read"):
        ram.load(tmp_path / "x.pth")
    assert not (tmp_path / "owned").exists()


def test_preprocessing_forgets_the_aspect_and_keeps_the_order():
    found = ram.preprocess([drawn("black", (300, 20)), drawn("black", (20, 300))], 32)
    assert found.shape == (2, 3, 32, 32)
    assert found.dtype == np.float32
    black, white = (0 - 0.485) / 0.229, (1 - 0.485) / 0.229
    assert found[0, 0, 16, 4] == pytest.approx(black, abs=1e-5)
    assert found[0, 0, 16, 28] == pytest.approx(white, abs=1e-5)


def test_lists_that_do_not_belong_together_are_refused(tmp_path):
    tiny.save_ram(tmp_path)
    (tmp_path / "ram_tag_list_threshold.txt").write_text("0.5\n")
    with pytest.raises(ram.WeightsError, match="60 tags and 1 thresholds"):
        ram.read_vocabulary(tmp_path)


@pytest.mark.skipif(not HAS_8_BITS, reason="this processor's 8-bit sums overflow, or are slow")
class TestEightBits:
    """The layers by themselves; what they do to tags is seen on the reference inputs."""

    def test_gelu_is_torchs(self):
        values = np.linspace(-8, 8, 4001, dtype=np.float32)
        found = np.array([eight_bits.gelu(value) for value in values])
        np.testing.assert_allclose(found, F.gelu(torch.from_numpy(values)).numpy(), atol=2e-6)

    @pytest.mark.parametrize("rows", [1, 3, 200])
    def test_a_small_row_beside_large_ones_is_as_exact(self, rows):
        """By one scale for all rows the small one would be nothing."""
        torch.manual_seed(4)
        first, second = torch.nn.Linear(64, 256), torch.nn.Linear(256, 64)
        x = torch.randn(rows, 64)
        x[0] *= 1e-3
        with torch.inference_mode():
            exact = second(F.gelu(first(x)))
            found = eight_bits.TwoLayers(first, second)(x)
        assert (found - exact).norm(dim=1).div(exact.norm(dim=1)).max() < 0.03

    def test_rows_of_nothing_are_nothing(self):
        whole, _scales = eight_bits.rounded(torch.zeros(2, 5))
        assert (whole == eight_bits.MIDDLE).all()


def test_8_bits_are_left_alone_where_they_are_not_wanted():
    assert not short_layers.fastest(may_use_8_bits=False).in_8_bits


def test_8_bits_are_left_alone_where_their_sums_overflow(monkeypatch):
    """As oneDNN's do without VNNI."""

    class Overflowing(torch.nn.Module):
        def __init__(self, first, second):
            super().__init__()
            self.both = torch.nn.Sequential(first, torch.nn.GELU(), second)

        def forward(self, x):
            return self.both(x).clamp(-0.1, 0.1)

    times = iter([1.0, 0.9, 0.1])  # as if 8 bits were the fastest
    monkeypatch.setattr(short_layers, "_seconds", lambda way: next(times))
    monkeypatch.setattr(eight_bits, "TwoLayers", Overflowing)
    assert not short_layers.fastest().in_8_bits
    monkeypatch.setattr(Overflowing, "forward", lambda self, x: self.both(x))
    times = iter([1.0, 0.9, 0.1])
    assert short_layers.fastest().in_8_bits
    times = iter([1.0, 0.9, 0.85])  # too little to be worth it
    assert not short_layers.fastest().in_8_bits
