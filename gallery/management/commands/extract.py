"""Extract pending pictures in the foreground."""

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import track

from gallery import tasks
from gallery.models import Image


class Command(BaseCommand):
    help = "Read the pictures that are waiting, here and now, as the worker would; Ctrl-C loses nothing."

    def add_arguments(self, parser):
        parser.add_argument("--batch-size", type=int, default=16, help="pictures read at a time (default: 16)")

    def handle(self, *args, batch_size: int, **options):
        console = Console(file=self.stdout._out)
        before = tasks.claimable().count()

        def batches():
            while done := tasks.extract_batch(batch_size):
                yield done

        progress = track(batches(), "Reading", total=None, console=console, transient=True)
        done = sum(progress)
        ready = Image.objects.filter(status=Image.Status.READY).count()
        failed = Image.objects.filter(status=Image.Status.FAILED).count()
        console.print(f"{before} waited, {done} read; in all {ready} searchable, {failed} failed.")
