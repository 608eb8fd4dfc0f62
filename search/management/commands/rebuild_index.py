"""Rebuild the search index."""

from django.core.management.base import BaseCommand

from gallery import extractor_switch
from search.engines import engine


class Command(BaseCommand):
    help = "Rebuild the search index from the database. Searches go on meanwhile."

    def handle(self, *args, **options) -> None:
        extractor = extractor_switch.current()
        count = engine().rebuild(extractor)
        self.stdout.write(f"{count} pictures of {extractor.key} are in the index.")
