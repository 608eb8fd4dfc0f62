"""Extract pictures in the foreground."""

from collections.abc import Callable
from typing import IO, Any, cast

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gallery import extractor_switch, rereading, tasks
from gallery.models import Image


class Command(BaseCommand):
    help = "Read the pictures that are waiting, here and now, as the worker would; Ctrl-C loses nothing."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--batch-size", type=int, default=16, help="pictures read at a time (default: 16)"
        )
        parser.add_argument(
            "--all",
            action="store_true",
            help="also finish a switch of extractors: read the whole library by the new one",
        )

    def handle(self, *args, batch_size: int, all: bool, **options) -> None:
        console = Console(file=cast(IO[str], self.stdout._out))
        waiting = tasks.claimable().count()
        done = self.run(tasks.extract_batch, batch_size, waiting, console)
        ready = Image.objects.filter(status=Image.Status.READY).count()
        failed = Image.objects.filter(status=Image.Status.FAILED).count()
        console.print(f"{waiting} waited, {done} read; in all {ready} searchable, {failed} failed.")
        behind = rereading.unmeasured().count()
        if behind and not waiting:
            read = self.run(rereading.measure_batch, batch_size, behind, console)
            console.print(f"{read} read again for what their files say.")
        before = extractor_switch.progress()
        if before.is_switching and all:
            self.run(tasks.reextract_batch, batch_size, before.total - before.done, console)
        after = extractor_switch.progress()
        state = f"; {after.target} has read {after.done} of {after.total}" if after.is_switching else ""
        console.print(f"{after.serving} is searched{state}.")

    @staticmethod
    def run(step: Callable[[int], int], batch_size: int, total: int, console: Console) -> int:
        """Take steps until one finds nothing to do; the number of pictures they read."""
        columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        read = 0
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=total)
            while count := step(batch_size):
                read += count
                progress.update(task, completed=read)
        return read
