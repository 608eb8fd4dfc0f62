"""Back everything up that cannot be made again."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gallery import backup


class Command(BaseCommand):
    help = "Copy database, originals and secret key to a folder, while the site runs; only what is new."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, help="a folder on another disk; made if it is not there")
        parser.add_argument("--verify", action="store_true", help="hash the originals that are there already")

    def handle(self, *args: Any, target: Path, verify: bool, **options: Any) -> None:
        try:
            report = backup.back_up(target, verify)
        except (backup.BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{report.database}: {report.copied} originals copied, {report.there} already there."
        )
        if not report.has_key:
            self.stdout.write("SECRET_KEY is set in the environment and not in the backup: keep it yourself.")
        for name in report.wrong:
            self.stdout.write(f"WRONG: {name} is missing or not what was uploaded: see manage.py verify.")
        if report.wrong:
            raise CommandError("The backup lacks originals, see above.")
