"""Search time beside the original program's scoring and the memory's speed."""

from tests.benchmarks import setup

# isort: split
import tempfile
import time
from json import dumps
from pathlib import Path

import numpy as np
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import connection
from django.test.utils import override_settings
from rich.console import Console
from rich.table import Table

from gallery.extraction.base import Description
from gallery.models import Embedding, Image, ImageTag, Tag
from search.live_index import LiveIndex
from tests.benchmarks import library as libraries

PROCESSES = 4
CHANGES = 3000


class Command(BaseCommand):
    help = "Search synthetic pictures by the engine and by the original's scoring, side by side."

    def add_arguments(self, parser):
        parser.add_argument("--images", type=int, default=100_000)
        parser.add_argument("--dim", type=int, default=512)
        parser.add_argument("--rounds", type=int, default=7, help="Queries of each kind.")
        parser.add_argument("--json", action="store_true", help="One object instead of a table.")

    def handle(self, *args, images: int, dim: int, rounds: int, json: bool, **options):
        with tempfile.TemporaryDirectory(prefix="picfusion-benchmark-") as folder:
            report = measure(Path(folder), images, dim, rounds)
        if json:
            self.stdout.write(dumps(report))
        else:
            _print(report, Console(file=self.stdout._out, width=120))


def measure(folder: Path, images: int, dim: int, rounds: int) -> dict:
    """Everything that is measured, as --json prints it."""
    extractor = Description("synthetic/1", dim)
    own = folder / "synthetic-1"  # where a LiveIndex looks for it
    library = libraries.build(own, images, dim)
    queries, reads, exact = {}, [], True
    for kind in libraries.KINDS:
        queries[kind], read, same = libraries.compare(library, kind, rounds)
        reads += read
        exact &= same
    open_s, memory = libraries.processes(own, dim, PROCESSES, settings.BASE_DIR)
    with override_settings(INDEX_DIR=folder):
        refresh = _refresh(extractor)
    return {
        "images": images,
        "dim": dim,
        "exact": exact,
        "bytes_per_image": round(library.index.bytes_in_memory / images, 1),
        "open_s": round(open_s, 3),
        **refresh,
        "bandwidth_gb_s": round(library.codes.nbytes / float(np.median(reads)) / 1e6, 2),
        "queries": queries,
        "processes": memory,
    }


def _refresh(extractor: Description, rounds: int = 50) -> dict[str, float]:
    """What it takes a process to see that nothing changed, the median, and to take in CHANGES changed
    pictures, on a database of their own."""
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        live_index = LiveIndex(lambda: extractor)
        taken = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            with live_index.open():
                taken.append((time.perf_counter() - began) * 1000)
        _add_pictures(extractor)
        began = time.perf_counter()
        with live_index.open() as index:
            changes_ms = (time.perf_counter() - began) * 1000
            assert index.appended == CHANGES
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    return {
        "refresh_ms": round(float(np.median(taken[1:])), 3),
        f"refresh_{CHANGES}_ms": round(changes_ms, 1),
    }


def _add_pictures(extractor: Description) -> None:
    """CHANGES pictures with twelve tags each, whose numbers the snapshot has: they count as changed."""
    owner = get_user_model().objects.create(username="owner")
    facts = {"owner": owner, "format": "JPEG", "size_bytes": 1, "width": 1, "height": 1, "status": "ready"}
    images = Image.objects.bulk_create(
        [Image(sha256=f"{i:064}", filename="x", **facts) for i in range(CHANGES)]
    )
    tags = Tag.objects.bulk_create([Tag(name=f"tag {i}") for i in range(100)])
    vector = np.full(extractor.dim, extractor.dim**-0.5, "<f4").tobytes()
    key = {"extractor": extractor.key}
    Embedding.objects.bulk_create(
        [Embedding(image=i, dim=extractor.dim, vector=vector, **key) for i in images]
    )
    ImageTag.objects.bulk_create(
        [
            ImageTag(image=image, tag=tags[(image.pk * 7 + i) % 100], source="extractor", **key)
            for image in images
            for i in range(12)
        ]
    )


def _print(report: dict, console: Console) -> None:
    table = Table(
        title=f"{report['images']:,} pictures, {report['dim']} dimensions, best {libraries.TOP}, milliseconds"
    )
    columns = (
        "query",
        "original p50",
        "p95",
        "engine p50",
        "p95",
        "times faster",
        "of one pass over the codes",
    )
    for column in columns:
        table.add_column(column, justify="right")
    for kind, taken in report["queries"].items():
        ways = [f"{taken[way][p]:.2f}" for way in ("original_ms", "engine_ms") for p in ("p50", "p95")]
        table.add_row(kind, *ways, f"{taken['ratio']:.1f}", f"{taken['bandwidth_ratio']:.2f}")
    console.print(table)
    console.print(
        f"Same ranking as float64 brute force: {'yes' if report['exact'] else 'NO'}. "
        f"{report['bytes_per_image']:.0f} bytes a picture in memory. First answer of a new process after "
        f"{report['open_s']:.2f} s. Refresh unchanged: {report['refresh_ms']:.2f} ms, after {CHANGES}: "
        f"{report[f'refresh_{CHANGES}_ms']:.0f} ms. "
        f"Memory is read at {report['bandwidth_gb_s']:.1f} GB/s."
    )
    each = ", ".join(f"{held['pss'] / 1e6:.0f} of {held['rss'] / 1e6:.0f}" for held in report["processes"])
    console.print(
        f"{PROCESSES} processes, MB of memory of their own share (PSS) of what they see (RSS): {each}"
    )


if __name__ == "__main__":
    setup.run(Command)
