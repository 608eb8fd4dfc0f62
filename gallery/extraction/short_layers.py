"""Linear layers of the Recognize Anything Model that multiply in a shorter type than float32."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn

logger = logging.getLogger(__name__)

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
WORTH = 0.9  # of the time of the others that 8 bits may take: they cost some tags
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


class _Measured:
    """Two layers and what goes into them, to be run in one way after the other."""

    def __init__(self) -> None:
        self.layers = nn.Linear(WIDTH, WIDE), nn.Linear(WIDE, WIDTH)
        self.pixels = torch.randn(ROWS, WIDTH, generator=torch.Generator().manual_seed(1))

    def plain(self, dtype: torch.dtype) -> Callable[[], torch.Tensor]:
        first, second = (ShortLinear(own.in_features, own.out_features, dtype=dtype) for own in self.layers)
        first.load_state_dict(self.layers[0].state_dict())
        second.load_state_dict(self.layers[1].state_dict())
        return lambda: second(nn.functional.gelu(first(self.pixels)))

    def in_8_bits(self) -> Callable[[], torch.Tensor] | None:
        """Return None where they cannot run, or are wrong: without VNNI oneDNN's sums overflow."""
        try:
            from gallery.extraction.eight_bits import TwoLayers

            eight, exact = TwoLayers(*self.layers), self.plain(torch.float32)()
            difference = float((eight(self.pixels) - exact).norm() / exact.norm())
        except Exception as error:  # whatever is missing or broken: the other types do as well
            logger.info("No 8-bit layers here: %s: %s", type(error).__name__, error)
            return None
        return (lambda: eight(self.pixels)) if difference < MOST_DIFFERENCE else None


@torch.inference_mode()
def has_8_bits() -> bool:
    """Whether layers in 8 bits run here, and are right; how fast they are is another question."""
    return _Measured().in_8_bits() is not None


@torch.inference_mode()
def fastest(may_use_8_bits: bool = True) -> Types:
    """Measure in which types this processor multiplies fastest; in less than a second, most of the time."""
    measured = _Measured()
    seconds = {Types(dtype): _seconds(measured.plain(dtype)) for dtype in (torch.float32, torch.bfloat16)}
    best = min(seconds, key=seconds.__getitem__)
    eight = measured.in_8_bits() if may_use_8_bits else None
    if eight and _seconds(eight) < WORTH * seconds[best]:
        return best._replace(in_8_bits=True)
    return best


def _seconds(way: Callable[[], torch.Tensor]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        way()
        times.append(time.perf_counter() - began)
    return min(times)
