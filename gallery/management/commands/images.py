"""Look after pictures."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gallery import ownership, tasks
from gallery.management.commands.people import person
from gallery.models import Image


class Command(BaseCommand):
    help = "Read failed pictures again, or give somebody's pictures to another person."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        retry = actions.add_parser("retry", help="read pictures again that failed")
        retry.add_argument("--owner", default="")
        reassign = actions.add_parser("reassign", help="change whose pictures they are; their albums stay")
        reassign.add_argument("--from", required=True, dest="giver")
        reassign.add_argument("--to", required=True, dest="receiver")
        reassign.add_argument("numbers", nargs="*", type=int, help="of pictures; all if left out")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        getattr(self, action)(**options)

    def retry(self, owner: str, **options: Any) -> None:
        """Queue failed pictures."""
        images = Image.objects.filter(owner=person(owner)) if owner else Image.objects.all()
        self.stdout.write(f"{tasks.retry(images)} pictures wait to be read again.")

    def reassign(self, giver: str, receiver: str, numbers: list[int], **options: Any) -> None:
        """Give pictures away; those that the other one has already stay where they are."""
        old, new = person(giver), person(receiver)
        images = Image.objects.filter(owner=old)
        if numbers:
            wanted = {number for number in numbers if 0 < number < 2**63}
            images = images.filter(pk__in=wanted)
            missing = sorted(set(numbers) - set(images.values_list("pk", flat=True)))
            if missing:
                raise CommandError(f"{giver} has no picture {missing[0]}. Nothing was changed.")
        given, stay = ownership.reassign(images, new)
        self.stdout.write(f"{given} pictures are {receiver}'s now; {stay} stay, for they have them.")
