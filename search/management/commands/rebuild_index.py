"""Rebuild the search index."""

from django.core.management.base import BaseCommand

from gallery import extractor_switch
from search.live_index import live_index, rebuild


class Command(BaseCommand):
    help = "Rebuild the search index from the database. Searches go on meanwhile."

    def handle(self, *args, **options) -> None:
        extractor = extractor_switch.current()
        rebuild(extractor)
        with live_index.open() as index:
            self.stdout.write(f"{len(index)} pictures of {extractor.key} are in the index.")
