"""How good the fusions are, on labelled photos."""

from tests.benchmarks import setup

# isort: split
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json import dumps
from pathlib import Path

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from gallery.extraction import registry
from gallery.extraction.base import Extractor
from gallery.extraction.pipeline import extract_files
from search import good_matches
from search.index import fusion, ranking

LEAST_RELEVANT = 3  # photos that a group must have to be asked for


@dataclass(frozen=True)
class Library:
    """Labelled photos as an extractor reads them: n photos, g groups."""

    vectors: np.ndarray  # float32 (n, dim)
    tags: list[set[str]]
    groups: dict[str, np.ndarray]  # name -> bool (n,)
    words: dict[str, np.ndarray]  # name -> the embedding of "a NAME"
    files: list[str]
    extractor: Extractor


@dataclass(frozen=True)
class Question:
    """A query whose right answers are known. `example` is a photo that is asked with, and not an answer."""

    relevant: np.ndarray
    image: np.ndarray | None = None
    text: np.ndarray | None = None
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


def everyday(library: Library, queries: Path) -> dict[str, float]:
    """How everyday words are answered: ranking, verdict, and verdict without the right photos."""
    rows = list(csv.DictReader(queries.open(encoding="utf-8")))
    precise, first = [], []
    said = {kind: [] for kind in ("present", "taken away", "absent", "unknown")}
    for row in rows:
        wanted = set(row["files"].split())
        relevant = np.array([file in wanted for file in library.files])
        near = np.array(
            [bool(tags & set(library.extractor.near(row["query"]) or ())) for tags in library.tags]
        )
        unknown = library.extractor.unknown_words(row["query"])
        if row["kind"] == "present":
            [vector] = library.extractor.embed_texts([row["query"]])
            order = np.argsort(-(library.vectors @ vector), kind="stable")
            precise.append(average_precision(relevant[order]))
            first.append(relevant[order][:10].sum() / min(10, relevant.sum()))
            said["taken away"].append(good_matches.verdict(int((near & ~relevant).sum()), unknown))
        said[row["kind"]].append(good_matches.verdict(int(near.sum()), unknown))

    def share(kind: str, *verdicts: str) -> float:
        return round(float(np.mean([verdict in verdicts for verdict in said[kind]])), 3)

    return {
        "text mAP": round(float(np.mean(precise)), 3),
        "right among the first ten": round(float(np.mean(first)), 3),
        "present called good": share("present", "good"),
        "absent not called good": share("absent", "weak", "unknown"),
        "present, then taken away, not called good": share("taken away", "weak", "unknown"),
        "unknown said": share("unknown", "unknown"),
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
        console.print(f"{what}: {number}")


def read_library(folder: Path, extractor: Extractor) -> Library:
    """Extract every photo of the folder."""
    rows = list(csv.DictReader((folder / "labels.csv").open(encoding="utf-8")))
    extractions = [
        reading.extraction for reading in extract_files(extractor, [folder / row["file"] for row in rows])
    ]
    groups = {}
    for name in sorted({name for row in rows for name in row["groups"].split("|") if name}):
        relevant = np.array([name in row["groups"].split("|") for row in rows])
        if relevant.sum() >= LEAST_RELEVANT:
            groups[name] = relevant
    words = dict(zip(groups, extractor.embed_texts([f"a {name}" for name in groups]), strict=True))
    vectors, tags = np.stack([e.embedding for e in extractions]), [set(e.tags) for e in extractions]
    return Library(vectors, tags, groups, words, [row["file"] for row in rows], extractor)


def judge(library: Library, question: Question, name: str) -> tuple[float, float]:
    """(average precision, nDCG@10) of the ranking that this fusion gives."""
    components = {}
    if question.image is not None:
        components["image"] = library.vectors @ question.image
    if question.text is not None:
        components["text"] = library.vectors @ question.text
    if question.tags:
        matches = [len(question.tags & tags) / len(question.tags) for tags in library.tags]
        components["tags"] = np.array(matches, np.float32)
    candidates = np.ones(len(library.tags), bool)
    if question.example is not None:
        candidates[question.example] = False
    share = fusion.shares(components, fusion.EQUAL_WEIGHTS)
    scores = ranking.total(fusion.FUSIONS[name].parts(components, share, candidates), len(candidates))
    newest_first = np.lexsort((-np.arange(len(scores)), -scores))
    hits = question.relevant[newest_first[candidates[newest_first]]]
    precision = average_precision(hits)
    discount = 1 / np.log2(np.arange(2, 12))
    return precision, (hits[:10] * discount).sum() / discount[: min(10, hits.sum())].sum()


def by_words(library: Library) -> Iterator[Question]:
    for group, relevant in library.groups.items():
        yield Question(relevant, text=library.words[group])


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
        lib, lambda group, row: {"text": lib.words[group], "tags": frozenset(lib.tags[row])}
    ),
    "picture + words": lambda lib: each_example(
        lib, lambda group, row: {"image": lib.vectors[row], "text": lib.words[group]}
    ),
    "picture + words + tags": lambda lib: each_example(
        lib,
        lambda group, row: {
            "image": lib.vectors[row],
            "text": lib.words[group],
            "tags": frozenset(lib.tags[row]),
        },
    ),
    "picture + tags, misleading words": lambda lib: each_example(
        lib,
        lambda group, row: {
            "image": lib.vectors[row],
            "text": lib.words[another_groups(lib, group)],
            "tags": frozenset(lib.tags[row]),
        },
    ),
    "words + picture, misleading tags": lambda lib: each_example(
        lib,
        lambda group, row: {
            "image": lib.vectors[row],
            "text": lib.words[group],
            "tags": frozenset(lib.tags[int(np.flatnonzero(lib.groups[another_groups(lib, group)])[0])]),
        },
    ),
}


if __name__ == "__main__":
    setup.run(Command)
