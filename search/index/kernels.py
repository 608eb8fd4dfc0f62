"""The loops that run over a million rows, compiled by numba and spread over the processor's cores.

Each kernel works on the rows from `start` to `stop` and lets go of the interpreter, so that threads share the
work.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numba import njit

PIECE = 65536  # rows that a thread takes at a time

_compiled: Callable[[Callable[..., None]], Callable[..., None]] = njit(nogil=True, cache=True)


@_compiled
def scan(
    codes: Any,
    scales: Any,
    query: Any,
    unit: Any,
    base: Any,
    visible: Any,
    scores: Any,
    start: int,
    stop: int,
) -> None:
    """Add to scores float32 (n,) each visible row's dot product; rows that are not visible become -inf.

    codes int8 (n, dim) with scales float32 (n,); query int16 (dim,) counts in `unit`; base is what every row
    gets besides. Sums are int32, which is wide enough for what `quantization.integers` returns.
    """
    for row in range(start, stop):
        if visible[row]:
            total = np.int32(0)
            for i in range(codes.shape[1]):
                total = np.int32(total + np.int32(np.int32(codes[row, i]) * np.int32(query[i])))
            scores[row] += np.float32(total) * scales[row] * unit + base
        else:
            scores[row] = -np.inf


@_compiled
def exact_dots(vectors: Any, rows: Any, query: Any, out: Any, start: int, stop: int) -> None:
    """Compute the dot products of vectors float32 (any, dim) at rows int64 (n,) with query float64 (dim,).

    They go to out float64 (n,).

    Every row is summed in the same order: equal vectors give equal numbers, to the last bit, wherever they
    stand.
    """
    for i in range(start, stop):
        row = rows[i]
        total = 0.0
        for j in range(vectors.shape[1]):
            total += np.float64(vectors[row, j]) * query[j]
        out[i] = total


@_compiled
def add_at(values: Any, rows: Any, amount: Any) -> None:
    """values[rows] += amount, for rows that occur once each; values float32 (any,), rows uint32 (n,)."""
    for i in range(len(rows)):
        values[rows[i]] += amount


@_compiled
def mark(mask: Any, rows: Any) -> None:
    """mask[rows] = True; mask bool (any,), rows uint32 (n,)."""
    for i in range(len(rows)):
        mask[rows[i]] = True


@cache
def threads() -> ThreadPoolExecutor:
    """As many as the processor has cores, made on first use: after a server has forked."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="scan")


def run(kernel: Callable[..., None], count: int, *arguments: Any) -> None:
    """Call the kernel on pieces that together are the rows from 0 to count."""
    if count <= PIECE:
        kernel(*arguments, 0, count)
        return
    pieces = range(0, count, PIECE)
    list(threads().map(lambda start: kernel(*arguments, start, min(count, start + PIECE)), pieces))


def prepare() -> None:
    """Compile every kernel, or load what was compiled before, so that the first search need not wait."""

    def read_only(array: np.ndarray) -> np.ndarray:
        array.flags.writeable = False  # as those of a snapshot are, which makes them another type
        return array

    codes, scales = read_only(np.zeros((1, 2), np.int8)), read_only(np.ones(1, np.float32))
    vectors, scores, unit = read_only(np.zeros((1, 2), np.float32)), np.zeros(1, np.float32), np.float32(1)
    scan(codes, scales, np.zeros(2, np.int16), unit, unit, np.ones(1, bool), scores, 0, 1)
    exact_dots(vectors, np.zeros(1, np.int64), np.zeros(2), np.zeros(1), 0, 1)
    for rows in (np.zeros(1, np.uint32), read_only(np.zeros(1, np.uint32))):
        add_at(scores, rows, unit)
        mark(np.zeros(1, bool), rows)
