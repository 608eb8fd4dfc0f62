"""The index written anew from the database."""

from django.core.management.base import BaseCommand

from gallery import serving
from search import store


class Command(BaseCommand):
    help = "Write the search index anew from the database. Searches go on meanwhile; nobody needs to wait for it."

    def handle(self, *args, **options):
        extractor = serving.current()
        store.rebuild(extractor)
        with store.store.open() as index:
            self.stdout.write(f"{len(index)} pictures of {extractor.key} are in the index.")
