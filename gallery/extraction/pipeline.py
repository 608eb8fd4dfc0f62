"""Files -> extractions: pictures are decoded in threads while the ones before them are in the network."""

import logging
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from PIL import Image

from gallery.extraction import pixels
from gallery.extraction.base import Extraction, Extractor

logger = logging.getLogger(__name__)


def extract_files(extractor: Extractor, files: Sequence[str | Path]) -> list[Extraction | Exception]:
    """Each file's extraction, in order; in the place of one that failed stands the exception."""
    results: list[Extraction | Exception] = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        pictures = iter([threads.submit(pixels.load_rgb, file, extractor.at_least) for file in files])
        while chunk := list(islice(pictures, extractor.batch)):
            results += _extract_chunk(extractor, chunk)
    return results


def _extract_chunk(extractor: Extractor, chunk: list[Future]) -> list[Extraction | Exception]:
    results: list[Extraction | Exception | Image.Image] = [future.exception() or future.result() for future in chunk]
    decoded = [i for i, result in enumerate(results) if not isinstance(result, Exception)]
    for rows in _batches_that_work(extractor, results, decoded):
        for i, extraction in rows:
            results[i] = extraction
    return results


def _batches_that_work(extractor: Extractor, pictures: list, rows: list[int]):
    """The rows' extractions as one batch, or, where that fails, one by one: a failing picture fails no other."""
    try:
        yield list(zip(rows, extractor.extract([pictures[i] for i in rows]), strict=True))
    except Exception as error:
        if len(rows) == 1:
            yield [(rows[0], error)]
            return
        logger.exception("A batch of %d failed; its pictures are tried one by one", len(rows))
        for row in rows:
            yield from _batches_that_work(extractor, pictures, [row])
