"""Set Django up for a benchmark that is run by itself. Imported first, for its effect."""

import os
import sys

import django
from django.core.management.base import BaseCommand

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picfusion_site.settings")
django.setup()


def run(command: type[BaseCommand]) -> None:
    """Run the command with this process's arguments."""
    command().run_from_argv(["python -m", *sys.argv])
