"""Qdrant in the tests' own process: the client's local mode, which answers the calls that a server gets."""

from itertools import count

from qdrant_client import QdrantClient

from search.engines.feeding import Feeder
from search.engines.qdrant import QdrantEngine

_NUMBERS = count()  # a rolled-back database is another one, so each test has points of its own


class PromptEngine(QdrantEngine):
    """Qdrant that is told of everything before each question: a test has no second to wait."""

    def __init__(self, client: QdrantClient | None = None) -> None:
        super().__init__(client or QdrantClient(":memory:"), f"test-{next(_NUMBERS)}")
        self._feeder = Feeder(self)

    def catch_up(self, extractor) -> None:
        """Feed it until nothing is left."""
        while self._feeder.step(extractor):
            pass

    def ready_points(self, extractor):
        self.catch_up(extractor)
        return super().ready_points(extractor)
