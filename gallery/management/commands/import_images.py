"""Import a folder of pictures."""

import argparse
import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gallery.folders.importing import ADDED, LEFT_OUT, REFUSED, THERE, TRASHED, Importer
from gallery.folders.walk import Walk, printable
from gallery.models import Album

PAUSES = (1, 5)  # seconds, before what the database refused is tried again
SHOWN = 20  # refusals; more go to a file


class Command(BaseCommand):
    help = (
        "Import every picture of a folder, with what files beside it say. What is there is skipped, "
        "so an import that was stopped (Ctrl-C loses nothing) is resumed by the same command."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--owner", required=True, help="user name of the person whose pictures they become"
        )
        parser.add_argument("--album", help="title of an album of the owner to put them in; made if need be")
        parser.add_argument("--album-per-folder", action="store_true", help="an album named like each folder")
        parser.add_argument("--recursive", action="store_true", help="folders inside the folder too")
        parser.add_argument(
            "--exclude", action="append", default=[], metavar="PATTERN", help="as in *.tmp or old/*"
        )
        parser.add_argument("--follow-links", action="store_true", help="symbolic links too")
        parser.add_argument("--takeout", action="store_true", help="an export of Google Photos, unpacked")
        parser.add_argument("--from-immich", action="store_true", help="a library of Immich, with XMP files")
        parser.add_argument(
            "--batch-size", type=int, default=16, help=argparse.SUPPRESS
        )  # of earlier scripts

    def handle(self, *args: Any, folder: Path, owner: str, album: str | None, **options: Any) -> None:
        importer = Importer(
            _checked(folder, owner, album, options),
            album_per_folder=options["album_per_folder"],
            is_takeout=options["takeout"],
        )
        if album:
            importer.album = Album.objects.get_or_create(owner=importer.owner, title=album.strip())[0]
        walk = Walk(
            folder,
            options["recursive"] or options["takeout"] or options["from_immich"],
            options["exclude"],
            options["follow_links"],
            Path(settings.VAR_DIR).resolve(),
        )
        report = Report(self.stdout._out)
        importer.say = report.refused
        stopped = _run(importer, walk, report.console)
        report.finish(importer.counts, walk.passed_over, stopped)


def _checked(folder: Path, owner: str, album: str | None, options: dict[str, Any]) -> Any:
    """Return the person, or say which argument is wrong."""
    if not folder.is_dir():
        raise CommandError(f"folder: {printable(folder)} is not a folder.")
    own = Path(settings.VAR_DIR).resolve()
    if own in (folder.resolve(), *folder.resolve().parents):
        raise CommandError(f"folder: {printable(folder)} is Picfusion's own data.")
    if options["batch_size"] < 1:
        raise CommandError("--batch-size: must be at least 1.")
    person = get_user_model().objects.filter(username=owner).first()
    if person is None:
        raise CommandError(f"--owner: there is no person named {owner!r}.")
    if album is not None and not (album.strip() and len(album) <= 200):
        raise CommandError("--album: a title has 1 to 200 characters.")
    return person


def _run(importer: Importer, walk: Walk, console: Console) -> bool:
    """Import file by file; whether Ctrl-C ended it, after the one at hand."""
    stopped: list[int] = []
    interrupt = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda *_: stopped.append(1))
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            for path in progress.track(list(walk.files())):
                if stopped:
                    break
                _take(importer, path)
    finally:
        signal.signal(signal.SIGINT, interrupt)
    return bool(stopped)


def _take(importer: Importer, path: Path) -> None:
    """Import a file; a database that is locked for longer than it waits by itself is tried again."""
    for pause in (*PAUSES, None):
        try:
            importer.take(path)
            return
        except DatabaseError as error:
            if pause is None:
                message = f"The database is out of reach ({error}). Run the same command again for the rest."
                raise CommandError(message) from error
            time.sleep(pause)


class Report:
    """What is said of an import."""

    def __init__(self, out: Any) -> None:
        with suppress(AttributeError):  # a terminal that knows less than Unicode shows what it can
            out.reconfigure(errors="backslashreplace")
        self.console = Console(file=out, soft_wrap=True)
        self.lines: list[str] = []

    def refused(self, path: Path, why: str) -> None:
        """Note a file that was not taken."""
        self.lines.append(f"{printable(path)}: {why}")
        if len(self.lines) <= SHOWN:
            self.console.print(self.lines[-1], markup=False, highlight=False)

    def finish(self, counts: Counter[str], passed_over: Counter[str], stopped: bool) -> None:
        """Say what became of everything; a long list goes to a file."""
        parts = [f"{counts[name]} {name}" for name in (ADDED, THERE, REFUSED)]
        parts += [f"{counts[name]} {name}" for name in (TRASHED, LEFT_OUT) if counts[name]]
        rest = " Stopped; run the same command again for the rest." if stopped else ""
        self._print(f"{', '.join(parts)}.{rest}")
        if passed_over:
            others = ", ".join(f"{count} {name}" for name, count in passed_over.most_common())
            self._print(f"Passed over: {others}.")
        if len(self.lines) > SHOWN:
            file = Path(settings.VAR_DIR) / f"import-{datetime.now():%Y%m%d-%H%M%S}.txt"
            file.write_text("\n".join([*self.lines, ""]))
            self._print(f"All {len(self.lines)} refusals: {file}")

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)
