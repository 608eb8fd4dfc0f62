"""Vectors in eight bits a dimension, and how far off that can be.

A row x is kept as codes c (int8) and a scale s, with x = centre + s * c + rest. The centre is the mean of all
rows: what they have in common needs no bits. The length of the rest is kept too, for by Cauchy-Schwarz no dot
product with a query q is off by more than |q| times that: this bound is what makes a search on codes exact.
"""

from dataclasses import dataclass

import numpy as np

LARGEST_CODE = 127
CHUNK = 16384  # rows at a time, so that what is computed on the way stays small


@dataclass(frozen=True)
class Codes:
    """n rows in eight bits.

    codes int8 (n, dim), scales float32 (n,), errors float32 (n,), the length of the rest.
    """

    codes: np.ndarray
    scales: np.ndarray
    errors: np.ndarray


def quantize(vectors: np.ndarray, centre: np.ndarray) -> Codes:
    """float32 (n, dim) rows -> their codes about centre float32 (dim,)."""
    parts = [_quantize(vectors[start : start + CHUNK], centre) for start in range(0, len(vectors), CHUNK)]
    if not parts:
        return Codes(np.zeros(vectors.shape, np.int8), np.zeros(0, np.float32), np.zeros(0, np.float32))
    return Codes(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _quantize(vectors: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    own = vectors - centre
    scales = np.maximum(np.abs(own).max(axis=1), np.float32(1e-30)) / LARGEST_CODE
    codes = np.rint(own / scales[:, None])
    own -= codes * scales[:, None]
    # Rounded up: what is computed in float32 must not come out below the true length.
    errors = np.linalg.norm(own, axis=1) * np.float32(1.0001) + np.float32(1e-7)
    return codes.astype(np.int8), scales, errors


@dataclass(frozen=True)
class Integers:
    """A query in 16 bits a dimension: query = numbers * unit, off by a vector of length `error`."""

    numbers: np.ndarray  # int16 (dim,)
    unit: np.float32
    error: float


def integers(query: np.ndarray) -> Integers:
    """Write a query, float64 (dim,), in integers.

    So small that a row's sum of products with its codes fits 32 bits.
    """
    largest = min(16383, (2**31 - 1) // (LARGEST_CODE * len(query)))
    unit = np.float32(max(float(np.abs(query).max(initial=0.0)), 1e-30) / largest)
    numbers = np.clip(np.rint(query / unit), -largest, largest)
    return Integers(numbers.astype(np.int16), unit, float(np.linalg.norm(query - numbers * unit)))
