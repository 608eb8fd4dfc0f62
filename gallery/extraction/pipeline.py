"""Files -> extractions: pictures are decoded in threads while the ones before them are in the network."""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from django.db.models.fields.files import FieldFile
from PIL import Image

from gallery.extraction.base import Extraction, Extractor
from gallery.imaging import pixels
from gallery.imaging.decoder import Decoded, decoder

logger = logging.getLogger(__name__)

Stored = FieldFile | Path  # a picture's file, wherever it is kept


@dataclass(frozen=True)
class Reading:
    """What came of one file."""

    extraction: Extraction
    perceptual_hash: int
    color: int
    colors: str = ""


@dataclass(frozen=True)
class Source:
    """A picture to read.

    Its file, how many quarters clockwise a person turned it, and, where somebody else wants to see its pixels
    while they are there: how many they need on the shorter side, and what they do with them.
    """

    file: Stored
    turn: int = 0
    at_least: int = 0
    seen: Callable[[Image.Image], None] | None = None


def decode(source: Source, at_least: int) -> Decoded:
    """Decode a picture in a process of its own; DecodeError where that fails, OSError without it."""
    file = source.file
    with open(file, "rb") if isinstance(file, Path) else file.storage.open(str(file.name)) as opened:
        decoded = decoder().load(opened, max(at_least, source.at_least), turn=source.turn)
    if source.seen is None:
        return decoded
    source.seen(decoded.picture)
    return replace(decoded, picture=pixels.reduced(decoded.picture, at_least))


def extract_files(extractor: Extractor, sources: Sequence[Source]) -> list[Reading | Exception]:
    """Return what each file gave, in order; in the place of one that failed stands the exception."""
    results: list[Reading | Exception] = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        pictures = iter([threads.submit(decode, source, extractor.at_least) for source in sources])
        while chunk := list(islice(pictures, extractor.batch)):
            results += _extract_chunk(extractor, chunk)
    return results


def _extract_chunk(extractor: Extractor, chunk: list[Future[Decoded]]) -> list[Reading | Exception]:
    """Extract what could be decoded as one batch; the place of each file that failed holds its exception."""
    files = [_outcome(future) for future in chunk]
    decoded = [file for file in files if isinstance(file, Decoded)]
    outcomes = iter(_extract_with_fallback(extractor, [file.picture for file in decoded]))
    results: list[Reading | Exception] = []
    for file in files:
        outcome = next(outcomes) if isinstance(file, Decoded) else file
        if isinstance(file, Decoded) and isinstance(outcome, Extraction):
            results.append(Reading(outcome, file.perceptual_hash, file.color, file.colors))
        elif isinstance(outcome, Exception):
            results.append(outcome)
    return results


def _outcome(future: Future[Decoded]) -> Decoded | Exception:
    try:
        return future.result()
    except Exception as error:  # Pillow raises nearly anything on hostile bytes
        return error


def _extract_with_fallback(extractor: Extractor, pictures: list[Image.Image]) -> list[Extraction | Exception]:
    """Extract the pictures together or, where that fails, one by one: a failing picture fails no other."""
    try:
        return list(extractor.extract(pictures))
    except Exception as error:
        if len(pictures) == 1:
            return [error]
        logger.exception("A batch of %d failed; its pictures are tried one by one", len(pictures))
    return [outcome for picture in pictures for outcome in _extract_with_fallback(extractor, [picture])]
