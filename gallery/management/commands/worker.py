"""The worker, in a form that can be stopped as a group."""

import signal
import subprocess
import sys

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Run the worker. SIGTERM or Ctrl-C ends it after the batch at hand."

    def handle(self, *args, **options) -> None:
        # django-q stops cleanly when its first process alone is told to; process managers tell the whole
        # group. So it gets a group of its own, and this process passes the word on.
        cluster = subprocess.Popen([sys.executable, sys.argv[0], "qcluster"], start_new_session=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: cluster.terminate())
        sys.exit(cluster.wait())
