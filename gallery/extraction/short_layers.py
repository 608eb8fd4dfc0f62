"""Linear layers of the Recognize Anything Model that multiply in a shorter type than float32."""

import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn

# The large multiplications, which may run in a shorter type. What flows between them stays float32, and so do
# the tags' queries and their attention: near a threshold rounding decides tags. All of the network in bf16
# agrees with float32 on the reference inputs' tags by a mean Jaccard index of 0.957, this by 0.973.
LARGE = re.compile(r"^backbone\..*([qkvo]_proj|fc1|fc2)$|^head\.\d+\.(intermediate|output)$")
# Those that may run in 8-bit integers: what has a GELU inside, but for the backbone's first stage, which all
# others build on. With the backbone's other projections it is 1.07 times as fast, and 0.985 instead of 0.989
# of the reference inputs' tags agree.
IN_8_BITS = re.compile(r"^backbone\.encoder\.layers\.[1-9].*(fc1|fc2)$|^head\.\d+\.(intermediate|output)$")
# What is measured: two layers of the backbone's third stage for two pictures, and how often.
ROWS, WIDTH, WIDE, ROUNDS = 1152, 768, 3072, 3
MOST_DIFFERENCE = 0.03  # of what these give in 8 bits, beside float32; 0.01 where nothing overflows


class Types(NamedTuple):
    """What the large multiplications run in, and whether those of IN_8_BITS run in 8-bit integers instead."""

    dtype: torch.dtype
    in_8_bits: bool = False

    def __str__(self) -> str:
        name = str(self.dtype).removeprefix("torch.")
        return f"int8 and {name}" if self.in_8_bits else name


FLOAT32 = Types(torch.float32)


class ShortLinear(nn.Linear):
    """A linear layer that multiplies in the shorter type of its weights.

    What comes out is float32 again, except in front of a GELU, which the next one of these follows.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = super().forward(x.to(self.weight.dtype))
        return y if self.out_features > self.in_features else y.float()


def shorten(network: Any, dtype: torch.dtype) -> None:
    """Put a ShortLinear of this type, without weights, in the place of each large layer."""
    for name, module in list(network.named_modules()):
        if LARGE.search(name):
            owner, _, own = name.rpartition(".")
            short = ShortLinear(module.in_features, module.out_features, module.bias is not None, dtype=dtype)
            setattr(network.get_submodule(owner), own, short)


@torch.inference_mode()
def fastest(may_use_8_bits: bool = True) -> Types:
    """Measure in which types this processor multiplies fastest; in less than a second, most of the time."""
    layers = nn.Linear(WIDTH, WIDE), nn.Linear(WIDE, WIDTH)
    pixels = torch.randn(ROWS, WIDTH, generator=torch.Generator().manual_seed(1))

    def plain(dtype: torch.dtype) -> Callable[[], torch.Tensor]:
        first, second = (ShortLinear(own.in_features, own.out_features, dtype=dtype) for own in layers)
        first.load_state_dict(layers[0].state_dict())
        second.load_state_dict(layers[1].state_dict())
        return lambda: second(nn.functional.gelu(first(pixels)))

    ways: dict[Types, Callable[[], torch.Tensor]] = {
        Types(dtype): plain(dtype) for dtype in (torch.float32, torch.bfloat16)
    }
    exact = ways[FLOAT32]()
    seconds = {types: _seconds(way) for types, way in ways.items()}
    best = min(seconds, key=seconds.__getitem__)
    if may_use_8_bits:
        own = _seconds_in_8_bits(layers, pixels, exact)
        if own is not None and own < seconds[best]:
            return best._replace(in_8_bits=True)
    return best


def _seconds_in_8_bits(layers: Any, pixels: torch.Tensor, exact: torch.Tensor) -> float | None:
    """How long the layers take in 8 bits; None where they cannot run, or are wrong.

    Without VNNI oneDNN adds up in 16 bits, which overflow.
    """
    try:
        from gallery.extraction.eight_bits import TwoLayers

        eight = TwoLayers(*layers)
        difference = (eight(pixels) - exact).norm() / exact.norm()
    except (AttributeError, RuntimeError, ImportError):
        return None
    return _seconds(lambda: eight(pixels)) if difference < MOST_DIFFERENCE else None


def _seconds(way: Callable[[], torch.Tensor]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        way()
        times.append(time.perf_counter() - began)
    return min(times)
