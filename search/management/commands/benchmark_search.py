"""Search time beside the original program's scoring, on synthetic rows."""

import statistics
import time

import numpy as np
from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from search import fusion, reference
from search.index import Index, Rows

DIM = 384
VOCABULARY = 4585
TAGS_PER_IMAGE = 12
TOP = 100


class Command(BaseCommand):
    help = "Rank synthetic rows by a picture, text and tags: the engine's way beside the original's, in one run."

    def add_arguments(self, parser):
        parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000])
        parser.add_argument("--rounds", type=int, default=9)

    def handle(self, *args, images: list[int], rounds: int, **options):
        table = Table(title=f"search: picture + text + 3 tags, best {TOP}, median of {rounds}, ms")
        for column in ("images", "original", "engine", "ratio", "same ranking"):
            table.add_column(column, justify="right")
        for count in images:
            plain, engine, same = compare(count, rounds)
            table.add_row(
                f"{count:,}", f"{plain:.1f}", f"{engine:.2f}", f"{plain / engine:.0f}", "yes" if same else "NO"
            )
        Console(file=self.stdout._out).print(table)


def compare(count: int, rounds: int) -> tuple[float, float, bool]:
    """Median milliseconds of the original's scoring and of the engine's, and whether their leaders agree."""
    rng = np.random.default_rng(7)
    vectors = rng.standard_normal((count, DIM), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    # Zipf-like: the k-th tag is worn in proportion to 1/k.
    weights = 1 / np.arange(1, VOCABULARY + 1)
    drawn = rng.choice(VOCABULARY, (count, TAGS_PER_IMAGE), p=weights / weights.sum())
    tag_sets = [set(row) for row in drawn.tolist()]
    pairs = [(row, tag) for row, tags in enumerate(tag_sets) for tag in tags]
    ids = np.arange(1, count + 1)
    index = Index(DIM, count)
    index.add(Rows(ids, np.ones(count, np.int64), vectors, np.array(pairs), np.zeros((0, 2), np.int64)))
    image, text, tags = vectors[0], vectors[1], {3, 40, 400}

    def plain():
        return reference.rank(tags, (image + text) / 2, tag_sets, vectors)[0][:TOP]

    def engine():
        visible = index.visible(1, ())
        components = dict(zip(("image", "text"), index.dots(np.stack([image, text])), strict=True))
        components["tags"] = index.tag_matches(tags) / np.float32(len(tags))
        share = fusion.shares(components, dict.fromkeys(components, 1.0))
        scores = fusion.total(fusion.mean(components, share, visible)(components), index.size)
        return fusion.leaders(scores, index.ids, np.flatnonzero(visible), TOP)

    times = {plain: [], engine: []}
    for _ in range(rounds + 1):
        for way, taken in times.items():
            began = time.perf_counter()
            way()
            taken.append((time.perf_counter() - began) * 1000)
    medians = [statistics.median(taken[1:]) for taken in times.values()]
    return *medians, plain().tolist() == engine().tolist()
