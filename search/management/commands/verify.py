"""Find what rotted or was lost."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from gallery import extractor_switch, verification
from gallery.models import Embedding, Image
from search.engines import engine
from search.errors import EngineAwayError, NotReadyError


class Command(BaseCommand):
    help = (
        "Hash every original, and compare files, rows, embeddings and index. Goes on where it ended; exits "
        "with 1 when something is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="mend what can be; no picture is deleted")
        parser.add_argument("--rate", type=int, default=200, help="megabytes a second at most")
        parser.add_argument("--from-start", action="store_true", help="look at every original again")

    def handle(self, *args: Any, fix: bool, rate: int, from_start: bool, **options: Any) -> None:
        if rate < 1:
            raise CommandError("--rate must be at least 1.")
        outcome = verification.latest()
        if outcome is None or outcome.finished or from_start:
            outcome = verification.Outcome(started=timezone.now().isoformat())
        else:
            self.stdout.write(f"Going on after {outcome.originals} originals.")
            outcome.orphans, outcome.fixed = [], []
        verification.check_originals(outcome, rate=rate * 1_000_000)
        verification.check_files(outcome, fix)
        verification.check_thumbnails(outcome, fix)
        verification.check_embeddings(outcome, fix)
        self.check_index(outcome, fix)
        outcome.finished = timezone.now().isoformat()
        verification.save(outcome)
        self.report(outcome)
        if not outcome.is_good:
            raise CommandError("Something is wrong, see above.")

    def check_index(self, outcome: verification.Outcome, fix: bool) -> None:
        """Compare the pictures in the index with those that should be."""
        extractor = extractor_switch.current()
        ready = Embedding.objects.filter(
            extractor=extractor.key, image__status=Image.Status.READY, image__trashed_at=None
        )
        try:
            found = engine().ids(extractor)
        except NotReadyError as error:
            self.stdout.write(f"INDEX: not looked at, {error.percent} % of the pictures are in it so far.")
            return
        except EngineAwayError as error:
            self.stdout.write(f"INDEX: not looked at, the search engine is away: {error}")
            return
        outcome.stale = len(set(ready.values_list("image_id", flat=True)) ^ found)
        if fix and outcome.stale:
            try:
                engine().rebuild(extractor)
            except EngineAwayError as error:
                self.stdout.write(f"INDEX: not rebuilt: {error}")
                return
            engine().forget()
            outcome.fixed.append(f"the index was rebuilt: {outcome.stale} pictures differed")
            outcome.stale = 0

    def report(self, outcome: verification.Outcome) -> None:
        """Print everything that was found."""
        self.stdout.write(f"{outcome.originals} originals hashed.")
        for pk in outcome.missing:
            self.stdout.write(f"MISSING: the file of picture {pk}. Restore it from a backup.")
        for pk in outcome.damaged:
            self.stdout.write(f"DAMAGED: the file of picture {pk} is not what was uploaded. Restore it.")
        for name in outcome.orphans:
            self.stdout.write(f"NO ROW: {name}. --fix puts it into lost-and-found.")
        if outcome.strays:
            self.stdout.write(f"THUMBNAILS: {outcome.strays} belong to no picture. --fix deletes them.")
        if outcome.unread:
            self.stdout.write(
                f"UNREAD: {outcome.unread} pictures have no embedding. --fix has them read again."
            )
        if outcome.stale:
            self.stdout.write(f"INDEX: {outcome.stale} pictures differ. --fix rebuilds it.")
        for text in outcome.fixed:
            self.stdout.write(f"FIXED: {text}.")
        if outcome.is_good:
            self.stdout.write(self.style.SUCCESS("All is well."))
