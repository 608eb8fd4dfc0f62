"""Empty the trash now, instead of after thirty days."""

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from gallery import trash
from gallery.management.commands.people import person
from gallery.models import GuestPicture, Image


def _days(text: str) -> int:
    """Read a number of days; a negative one would empty everything at once."""
    if not text.isdecimal() or int(text) > 36_500:
        raise ArgumentTypeError("must be a whole number of days, from 0 to 36500")
    return int(text)


class Command(BaseCommand):
    help = "Delete for good what is in the trash."

    def add_arguments(self, parser: CommandParser) -> None:
        empty = parser.add_subparsers(dest="action", required=True).add_parser("empty")
        empty.add_argument("--owner", default="", help="whose; everybody's if left out")
        empty.add_argument(
            "--older-than", type=_days, default=0, metavar="DAYS", help="only what lies longer"
        )

    def handle(self, *args: Any, owner: str, older_than: int, **options: Any) -> None:
        images = Image.objects.filter(trashed_at__lte=timezone.now() - timedelta(days=older_than))
        images = images.exclude(pk__in=GuestPicture.objects.values("image"))
        if owner:
            images = images.filter(owner=person(owner))
        self.stdout.write(f"{trash.delete_for_good(images)} pictures permanently deleted.")
