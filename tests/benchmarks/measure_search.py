"""How good the fusions are, on labelled photos."""

from tests.benchmarks import setup

# isort: split
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from gallery.extraction.lite import Lite
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
    labels: list[str]  # what each photo shows
    label_words: np.ndarray  # float32 (n, dim): the embedding of "a LABEL"
    expected: Callable[[np.ndarray], float]  # the extractor's


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

    def handle(self, *args, folder: Path, **options):
        if not (folder / "labels.csv").is_file():
            raise CommandError(f"folder: {folder} has no labels.csv.")
        library = read_library(folder)
        table = Table(title=f"lite, {len(library.tags)} photos, {len(library.groups)} groups: mAP / nDCG@10")
        table.add_column("query")
        for name in fusion.FUSIONS:
            table.add_column(name, justify="right")
        for kind, ask in KINDS.items():
            cells = []
            for name in fusion.FUSIONS:
                scores = [judge(library, question, name) for question in ask(library)]
                precision, gain = np.mean(scores, axis=0)
                cells.append(f"{precision:.3f} / {gain:.3f}")
            table.add_row(kind, *cells)
        console = Console(file=self.stdout._out, width=120)
        console.print(table)
        console.print(cutoff_table(library))


def cutoff_table(library: Library) -> Table:
    """The trade-off of refusing words that nothing in the library shows and words that something does.

    Every group and every label is asked for with its photos there and with all of them left out; of a label
    usually one photo is there. Beside the cut-off stands a plain cut on the mean of the three best scores.
    """
    everything = np.ones(len(library.tags), bool)
    groups = [(library.words[name], relevant) for name, relevant in library.groups.items()]
    labels = np.array(library.labels)
    singles = [
        (word, labels == label) for word, label in zip(library.label_words, library.labels, strict=True)
    ]
    title = "RefusedError by a cut-off that refuses so many of those that are there: of those that are not"
    table = Table(title=title)
    for column in (
        "refused though there",
        *(f"{kind}: {way}" for kind in ("groups", "labels") for way in CUTS),
    ):
        table.add_column(column, justify="right")
    measured = []
    for asked in (groups, singles):
        for cut in CUTS.values():
            there = np.sort([cut(library, word, everything) for word, _ in asked])
            missing = np.array([cut(library, word, ~relevant) for word, relevant in asked])
            measured.append((there, missing))
    for share in (0.0, 0.05, 0.1, 0.15, 0.2, 0.3):
        cells = []
        for there, missing in measured:
            threshold = there[int(share * len(there))]
            cells.append(f"{(missing < threshold).mean():.2f} (at {threshold:.2f})")
        table.add_row(f"{share:.0%}", *cells)
    ours, limit = [measured[1], measured[3]], good_matches.LEAST_STRENGTH
    fixed = " / ".join(f"{(there < limit).mean():.2f}, {(gone < limit).mean():.2f}" for there, gone in ours)
    table.caption = (
        f"At {good_matches.LEAST_STRENGTH:.2f}, refused though there, and not there: groups / labels {fixed}"
    )
    return table


def _mean_of_three(library: Library, word: np.ndarray, present: np.ndarray) -> float:
    return float(np.sort((library.vectors @ word)[present])[-3:].mean())


def _strength(library: Library, word: np.ndarray, present: np.ndarray) -> float:
    return float((library.vectors @ word)[present].max() / library.expected(word))


CUTS = {"plain": _mean_of_three, "ours": _strength}


def read_library(folder: Path) -> Library:
    """Extract every photo of the folder with `lite`."""
    rows = list(csv.DictReader((folder / "labels.csv").open(encoding="utf-8")))
    lite = Lite(settings.MODELS_DIR)
    extractions = [
        reading.extraction for reading in extract_files(lite, [folder / row["file"] for row in rows])
    ]
    groups = {}
    for name in sorted({name for row in rows for name in row["groups"].split("|") if name}):
        relevant = np.array([name in row["groups"].split("|") for row in rows])
        if relevant.sum() >= LEAST_RELEVANT:
            groups[name] = relevant
    words = dict(zip(groups, lite.embed_texts([f"a {name}" for name in groups]), strict=True))
    labels = [row["label"] for row in rows]
    label_words = lite.embed_texts([f"a {label}" for label in labels])
    vectors, tags = np.stack([e.embedding for e in extractions]), [set(e.tags) for e in extractions]
    return Library(vectors, tags, groups, words, labels, label_words, lite.expected)


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
    precision = (np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()
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
