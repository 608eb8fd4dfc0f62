"""Put a backup in place."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from gallery import backup


class Command(BaseCommand):
    help = "Restore a backup into this site's folder, which has no database, and bring it to this version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, help="the folder that `backup` wrote")
        parser.add_argument("--at", default="", help="which one, as in 20261125-1400; the newest if left out")

    def handle(self, *args: Any, source: Path, at: str, **options: Any) -> None:
        connections.close_all()
        try:
            report = backup.restore(source, at)
        except (backup.BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        call_command("migrate", verbosity=0)
        self.stdout.write(
            f"{report.database}: {report.copied} originals restored, {report.there} already there."
        )
        if not report.has_key:
            self.stdout.write("The backup has no secret key: set the SECRET_KEY that the site had.")
        for name in report.wrong:
            self.stdout.write(f"WRONG: {name} is missing in the backup or damaged.")
        if report.wrong:
            raise CommandError("Originals are lacking, see above.")
