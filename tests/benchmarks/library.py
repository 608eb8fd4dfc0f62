"""The engine beside the original's scoring and beside the memory's speed, on synthetic rows.

Knows nothing of Django.

Ways are compared in one process, one after the other on the same queries; what matters is their ratio.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.index import fusion, kernels, ranking, snapshot
from search.index.index import Index
from tests.benchmarks import reference, synthetic

TOP = 100
KINDS = ("text", "picture", "tags", "all", "masked")
OWNER = 1  # whose 5% of the pictures 'masked' searches
EQUAL = fusion.EQUAL_WEIGHTS


@dataclass(frozen=True)
class Library:
    """The same pictures as both ways hold them."""

    index: Index
    codes: np.ndarray  # int8 (n, dim), the snapshot's own
    vectors: np.ndarray  # float32 (n, dim), in memory
    tag_sets: list[set[int]]
    owners: np.ndarray


@dataclass(frozen=True)
class Question:
    """What is asked. A picture brings its tags along, as in the original."""

    vectors: dict[str, np.ndarray]
    tags: set[int]
    masked: bool


def build(folder: Path, images: int, dim: int) -> Library:
    """Write a snapshot of synthetic pictures and hold them as the original does, too."""
    snapshot.write(folder, dim, 0, synthetic.chunks(images, dim))
    found = snapshot.load(folder, dim)
    tag_sets: list[set[int]] = [set() for _ in range(images)]
    for key in found.tags.keys().tolist():
        for row in found.tags.rows(key).tolist():
            tag_sets[row].add(key)
    return Library(
        Index(dim, found), found["codes"], np.array(found["vectors"]), tag_sets, np.array(found["owners"])
    )


def question(library: Library, kind: str, rng: np.random.Generator) -> Question:
    """A picture of the library, a text that is somewhat like it, and a frequent, a middling and a rare
    tag."""
    row = int(rng.integers(0, len(library.tag_sets)))
    picture = library.vectors[row].astype(np.float64)
    text = picture + rng.standard_normal(len(picture)) / np.sqrt(len(picture)) * 2
    text /= np.linalg.norm(text)
    typed = {int(rng.integers(*limits)) for limits in ((1, 10), (10, 100), (100, 1000))}
    vectors = {
        "text": {"text": text},
        "picture": {"image": picture},
        "tags": {},
    }.get(kind, {"image": picture, "text": text})
    tags = {"text": set(), "picture": library.tag_sets[row], "tags": typed}.get(kind, typed)
    return Question(vectors, tags, kind == "masked")


def by_original(library: Library, asked: Question) -> np.ndarray:
    """The ids of the best by the original program's loop over sets.

    A mask is applied first, as plainly as can be.
    """
    tag_sets, vectors, ids = library.tag_sets, library.vectors, np.arange(1, len(library.tag_sets) + 1)
    if asked.masked:
        ids = np.flatnonzero(library.owners == OWNER) + 1
        tag_sets, vectors = [tag_sets[i - 1] for i in ids.tolist()], vectors[ids - 1]
    vector = np.mean([*asked.vectors.values()], axis=0).astype(np.float32) if asked.vectors else None
    return ids[reference.rank(asked.tags, vector, tag_sets, vectors)[0][:TOP]]


def by_engine(library: Library, asked: Question) -> np.ndarray:
    """The ids of the best by this engine, the mask of what may be seen rebuilt."""
    index = library.index
    visible = index.visible(OWNER, ()) if asked.masked else index.between("owners", 1, synthetic.OWNERS)
    question = ranking.Asked(asked.vectors, dict.fromkeys(asked.tags, 1.0))
    share = fusion.shares(question.components, EQUAL)
    return index.take("ids", fusion.FUSIONS["mean"].rank(index, question, share, visible, TOP).rows)


def by_float64(library: Library, asked: Question) -> np.ndarray:
    """The ids of the best by brute force in float64, ties by the highest id."""
    question = ranking.Asked(asked.vectors, dict.fromkeys(asked.tags, 1.0))
    share = fusion.shares(question.components, EQUAL)
    scores = np.zeros(len(library.tag_sets))
    for part, vector in asked.vectors.items():
        for start in range(0, len(scores), 65536):
            piece = library.vectors[start : start + 65536].astype(np.float64)
            scores[start : start + 65536] += share[part] * (piece * vector).sum(axis=1)
    if asked.tags:
        overlap = np.array([len(asked.tags & own) for own in library.tag_sets])
        scores += share["tags"] * (overlap / len(asked.tags))
    rows = np.flatnonzero(library.owners == OWNER) if asked.masked else np.arange(len(scores))
    return rows[np.lexsort((-rows, -scores[rows]))][:TOP] + 1


def timed(way: Callable, *arguments) -> tuple[float, np.ndarray]:
    """(milliseconds, answer)."""
    began = time.perf_counter()
    answer = way(*arguments)
    return (time.perf_counter() - began) * 1000, answer


def percentiles(taken: list[float]) -> dict[str, float]:
    """The median and the 95th percentile."""
    return {
        "p50": round(float(np.percentile(taken, 50)), 3),
        "p95": round(float(np.percentile(taken, 95)), 3),
    }


def read_once(library: Library) -> None:
    """Read the codes from end to end, every core a part of them, as a search does, and do next to nothing
    with them."""
    words = library.codes.reshape(-1)[: library.codes.size // 8 * 8].view(np.int64)
    piece = kernels.PIECE * library.index.dim // 8  # what a thread takes at a time
    list(kernels.threads().map(lambda at: words[at : at + piece].sum(), range(0, len(words), piece)))


def compare(library: Library, kind: str, rounds: int) -> tuple[dict, list[float], bool]:
    """Both ways on the same queries, `rounds` of them: what the report says of this kind, milliseconds of
    reading the codes once, in between, and whether the engine's answers were those of float64."""
    rng = np.random.default_rng(11)
    asked = [question(library, kind, rng) for _ in range(rounds)]
    exact = all(by_engine(library, one).tolist() == by_float64(library, one).tolist() for one in asked[:3])
    original = [timed(by_original, library, one)[0] for one in asked]
    engine, read = [], []
    for one in asked * 3:
        read.append(timed(read_once, library)[0])
        engine.append(timed(by_engine, library, one)[0])
    report = {"original_ms": percentiles(original), "engine_ms": percentiles(engine)}
    p50 = report["engine_ms"]["p50"]
    report["ratio"] = round(report["original_ms"]["p50"] / p50, 2)
    report["bandwidth_ratio"] = round(p50 / float(np.median(read)), 2)
    return report, read, exact


def processes(folder: Path, dim: int, count: int, root: Path) -> tuple[float, list[dict]]:
    """Seconds from opening the snapshot to the first answer in a new process, the median of `count` of them,
    and what memory each holds while all of them do."""
    command = [
        sys.executable,
        "-c",
        f"from tests.benchmarks.library import probe; probe({str(folder)!r}, {dim})",
    ]
    children = []
    for _ in range(count):
        child = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        children.append((child, float(child.stdout.readline())))
    memory = []
    for child, _ in children:
        child.stdin.write("\n")
        child.stdin.flush()
        memory.append(json.loads(child.stdout.readline()))
    for child, _ in children:
        child.communicate()
    return float(np.median([seconds for _, seconds in children])), memory


def probe(folder: str, dim: int) -> None:
    """The other side of `processes`: open, answer a query, and say what memory is held when told to."""
    began = time.perf_counter()
    index = Index(dim, snapshot.load(Path(folder), dim))
    visible = index.between("owners", 1, synthetic.OWNERS)
    asked = ranking.Asked(
        {"image": np.ones(dim) / np.sqrt(dim), "text": np.ones(dim) / np.sqrt(dim)}, {1: 1.0, 40: 1.0}
    )
    fusion.FUSIONS["mean"].rank(index, asked, fusion.shares(asked.components, EQUAL), visible, TOP)
    print(time.perf_counter() - began, flush=True)
    sys.stdin.readline()
    rollup = [line.split() for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]]
    held = {name.rstrip(":"): int(kilobytes) * 1024 for name, kilobytes, *_ in rollup}
    print(json.dumps({"rss": held["Rss"], "pss": held["Pss"]}), flush=True)
    sys.stdin.read()  # until the others have said theirs
