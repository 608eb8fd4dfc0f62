"""Import a folder of pictures."""

import signal
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gallery import ingest
from gallery.models import Album, AlbumImage, Image
from gallery.refusal import RefusedError


class Command(BaseCommand):
    help = (
        "Import every picture of a folder. What is there already is skipped, so an import that was stopped "
        "(Ctrl-C loses nothing) is resumed by the same command."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--owner", required=True, help="user name of the person whose pictures they become"
        )
        parser.add_argument(
            "--album", help="title of an album of the owner to put them in; made if it is not there"
        )
        parser.add_argument("--recursive", action="store_true", help="folders inside the folder too")
        parser.add_argument(
            "--batch-size", type=int, default=16, help="pictures committed together (default: 16)"
        )

    def handle(
        self, *args, folder: Path, owner: str, album: str | None, recursive: bool, batch_size: int, **options
    ) -> None:
        if not folder.is_dir():
            raise CommandError(f"folder: {folder} is not a folder.")
        if batch_size < 1:
            raise CommandError("--batch-size: must be at least 1.")
        person = get_user_model().objects.filter(username=owner).first()
        if person is None:
            raise CommandError(f"--owner: there is no person named {owner!r}.")
        if album is not None and not (album.strip() and len(album) <= 200):
            raise CommandError("--album: a title has 1 to 200 characters.")
        target = Album.objects.get_or_create(owner=person, title=album.strip())[0] if album else None
        counts = import_files(
            list(find_files(folder, recursive)), person, target, batch_size, self.stdout._out
        )
        stopped = " Stopped; run the same command again for the rest." if counts["stopped"] else ""
        self.stdout.write(
            f"{counts['added']} added, {counts['there']} already there, {counts['refused']} refused.{stopped}"
        )


def find_files(folder: Path, recursive: bool) -> Iterator[Path]:
    """Yield the folder's files in order of name, without hidden ones."""
    for path in sorted(folder.rglob("*") if recursive else folder.iterdir()):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            yield path


def import_files(paths: list[Path], owner: User, album: Album | None, batch_size: int, out: Any) -> Counter:
    """Import the files, a batch a transaction; Ctrl-C ends after the file at hand and commits its batch.

    Counts under 'added', 'there', 'refused', and 'stopped' if Ctrl-C ended it. Refusals are printed to `out`.
    """
    console = Console(file=out, soft_wrap=True)
    counts: Counter[str] = Counter()
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    interrupt = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda *_: counts.update(stopped=1))
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            remaining = iter(progress.track(paths))
            while not counts["stopped"] and (batch := list(islice(remaining, batch_size))):
                with transaction.atomic():
                    for path in batch:
                        if counts["stopped"]:
                            break
                        _import_file(path, owner, album, counts, console)
    finally:
        signal.signal(signal.SIGINT, interrupt)
    return counts


def _import_file(path: Path, owner: User, album: Album | None, counts: Counter, console: Console) -> None:
    try:
        with path.open("rb") as file:
            added = ingest.add(owner, File(file, name=path.name))
    except (RefusedError, OSError) as error:
        counts["refused"] += 1
        console.print(f"{path}: {error}", markup=False, highlight=False)
        return
    counts["added" if added.created else "there"] += 1
    _put_in_album(added.image, album)


def _put_in_album(image: Image, album: Album | None) -> None:
    if album:
        AlbumImage.objects.get_or_create(album=album, image=image)
