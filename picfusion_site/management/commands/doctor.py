"""Say what is wrong with this installation, and what to do about it."""

from typing import Any

from django.core import checks as django_checks
from django.core.management.base import BaseCommand, CommandError

from picfusion_site import overview

ESSENTIAL = {"database", "migrations", "worker", "queue", "disk", "weights"}


class Command(BaseCommand):
    help = "Check this installation: what is wrong, and what to do about it. Ends with 1 if it does not work."

    def handle(self, *args: Any, **options: Any) -> None:
        found = overview.checks()
        for check in found:
            self.stdout.write(f"{'good ' if check.is_good else 'WRONG'}  {check.name}: {check.detail}")
            if check.remedy:
                self.stdout.write(f"       {check.remedy}")
        for message in django_checks.run_checks():
            self.stdout.write(f"WRONG  settings: {message.msg}\n       {message.hint or ''}".rstrip())
        if any(not check.is_good and check.name in ESSENTIAL for check in found):
            raise CommandError("The site does not work as it should, see above.")
