"""Rebuild the search index."""

from django.core.management.base import BaseCommand, CommandError

from gallery import extractor_switch
from search.engines import engine
from search.errors import EngineAwayError, NotReadyError


class Command(BaseCommand):
    help = "Rebuild the search index from the database. Searches go on meanwhile."

    def handle(self, *args, **options) -> None:
        extractor = extractor_switch.current()
        try:
            count = engine().rebuild(extractor)
        except (EngineAwayError, NotReadyError) as error:
            raise CommandError(f"The index could not be rebuilt: {error}") from error
        self.stdout.write(f"{count} pictures of {extractor.key} are in the index.")
