"""The worker: it processes pictures and does what is scheduled."""

from argparse import SUPPRESS
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gallery import supervisor
from gallery.database_version import refuse_wrong_database


class Command(BaseCommand):
    help = "Run the worker. SIGTERM or Ctrl-C ends it within ten seconds; what it was at is done again later."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--cluster", action="store_true", help=SUPPRESS)  # the inner process

    def handle(self, *args: Any, cluster: bool, **options: Any) -> None:
        if cluster:
            supervisor.tie_to_supervisor()
            call_command("qcluster")
            return
        refuse_wrong_database()
        try:
            supervisor.Supervisor().run()
        except supervisor.AlreadyRunningError as error:
            raise CommandError(str(error)) from error
