"""What words, colours and the verdict cost beside the plain scan, on synthetic rows."""

from tests.benchmarks import setup

# isort: split
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from json import dumps
from pathlib import Path

import numpy as np
from django.core.management.base import BaseCommand

from gallery.access import Scope
from search.evidence import Meaning, WantedWord, gather
from search.index import fusion, snapshot
from search.index.columns import Rows, Written
from search.index.index import Index
from search.index.ranking import Asked
from tests.benchmarks import synthetic

WORDS = 50_000  # different ones, six a picture, with frequencies after Zipf
TOP, TIMES = 50, 9
MEANING = Meaning(dict.fromkeys(range(200, 330), ""), ["blue"], is_told=True, asks_more=True)
ASKED = [WantedWord(("w3", "w3s")), WantedWord(("w77",)), WantedWord(("w1",))]


class Command(BaseCommand):
    help = "Ratios to one pass over the codes, medians of one run."

    def add_arguments(self, parser):
        parser.add_argument("--images", type=int, default=1_000_000)
        parser.add_argument("--dim", type=int, default=384)

    def handle(self, *args, images: int, dim: int, **options):
        folder = Path(tempfile.mkdtemp())
        snapshot.write(folder, dim, 1, with_words(images, dim))
        index, everything = Index(dim, snapshot.load(folder, dim)), np.ones(images, bool)
        query = np.random.default_rng(1).standard_normal(dim)
        query /= np.linalg.norm(query)
        scope = Scope(1, frozenset(), frozenset(), {})

        def plain() -> None:
            fusion.FUSIONS["mean"].rank(index, Asked({"text": query}, {}), {"text": 1.0}, everything, TOP)

        def words() -> None:
            found = gather(index, everything, scope, [MEANING], ASKED)
            asked = Asked({"text": query}, {}, gains=found.gains(by_tags=True), has_words=True)
            fusion.FUSIONS["best"].rank(index, asked, {"text": 1.0, "words": 0.5}, everything, TOP)
            np.count_nonzero(found.good() & everything)

        def picture() -> None:
            asked = Asked({"image": query}, {5: 1.0, 9: 1.0, 20: 1.0})
            best = fusion.FUSIONS["best"].rank(index, asked, {"image": 0.5, "tags": 0.5}, everything, TOP)
            np.count_nonzero(best.dots >= 0.84)

        one = median(lambda: index.dots(query, everything))
        ways = {
            "text, mean": plain,
            "text with words and verdict": words,
            "picture, tags and verdict": picture,
        }
        self.stdout.write(dumps({name: round(median(way) / one, 2) for name, way in ways.items()}))


def with_words(images: int, dim: int) -> Iterator[Rows]:
    """The rows of other benchmarks, with words."""
    rng = np.random.default_rng(1)
    vocabulary = [*(f"name:w{i}" for i in range(WORDS)), "color:blue"]
    for rows in synthetic.chunks(images, dim):
        count = len(rows)
        pairs = np.stack([np.repeat(np.arange(count), 6), rng.zipf(1.3, 6 * count) % WORDS], axis=1)
        blue = np.stack([np.arange(0, count, 6), np.full(len(range(0, count, 6)), WORDS)], axis=1)
        pairs = np.unique(np.concatenate([pairs, blue]), axis=0)
        yield dataclasses.replace(rows, words=Written(vocabulary, pairs))


def median(way: Callable[[], object]) -> float:
    """Seconds, of TIMES runs after one that warms up."""
    way()
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        way()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    setup.run(Command)
