"""Ten million synthetic pictures in one index: time and memory to write, open, search and merge it.

The original's way does not fit into memory at that size: it is measured on one million, ten times in turn.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from search.index import snapshot
from search.index.index import Index
from tests.benchmarks import library as libraries
from tests.benchmarks import synthetic

MILLION = 1_000_000
CHANGES = 100_000


def apart(step: Callable[..., dict], *arguments: object) -> dict:
    """Do a step in a process of its own; what it says, its seconds, and the most memory of its own, in MB."""
    parent, child = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_told, args=(child, step, *arguments))
    process.start()
    answer: dict = parent.recv()
    process.join()
    return answer


def _told(pipe, step: Callable[..., dict], *arguments: object) -> None:
    most, over = [0.0], threading.Event()

    def watch() -> None:
        # What it maps of files is the system's cache: not counted.
        while not over.wait(0.5):
            held = psutil.Process().memory_full_info()
            most[0] = max(most[0], (held.rss - held.shared) / 1e6)

    threading.Thread(target=watch).start()
    began = time.perf_counter()
    try:
        said = step(*arguments)
    finally:
        over.set()
    pipe.send(said | {"seconds": round(time.perf_counter() - began, 1), "own_MB": round(most[0])})


def write(folder: str, images: int, dim: int) -> dict:
    """Write the snapshot, as a rebuild does."""
    snapshot.write(Path(folder), dim, 0, synthetic.chunks(images, dim))
    return {"GB": round(sum(own.stat().st_size for own in Path(folder).rglob("*")) / 1e9, 1)}


def merge(folder: str, images: int, dim: int) -> dict:
    """Take changed pictures in and write the next snapshot, as the worker does in the background."""
    index = Index(dim, snapshot.load(Path(folder), dim))
    for rows in synthetic.chunks(CHANGES, dim, seed=8):
        rows.columns["ids"] += images
        index.append(rows)
    index.remove(range(1, CHANGES))
    snapshot.write(Path(folder), dim, 1, index.chunks())
    return {"pictures": len(index)}


def search(folder: str, images: int, dim: int, rounds: int) -> dict:
    """Open it and search, beside reading all codes once."""
    began = time.perf_counter()
    found = snapshot.load(Path(folder), dim)
    index = Index(dim, found)
    opened = time.perf_counter() - began
    rng = np.random.default_rng(3)
    sample = [set(rng.integers(1, synthetic.VOCABULARY, 12).tolist()) for _ in range(MILLION)]
    library = libraries.Library(index, found["codes"], found["vectors"], sample, found["owners"])
    queries = {}
    for kind in libraries.KINDS:
        asked = [libraries.question(library, kind, rng) for _ in range(rounds + 1)]
        engine, read = [], []
        for one in asked:
            read.append(libraries.timed(libraries.read_once, library)[0])
            engine.append(libraries.timed(libraries.by_engine, library, one)[0])
        passes = np.median(engine[1:]) / np.median(read[1:])
        queries[kind] = {"ms": round(float(np.median(engine[1:])), 1), "passes": round(float(passes), 2)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {"opened_s": round(opened, 2), "queries": queries, "peak_MB": round(peak)}


def plain(folder: str, dim: int, rounds: int) -> dict:
    """Milliseconds of the original's way among a million, and whether the engine says the same there."""
    library = libraries.build(Path(folder), MILLION, dim)
    told = {}
    for kind in libraries.KINDS:
        report, _read, exact = libraries.compare(library, kind, rounds)
        told[kind] = {"original_ms": report["original_ms"]["p50"], "ratio": report["ratio"], "exact": exact}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10 * MILLION)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="picfusion-benchmark-") as folder:
        million, large = f"{folder}/million", f"{folder}/large"
        print(
            "original, a million:", json.dumps(apart(plain, million, options.dim, options.rounds)), flush=True
        )
        print("written:", json.dumps(apart(write, large, options.images, options.dim)), flush=True)
        for _ in range(2):  # the first one reads from disk
            told = apart(search, large, options.images, options.dim, options.rounds)
            print("searched:", json.dumps(told), flush=True)
        print("merged:", json.dumps(apart(merge, large, options.images, options.dim)), flush=True)


if __name__ == "__main__":
    main()
