"""Linear layers in 8-bit integers, by oneDNN, for processors that multiply these fastest.

Weights are scaled by each output channel's largest, what comes in by each row's: one scale for all rows loses
the tags of those whose values are small. oneDNN knows no scale by row, so each row is brought to -127..127
before it, and its scale is multiplied in afterwards. That, GELU and the rounding are loops compiled by numba:
a row stays in the processor's cache.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import nn

from gallery.extraction.short_layers import IN_8_BITS

MIDDLE = 128  # what zero is as an unsigned byte
F = np.float32

_compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = njit(
    nogil=True, cache=True, fastmath=True, error_model="numpy"
)


@_compiled
def round_rows(x: Any, out: Any, scales: Any, start: int, stop: int) -> None:
    """Round rows start to stop of x float32 (m, n) to out uint8 (m, n), zero at MIDDLE; scales (m,)."""
    for row in range(start, stop):
        largest = F(1e-12)
        for i in range(x.shape[1]):
            largest = max(largest, abs(x[row, i]))
        scales[row] = largest / F(127)
        factor = F(127) / largest
        for i in range(x.shape[1]):
            out[row, i] = np.uint8(np.int32(x[row, i] * factor + F(128.5)))


@_compiled
def gelu(x: Any) -> Any:
    """Return x * Phi(x), by Eigen's rational approximation of erf (error below 1e-6; MathFunctionsImpl.h)."""
    z = x * F(0.70710678)
    z = z if z < F(4) else F(4)
    z = z if z > F(-4) else F(-4)
    q = z * z
    p = F(-2.72614225801306e-10)
    p = p * q + F(2.77068142495902e-08)
    p = p * q + F(-2.10102402082508e-06)
    p = p * q + F(-5.69250639462346e-05)
    p = p * q + F(-7.34990630326855e-04)
    p = p * q + F(-2.95459980854025e-03)
    p = p * q + F(-1.60960333262415e-02)
    d = F(-1.45660718464996e-05)
    d = d * q + F(-2.13374055278905e-04)
    d = d * q + F(-1.68282697438203e-03)
    d = d * q + F(-7.37332916720468e-03)
    d = d * q + F(-1.42647390514189e-02)
    return F(0.5) * x * (F(1) + z * p / d)


@_compiled
def activate_rows(y: Any, scales: Any, bias: Any, out: Any, new_scales: Any, start: int, stop: int) -> None:
    """Scale y float32 (m, n) by row, add the bias, apply GELU, all in place; then round it by row."""
    for row in range(start, stop):
        scale = scales[row]
        for i in range(y.shape[1]):
            y[row, i] = gelu(y[row, i] * scale + bias[i])
    round_rows(y, out, new_scales, start, stop)


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="eight-bits")


# A fork has none of the threads; where systems have no fork, there is nothing to forget either.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)


def _run(kernel: Callable[..., None], rows: int, *arrays: torch.Tensor) -> None:
    """Call the kernel on as many pieces as torch has threads."""
    count = torch.get_num_threads()
    views = [own.numpy() for own in arrays]
    size = -(-rows // count) or 1
    pieces = range(0, rows, size)
    list(_threads(count).map(lambda at: kernel(*views, at, min(rows, at + size)), pieces))


Rounded = tuple[torch.Tensor, torch.Tensor]  # uint8 (m, n), and the scale of each row, float32 (m,)


def rounded(x: torch.Tensor) -> Rounded:
    """Round x (m, n) by row."""
    x = x.float().contiguous()
    out, scales = torch.empty(x.shape, dtype=torch.uint8), torch.empty(len(x))
    _run(round_rows, len(x), x, out, scales)
    return out, scales


class Packed:
    """A linear layer's weights in 8 bits, as oneDNN wants them, and its bias."""

    def __init__(self, layer: nn.Linear) -> None:
        weight = layer.weight.float()
        self.scales = weight.abs().amax(1).clamp(min=1e-12) / 127
        whole = torch.round(weight / self.scales[:, None]).to(torch.int8).contiguous()
        self.weight = torch.ops.onednn.qlinear_prepack(whole, None)
        self.zeros = torch.zeros(len(whole), dtype=torch.int32)
        bias = layer.bias
        self.bias = torch.zeros(len(whole)) if bias is None else bias.detach().float().clone()

    def product(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply: uint8 (m, k) -> float32 (m, n), which lacks the rows' scales and the bias."""
        y: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            x,
            1.0,
            MIDDLE,
            self.weight,
            self.scales,
            self.zeros,
            None,
            1.0,
            0,
            torch.float32,
            "none",
            [],
            "none",
        )
        return y

    def __call__(self, x: Rounded) -> torch.Tensor:
        y = self.product(x[0])
        return torch.addcmul(self.bias, y, x[1][:, None], out=y)


class TwoLayers(nn.Module):
    """Two linear layers in 8 bits and the GELU between them: float32 (..., k) -> float32 (..., n)."""

    def __init__(self, first: nn.Linear, second: nn.Linear) -> None:
        super().__init__()
        self.first, self.second = Packed(first), Packed(second)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        whole, scales = rounded(x.reshape(-1, x.shape[-1]))
        y = self.first.product(whole)
        between, new_scales = torch.empty(y.shape, dtype=torch.uint8), torch.empty(len(y))
        _run(activate_rows, len(y), y, scales, self.first.bias, between, new_scales)
        return self.second((between, new_scales)).view(*x.shape[:-1], -1)


@torch.inference_mode()
def convert(network: nn.Module, done: Callable[[torch.Tensor], None] = lambda weight: None) -> None:
    """Put layers in 8 bits into the place of those of IN_8_BITS, which have weights; `done` hears of each."""
    names = [name for name, _module in network.named_modules() if IN_8_BITS.search(name)]
    for owner in dict.fromkeys(name.rpartition(".")[0] for name in names):
        block: Any = network.get_submodule(owner)
        if hasattr(block, "fc1"):  # the backbone's
            old = block.fc1, block.fc2
            block.fc1, block.activation_fn, block.fc2 = TwoLayers(*old), nn.Identity(), nn.Identity()
        else:
            old = block.intermediate, block.output
            block.intermediate, block.activation, block.output = TwoLayers(*old), nn.Identity(), nn.Identity()
        for layer in old:
            done(layer.weight)
