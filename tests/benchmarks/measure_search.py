"""How good the fusions are, on labelled photos."""

from tests.benchmarks import setup

# isort: split
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from json import dumps
from pathlib import Path

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from gallery.access import Scope
from gallery.extraction import registry
from gallery.extraction.base import Extractor
from gallery.extraction.pipeline import Reading, Source, extract_files
from gallery.imaging.colors import BLACK_AND_WHITE, NAMES
from search import good_matches
from search.evidence import Evidence, Meaning, gather
from search.index import fusion
from search.index.columns import COLUMNS, Rows, Written
from search.index.index import Index
from search.index.ranking import Asked
from search.query import color_words

LEAST_RELEVANT = 3  # photos that a group must have to be asked for


@dataclass(frozen=True)
class Library:
    """Labelled photos as an extractor reads them, n of them in g groups, and the index that is asked.

    The photos' file names are not in it: they would tell the answers.
    """

    index: Index
    vectors: np.ndarray  # float32 (n, dim)
    tags: list[set[str]]
    tag_ids: dict[str, int]
    groups: dict[str, np.ndarray]  # name -> bool (n,)
    files: list[str]
    extractor: Extractor
    embedded: dict[str, np.ndarray]  # texts that were asked

    def embed(self, text: str) -> np.ndarray:
        """float64 (dim,)."""
        if text not in self.embedded:
            [self.embedded[text]] = self.extractor.embed_texts([text])
        return self.embedded[text].astype(np.float64)

    @cached_property
    def everyone(self) -> Scope:
        """Someone who sees all photos."""
        return Scope(1, frozenset(), frozenset(), {})

    def evidence(self, text: str) -> Evidence:
        """What the engine finds for a text, but for names that people gave."""
        colors, rest = color_words.split(text, frozenset(self.tag_ids))
        near = self.extractor.near(rest) if rest else []
        tags = {self.tag_ids[name]: name for name in near or () if name in self.tag_ids}
        meaning = Meaning(tags, colors, near is not None, bool(rest))
        return gather(self.index, np.ones(self.index.size, bool), self.everyone, [meaning], [])


@dataclass(frozen=True)
class Question:
    """A query whose right answers are known. `example` is a photo that is asked with, and not an answer."""

    relevant: np.ndarray
    image: np.ndarray | None = None
    text: str = ""
    tags: frozenset[str] = frozenset()
    example: int | None = None


class Command(BaseCommand):
    help = "How good fusions and cut-off are, on a folder of photos with a labels.csv (file,label,groups)."

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path)
        parser.add_argument("--queries", type=Path, help="A CSV file: query, kind, files.")
        parser.add_argument("--extractor", default="lite", choices=list(registry.EXTRACTORS))
        parser.add_argument("--json", action="store_true", help="One object instead of tables.")

    def handle(self, *args, folder: Path, queries: Path | None, extractor: str, json: bool, **options):
        if not (folder / "labels.csv").is_file():
            raise CommandError(f"folder: {folder} has no labels.csv.")
        description = registry.describe(extractor)
        if description is None:
            raise CommandError(f"--extractor: the weights of {extractor} are not there.")
        library = read_library(folder, registry.load(description))
        report = {"extractor": description.key, "photos": len(library.tags), "queries": measure(library)}
        if queries:
            report["everyday"] = everyday(library, queries)
        if json:
            self.stdout.write(dumps(report))
        else:
            _print(report, Console(file=self.stdout._out, width=120))


def measure(library: Library) -> dict[str, dict[str, list[float]]]:
    """[mAP, nDCG@10] of each kind of question by each fusion."""
    return {
        kind: {
            name: [
                round(float(mean), 3)
                for mean in np.mean([judge(library, question, name) for question in ask(library)], axis=0)
            ]
            for name in fusion.FUSIONS
        }
        for kind, ask in KINDS.items()
    }


def everyday(library: Library, queries: Path) -> dict[str, float | dict[str, float]]:
    """How everyday words are answered: ranking, verdict, and verdict without the right photos."""
    rows = list(csv.DictReader(queries.open(encoding="utf-8")))
    ranked = {name: ([], []) for name in fusion.FUSIONS}
    said = {kind: [] for kind in ("present", "taken away", "absent", "unknown")}
    first_ten = np.zeros(len(library.files), int)
    for row in rows:
        wanted = set(row["files"].split())
        relevant = np.array([file in wanted for file in library.files])
        good = library.evidence(row["query"]).good()
        good = np.zeros(len(relevant), bool) if good is None else good
        unknown = library.extractor.unknown_words(row["query"])
        for name, (precise, first) in ranked.items():
            order = ranking_of(library, Question(relevant, text=row["query"]), name)
            if row["kind"] == "present":
                precise.append(average_precision(relevant[order]))
                first.append(relevant[order][:10].sum() / min(10, relevant.sum()))
            if name == fusion.MEASURED_BEST:
                first_ten[order[:10]] += 1
        if row["kind"] == "present":
            said["taken away"].append(good_matches.verdict(int((good & ~relevant).sum()), unknown))
        said[row["kind"]].append(good_matches.verdict(int(good.sum()), unknown))

    def share(kind: str, *verdicts: str) -> float:
        return round(float(np.mean([verdict in verdicts for verdict in said[kind]])), 3)

    return {
        "text mAP": {name: round(float(np.mean(own)), 3) for name, (own, _) in ranked.items()},
        "right among the first ten": {
            name: round(float(np.mean(own)), 3) for name, (_, own) in ranked.items()
        },
        "present called good": share("present", "good"),
        "absent not called good": share("absent", "weak", "unknown"),
        "present, then taken away, not called good": share("taken away", "weak", "unknown"),
        "unknown said": share("unknown", "unknown"),
        "queries that show the same photo among their first ten, at most": round(
            float(first_ten.max() / len(rows)), 3
        ),
    }


def average_precision(hits: np.ndarray) -> float:
    """Of a ranking, bool (n,) best first: the mean of the precision at each right answer."""
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def _print(report: dict, console: Console) -> None:
    table = Table(title=f"{report['extractor']}, {report['photos']} photos: mAP / nDCG@10")
    table.add_column("query")
    for name in fusion.FUSIONS:
        table.add_column(name, justify="right")
    for kind, fusions in report["queries"].items():
        table.add_row(kind, *(f"{precision:.3f} / {gain:.3f}" for precision, gain in fusions.values()))
    console.print(table)
    for what, number in report.get("everyday", {}).items():
        several = number.items() if isinstance(number, dict) else [("", number)]
        console.print(f"{what}: {', '.join(f'{name} {own}'.strip() for name, own in several)}")


def read_library(folder: Path, extractor: Extractor) -> Library:
    """Extract every photo of the folder."""
    rows = list(csv.DictReader((folder / "labels.csv").open(encoding="utf-8")))
    readings = extract_files(extractor, [Source(folder / row["file"]) for row in rows])
    groups = {}
    for name in sorted({name for row in rows for name in row["groups"].split("|") if name}):
        relevant = np.array([name in row["groups"].split("|") for row in rows])
        if relevant.sum() >= LEAST_RELEVANT:
            groups[name] = relevant
    return Library(
        *_index([reading for reading in readings if isinstance(reading, Reading)]),
        groups,
        [row["file"] for row in rows],
        extractor,
        {},
    )


def _index(readings: list[Reading]) -> tuple[Index, np.ndarray, list[set[str]], dict[str, int]]:
    """Index the photos: numbered from 1, all of person 1."""
    vectors = np.stack([reading.extraction.embedding for reading in readings])
    tags = [set(reading.extraction.tags) for reading in readings]
    tag_ids = {name: number for number, name in enumerate(sorted(set().union(*tags)), 1)}
    columns = {name: np.zeros(len(tags), dtype) for name, dtype in COLUMNS.items()}
    columns["ids"] += np.arange(1, len(tags) + 1)
    columns["owners"] += 1
    pairs = [(row, tag_ids[name]) for row, own in enumerate(tags) for name in sorted(own)]
    vocabulary = [f"color:{name}" for name in (*NAMES, BLACK_AND_WHITE)]
    colors = [
        (row, vocabulary.index(f"color:{name}"))
        for row, reading in enumerate(readings)
        for name in reading.colors.split()
    ]
    words = Written(vocabulary, np.array(colors, np.int64).reshape(-1, 2))
    index = Index(vectors.shape[1])
    index.append(Rows(columns, vectors, np.array(pairs, np.int64), np.zeros((0, 2), np.int64), words))
    return index, vectors, tags, tag_ids


def judge(library: Library, question: Question, name: str) -> tuple[float, float]:
    """(average precision, nDCG@10) of the ranking that this fusion gives."""
    hits = question.relevant[ranking_of(library, question, name)]
    discount = 1 / np.log2(np.arange(2, 12))
    gain = (hits[:10] * discount).sum() / discount[: min(10, hits.sum())].sum()
    return average_precision(hits), gain


def ranking_of(library: Library, question: Question, name: str) -> np.ndarray:
    """Rows as the engine lists them, best first, by this fusion."""
    vectors = {"image": question.image, "text": library.embed(question.text) if question.text else None}
    given = {part: vector.astype(np.float64) for part, vector in vectors.items() if vector is not None}
    tags = {library.tag_ids[tag]: 1.0 for tag in question.tags}
    has_words = bool(question.text) and name == fusion.MEASURED_BEST
    gains = library.evidence(question.text).gains(by_tags=True) if has_words else ()
    asked = Asked(given, tags, gains=gains, has_words=has_words)
    candidates = np.ones(library.index.size, bool)
    if question.example is not None:
        candidates[question.example] = False
    share = fusion.shares(asked.components, fusion.EQUAL_WEIGHTS)
    return fusion.FUSIONS[name].rank(library.index, asked, share, candidates, len(candidates)).rows


def by_words(library: Library) -> Iterator[Question]:
    for group, relevant in library.groups.items():
        yield Question(relevant, text=f"a {group}")


def each_example(library: Library, ask: Callable[[str, int], dict]) -> Iterator[Question]:
    """A question for every photo of every group; `ask` gives its parts from the group and the photo."""
    for group, relevant in library.groups.items():
        for row in np.flatnonzero(relevant):
            yield Question(relevant, example=int(row), **ask(group, int(row)))


def another_groups(library: Library, group: str) -> str:
    """The next group by name: what a misleading part is taken from."""
    names = list(library.groups)
    return names[(names.index(group) + 1) % len(names)]


KINDS: dict[str, Callable[[Library], Iterator[Question]]] = {
    "words": by_words,
    "picture": lambda lib: each_example(lib, lambda group, row: {"image": lib.vectors[row]}),
    "picture with its tags": lambda lib: each_example(
        lib, lambda group, row: {"image": lib.vectors[row], "tags": frozenset(lib.tags[row])}
    ),
    "words + tags": lambda lib: each_example(
        lib, lambda group, row: {"text": f"a {group}", "tags": frozenset(lib.tags[row])}
    ),
    "picture + words": lambda lib: each_example(
        lib, lambda group, row: {"image": lib.vectors[row], "text": f"a {group}"}
    ),
    "picture + words + tags": lambda lib: each_example(
        lib,
        lambda group, row: {
            "image": lib.vectors[row],
            "text": f"a {group}",
            "tags": frozenset(lib.tags[row]),
        },
    ),
    "picture + tags, misleading words": lambda lib: each_example(
        lib,
        lambda group, row: {
            "image": lib.vectors[row],
            "text": f"a {another_groups(lib, group)}",
            "tags": frozenset(lib.tags[row]),
        },
    ),
    "words + picture, misleading tags": lambda lib: each_example(
        lib,
        lambda group, row: {
            "image": lib.vectors[row],
            "text": f"a {group}",
            "tags": frozenset(lib.tags[int(np.flatnonzero(lib.groups[another_groups(lib, group)])[0])]),
        },
    ),
}


if __name__ == "__main__":
    setup.run(Command)
