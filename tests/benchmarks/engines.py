"""Qdrant's answers beside the exact ones: `python -m tests.benchmarks.engines --pictures 100000`.

For each kind of question the share of the exact best hundred that Qdrant proposes, on average and at worst,
and how long it takes beside the index of one process, in one run on the same synthetic library.
"""

from tests.benchmarks import setup

# isort: split
# isort: split
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from django.core.management.base import BaseCommand, CommandParser
from qdrant_client.models import Filter, SearchParams

from search.engines import qdrant_points, qdrant_terms
from search.engines.qdrant_points import Points
from search.engines.qdrant_terms import Bonus, any_of, equals, points
from search.index import snapshot
from search.index.fusion import FUSIONS
from search.index.index import Index
from search.index.ranking import Asked
from tests.benchmarks import synthetic
from tests.benchmarks.edge import EdgeClient

TOP = 100
MARGIN = 20


@dataclass(frozen=True)
class Asking:
    """A vector or none, what each tag adds, and whose pictures (0: everybody's)."""

    vector: np.ndarray
    tags: dict[int, float]
    owner: int = 0


class Command(BaseCommand):
    help = "Measure Qdrant's answers beside the exact ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--pictures", type=int, default=100_000)
        parser.add_argument("--dim", type=int, default=384)
        parser.add_argument("--rounds", type=int, default=20)
        parser.add_argument("--lists", type=int, nargs="+", default=[qdrant_terms.MOST_LISTS])
        parser.add_argument("--graph", action="store_true", help="build its HNSW graph, and ask by it, too")

    def handle(
        self, *args: Any, pictures: int, dim: int, rounds: int, lists: list[int], graph: bool, **options: Any
    ) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            snapshot.write(folder / "index", dim, 1, synthetic.chunks(pictures, dim))
            index = Index(dim, snapshot.load(folder / "index", dim))
            client = EdgeClient(folder / "qdrant", dim)
            before = psutil.Process().memory_info().rss
            self.tell("filled", lambda: fill(client, pictures, dim))
            grown = (psutil.Process().memory_info().rss - before) / pictures
            disk = sum(path.stat().st_blocks * 512 for path in (folder / "qdrant").rglob("*")) / pictures
            self.stdout.write(json.dumps({"bytes a picture": round(grown), "on disk": round(disk)}))
            for row in measure(index, client, rounds, lists):
                self.stdout.write(json.dumps(row))
            if graph:
                self.tell("graph built", client.shard.optimize)
                qdrant_points.EXACT = SearchParams(exact=False, hnsw_ef=512)
                for row in measure(index, client, rounds, lists):
                    self.stdout.write(json.dumps(row | {"graph": True}))

    def tell(self, what: str, work: Callable[[], Any]) -> None:
        """Do it, and say how long it took."""
        began = time.perf_counter()
        work()
        self.stdout.write(json.dumps({what: f"{time.perf_counter() - began:.0f} s"}))


def fill(client: EdgeClient, pictures: int, dim: int) -> None:
    """Tell Qdrant of everything."""
    for rows in synthetic.chunks(pictures, dim):
        made = points(rows)
        for start in range(0, len(made), 1000):
            client.upsert(made[start : start + 1000])


def measure(index: Index, client: EdgeClient, rounds: int, lists: list[int]) -> Iterator[dict[str, Any]]:
    """Ask both every kind of question, in turn."""
    own = Points(client, "benchmark")  # type: ignore[arg-type]  # it has what is asked of it here
    for most, (kind, ask) in itertools.product(lists, KINDS.items()):
        rng = np.random.default_rng(11)
        qdrant_points.MOST_LISTS = most
        recall, plain, other = [], [], []
        for _ in range(rounds):
            asking = ask(index, rng)
            bonuses = [Bonus(any_of("tags", [tag]), weight) for tag, weight in asking.tags.items()]
            among = Filter(must=[equals("owners", str(asking.owner))] if asking.owner else [])
            began = time.perf_counter()
            best = by_index(index, asking)
            middle = time.perf_counter()
            found = own.fused(asking.vector, among, bonuses, 0, TOP + MARGIN)
            plain.append((middle - began) * 1000)
            other.append((time.perf_counter() - middle) * 1000)
            recall.append(len(set(best) & set(found)) / max(len(best), 1))
        yield {
            "kind": kind,
            "lists, at most": most,
            "recall": round(statistics.mean(recall), 4),
            "worst": min(recall),
            "index ms": round(statistics.median(plain), 1),
            "qdrant ms": round(statistics.median(other), 1),
        }


def by_index(index: Index, asking: Asking) -> list[int]:
    """Return the exact best hundred's numbers."""
    total = sum(asking.tags.values())
    visible = (
        index.between("owners", asking.owner, asking.owner) if asking.owner else np.ones(index.size, bool)
    )
    asked = Asked({"text": asking.vector}, asking.tags)
    share = {"text": 1.0, "tags": total} if asking.tags else {"text": 1.0}
    best = FUSIONS["mean"].rank(index, asked, share, visible, TOP)
    ids: list[int] = index.take("ids", best.rows).tolist()
    return ids


def _near(index: Index, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a vector like that of some picture, unit length, and the picture's row."""
    row = rng.integers(0, index.size, 1)
    vector = index.take("vectors", row)[0].astype(np.float64)
    vector += 0.05 * rng.standard_normal(len(vector))
    return vector / np.linalg.norm(vector), row


def text(index: Index, rng: np.random.Generator) -> Asking:
    """Ask by words alone."""
    return Asking(_near(index, rng)[0], {})


def text_of_one(index: Index, rng: np.random.Generator) -> Asking:
    """Ask one person's pictures, a twentieth of all, by words."""
    return Asking(_near(index, rng)[0], {}, owner=int(rng.integers(1, synthetic.OWNERS + 1)))


def picture(index: Index, rng: np.random.Generator) -> Asking:
    """Ask by a picture, which brings its dozen tags, alike."""
    vector, row = _near(index, rng)
    tags = [tag for tag in index.tag_ids() if index.carries(tag, row)[0]]
    return Asking(vector / 2, dict.fromkeys(tags, 0.5 / len(tags)))


def picture_and_words(index: Index, rng: np.random.Generator) -> Asking:
    """Ask by a picture and two words."""
    alike = picture(index, rng)
    return Asking(alike.vector, dict(zip(_common(rng, 2), (0.2, 0.14), strict=True)) | alike.tags)


def tags_and_text(index: Index, rng: np.random.Generator) -> Asking:
    """Ask by words and three tags of different weights."""
    return Asking(_near(index, rng)[0] / 2, dict(zip(_common(rng, 3), (0.25, 0.15, 0.1), strict=True)))


def words(index: Index, rng: np.random.Generator) -> Asking:
    """Ask by eight things of which each counts differently: more combinations than lists."""
    return Asking(_near(index, rng)[0], {tag: 0.2 * 0.7**i for i, tag in enumerate(_common(rng, 8))})


def _common(rng: np.random.Generator, count: int) -> list[int]:
    found: list[int] = (1 + rng.choice(300, count, replace=False)).tolist()
    return found


KINDS: dict[str, Callable[[Index, np.random.Generator], Asking]] = {
    "text": text,
    "text, one of twenty owners": text_of_one,
    "picture and its tags": picture,
    "picture, its tags and two words": picture_and_words,
    "text and three tags": tags_and_text,
    "text and eight words": words,
}


if __name__ == "__main__":
    setup.run(Command)
