"""Qdrant in the tests' own process: the client's local mode, which answers the calls that a server gets."""

from qdrant_client import QdrantClient

from search.engines.feeding import Feeder
from search.engines.qdrant import QdrantEngine


class PromptEngine(QdrantEngine):
    """Qdrant that is told of everything before each question: a test has no second to wait."""

    def __init__(self) -> None:
        super().__init__(QdrantClient(":memory:"), "test")
        self._feeder = Feeder(self)

    def catch_up(self, extractor) -> None:
        """Feed it until nothing is left."""
        while self._feeder.step(extractor):
            pass

    def ready_points(self, extractor):
        self.catch_up(extractor)
        return super().ready_points(extractor)
