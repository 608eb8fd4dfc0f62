"""How much of the best hundred one request to Qdrant proposes: `python -m tests.benchmarks.recall`.

A simulation with a synthetic library of up to ten million pictures, gone through once in pieces: every list
of candidates is kept as Qdrant would give it, and so are the exact best. What is left out is what `Levels`
leaves out.
"""

from tests.benchmarks import setup

# isort: split
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandParser
from qdrant_client.models import HasIdCondition

from search.engines.qdrant_points import REACH
from search.engines.qdrant_terms import MOST_LISTS, Bonus, Levels
from search.index.columns import Rows
from tests.benchmarks import synthetic

TOP = 100
MARGIN = 20
COMMON = 300  # the tags that are asked for are among the commonest


# How many pictures have at least so many of these tags.
Share = Callable[[list[HasIdCondition], int], float]


@dataclass
class Top:
    """The best of everything that went by: (scores, ids), and their fused scores."""

    count: int
    keys: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ids: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    fused: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def add(self, keys: np.ndarray, ids: np.ndarray, fused: np.ndarray) -> None:
        """Let these go by."""
        if len(self.keys) == self.count:
            near = np.flatnonzero(keys > self.keys.min())
            keys, ids, fused = keys[near], ids[near], fused[near]
        keys, ids, fused = (
            np.concatenate(own) for own in ((self.keys, keys), (self.ids, ids), (self.fused, fused))
        )
        order = np.argsort(-keys, kind="stable")[: self.count]
        self.keys, self.ids, self.fused = keys[order], ids[order], fused[order]


class Asking:
    """One question: a vector, and what each tag adds."""

    def __init__(
        self, vector: np.ndarray, tags: dict[int, float], most: int, reach: int, share: Share
    ) -> None:
        self.vector, self.tags = vector, tags
        bonuses = [Bonus(HasIdCondition(has_id=[tag]), own) for tag, own in tags.items()]
        self.levels = Levels(bonuses, most, lambda having, number: share(having, number) <= reach)
        self.best = Top(TOP)
        self.lists = [Top(reach) for _ in self.levels.all]
        self.amounts = sorted({round(own, 9) for own in tags.values()})

    def add(self, rows: Rows, dots: np.ndarray) -> None:
        """Go through some pictures."""
        ids, counts = rows.columns["ids"], {}
        for amount in self.amounts:
            wanted = [tag for tag, own in self.tags.items() if round(own, 9) == amount]
            carried = rows.tags[np.isin(rows.tags[:, 1], wanted), 0]
            counts[amount] = np.bincount(carried, minlength=len(rows))
        fused = dots + sum(amount * own for amount, own in counts.items())
        self.best.add(fused, ids, fused)
        for level, kept in zip(self.levels.all, self.lists, strict=True):
            among = np.ones(len(rows), bool)
            for amount, number in level.counts:
                among &= counts[amount] >= number
            kept.add(dots[among], ids[among], fused[among])

    def recall(self) -> float:
        """Return the share of the exact best that the lists' best hold."""
        ids = np.concatenate([own.ids for own in self.lists])
        scores = np.concatenate([own.fused for own in self.lists])
        _, first = np.unique(ids, return_index=True)
        found = ids[first][np.argsort(-scores[first], kind="stable")[: TOP + MARGIN]]
        return float(np.isin(self.best.ids, found).mean())


class Command(BaseCommand):
    help = "Simulate how much of the exact best hundred is proposed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--pictures", type=int, default=10_000_000)
        parser.add_argument("--dim", type=int, default=384)
        parser.add_argument("--questions", type=int, default=10, help="of each kind")
        parser.add_argument("--lists", type=int, nargs="+", default=[MOST_LISTS])
        parser.add_argument("--reach", type=int, default=REACH, help="candidates of each list")

    def handle(
        self,
        *args: Any,
        pictures: int,
        dim: int,
        questions: int,
        lists: list[int],
        reach: int,
        **options: Any,
    ) -> None:
        rng = np.random.default_rng(5)
        askings: dict[str, list[Asking]] = {}
        first = next(synthetic.chunks(synthetic.CHUNK, dim))

        def share(having: list[HasIdCondition], number: int) -> float:
            wanted = [own.has_id[0] for own in having]
            carried = first.tags[np.isin(first.tags[:, 1], wanted), 0]
            has_so_many = np.bincount(carried, minlength=len(first)) >= number
            return float(has_so_many.mean()) * pictures

        for _ in range(questions):
            row = int(rng.integers(len(first)))
            vector = first.vectors[row] + 0.05 * rng.standard_normal(dim)
            vector /= np.linalg.norm(vector)
            own = first.tags[first.tags[:, 0] == row, 1].tolist()
            common = (1 + rng.choice(COMMON, 8, replace=False)).tolist()
            words = {tag: 0.2 * 0.7**i for i, tag in enumerate(common)}
            alike = dict.fromkeys(own, 0.5 / len(own))
            kinds = {
                "text and eight words": (vector, words),
                "picture and its tags": (vector / 2, alike),
                "picture, its tags and two words": (vector / 2, dict([*words.items()][:2]) | alike),
            }
            for most in lists:
                for kind, asked in kinds.items():
                    own_askings = askings.setdefault(f"{kind}, {most} lists", [])
                    own_askings.append(Asking(*asked, most, reach, share))
        every = [asking for own in askings.values() for asking in own]
        vectors = np.stack([asking.vector for asking in every]).astype(np.float32)
        seen, told = 0, 10_000
        for rows in synthetic.chunks(pictures, dim):
            dots = (rows.vectors @ vectors.T).astype(np.float64)
            for i, asking in enumerate(every):
                asking.add(rows, dots[:, i])
            seen += len(rows)
            if seen >= 10 * told or seen == pictures:
                told = seen
                for kind, own in askings.items():
                    found = [asking.recall() for asking in own]
                    said = {"pictures": seen, "kind": kind, "recall": round(float(np.mean(found)), 4)}
                    self.stdout.write(json.dumps(said | {"worst": round(min(found), 4)}))
                self.stdout.flush()


if __name__ == "__main__":
    setup.run(Command)
