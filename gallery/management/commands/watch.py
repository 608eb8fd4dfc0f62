"""Watch folders: pictures that come into them are imported within seconds."""

import signal
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gallery import supervisor
from gallery.database_version import refuse_wrong_database
from gallery.folders.importing import Importer
from gallery.folders.walk import printable
from gallery.folders.watching import Watcher


class Command(BaseCommand):
    help = (
        "Import what is in a folder and what comes into it, until Ctrl-C. What goes from it deletes nothing. "
        "Without a folder, those of the setting WATCH_FOLDERS, which the worker watches by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, nargs="?")
        parser.add_argument("--owner", help="user name of the person whose pictures they become")
        parser.add_argument("--album-per-folder", action="store_true", help="an album named like each folder")

    def handle(
        self, *args: Any, folder: Path | None, owner: str | None, album_per_folder: bool, **options: Any
    ) -> None:
        supervisor.end_with_supervisor()
        refuse_wrong_database()
        if (folder is None) != (owner is None):
            raise CommandError("Give both a folder and --owner, or neither.")
        wanted = [(folder, owner)] if folder and owner else settings.WATCH_FOLDERS
        if not wanted:
            raise CommandError("Give a folder and --owner, or set WATCH_FOLDERS.")
        watchers = []
        for own in wanted:
            try:
                watchers.append(self._watcher(*own, album_per_folder or folder is None))
            except CommandError as error:
                if folder is not None:
                    raise
                self.stderr.write(f"WATCH_FOLDERS: {error}")  # the others are watched all the same
        if not watchers:
            raise CommandError("There is no folder to watch.")

        def stop(*_: object) -> None:
            for own in watchers:
                own.stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        threads = [threading.Thread(target=own.run, name=f"watch {own.folder}") for own in watchers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _watcher(self, folder: Path, owner: str, album_per_folder: bool) -> Watcher:
        own, data = folder.resolve(), Path(settings.VAR_DIR).resolve()
        if data in (own, *own.parents):
            raise CommandError(f"{printable(folder)} is Picfusion's own data.")
        person = get_user_model().objects.filter(username=owner).first()
        if person is None:
            raise CommandError(f"There is no person named {owner!r}.")

        def say(path: Path, why: str) -> None:
            self.stderr.write(f"{printable(path)}: {why}")

        return Watcher(own, Importer(person, album_per_folder=album_per_folder, say=say))
