"""Files -> extractions: pictures are decoded in threads while the ones before them are in the network."""

import logging
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PIL import Image

from gallery.extraction.base import Extraction, Extractor
from gallery.imaging import pixels

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decoded:
    """A picture on its way to the extractor."""

    picture: Image.Image
    perceptual_hash: int
    color: int


@dataclass(frozen=True)
class Reading:
    """What came of one file."""

    extraction: Extraction
    perceptual_hash: int
    color: int


def decode(file: str | Path, at_least: int) -> Decoded:
    """Pixels for an extractor, and what they look like."""
    picture = pixels.load_rgb(file, at_least)
    return Decoded(picture, pixels.perceptual_hash(picture), pixels.color(picture))


def extract_files(extractor: Extractor, files: Sequence[str | Path]) -> list[Reading | Exception]:
    """What each file gave, in order; in the place of one that failed stands the exception."""
    results: list[Reading | Exception] = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        pictures = iter([threads.submit(decode, file, extractor.at_least) for file in files])
        while chunk := list(islice(pictures, extractor.batch)):
            results += _extract_chunk(extractor, chunk)
    return results


def _extract_chunk(extractor: Extractor, chunk: list[Future]) -> list[Reading | Exception]:
    results: list[Reading | Exception | Decoded] = [future.exception() or future.result() for future in chunk]
    decoded = [i for i, result in enumerate(results) if not isinstance(result, Exception)]
    for i, outcome in _tried(extractor, results, decoded):
        failed = isinstance(outcome, Exception)
        results[i] = outcome if failed else Reading(outcome, results[i].perceptual_hash, results[i].color)
    return results


def _tried(extractor: Extractor, results: list, rows: list[int]) -> list[tuple[int, Extraction | Exception]]:
    """The rows' extractions as one batch, or, where that fails, one by one: a failing picture fails no
    other."""
    try:
        return list(zip(rows, extractor.extract([results[i].picture for i in rows]), strict=True))
    except Exception as error:
        if len(rows) == 1:
            return [(rows[0], error)]
        logger.exception("A batch of %d failed; its pictures are tried one by one", len(rows))
        return [outcome for row in rows for outcome in _tried(extractor, results, [row])]
