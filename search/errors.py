"""Why a search cannot be answered now."""


class NotReadyError(Exception):
    """There is nothing to search yet: it is being made, and `percent` of the pictures are in it."""

    def __init__(self, percent: int) -> None:
        super().__init__(f"the index is made: {percent} %")
        self.percent = percent


class EngineAwayError(Exception):
    """The service that searches does not answer, or refuses."""
