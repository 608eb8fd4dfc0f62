"""The weights of `clip` and `full`: what is there, fetch them, where they belong."""

from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from gallery import model_downloads
from gallery.extraction import registry, weights


class Command(BaseCommand):
    help = (
        "Show, fetch, delete or locate the weights of CLIP and RAM, which the extractors clip and full need."
    )

    def add_arguments(self, parser: Any) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("status", help="what is there, where, how big, verified or not")
        download = commands.add_parser("download", help="fetch what is missing (clip: 0.6 GB, ram: 5.6 GB)")
        download.add_argument("models", nargs="+", choices=list(weights.MODELS))
        for name, text in (
            ("use", "fetch what an extractor needs and have EXTRACTOR=auto stand for it"),
            ("delete", "remove an extractor's weights"),
        ):
            own = commands.add_parser(name, help=text)
            own.add_argument("extractor", choices=list(model_downloads.SIZES))
        commands.add_parser("path", help="the folder for files that are brought by hand")

    def handle(self, *args, command: str, **options) -> None:
        match command:
            case "status":
                self.show_status()
            case "download":
                self.fetch(options["models"])
            case "use":
                self.use(options["extractor"])
            case "delete":
                self.delete(options["extractor"])
            case "path":
                self.stdout.write(str(settings.MODELS_DIR))

    def show_status(self) -> None:
        table = Table(title=str(settings.MODELS_DIR))
        for column in ("model", "file", "size", "verified"):
            table.add_column(column)
        for file in weights.status(settings.MODELS_DIR):
            size = "not there" if file.size is None else f"{file.size / 1e6:,.1f} MB"
            verdict = "" if file.size is None else "yes" if file.verified else "no"
            table.add_row(file.model, str(file.path.relative_to(settings.MODELS_DIR)), size, verdict)
        console = Console(file=cast(IO[str], self.stdout._out))
        console.print(table)
        console.print(f"EXTRACTOR={settings.EXTRACTOR}: {registry.target().key} is used.")

    def fetch(self, models: list[str]) -> None:
        for model in models:
            try:
                weights.download(settings.MODELS_DIR, model, self.stdout.write)
            except weights.DownloadError as error:
                raise CommandError(str(error)) from error

    def use(self, extractor: str) -> None:
        try:
            model_downloads.run(extractor, self.stdout.write)
        except weights.DownloadError as error:
            raise CommandError(str(error)) from error

    def delete(self, extractor: str) -> None:
        try:
            model_downloads.delete(extractor)
        except model_downloads.ServingError:
            raise CommandError(f"Pictures are searched by {extractor}: use another one first.") from None
