"""The engines that search can ask, and which of them this site has."""

from functools import cache

from django.conf import settings

from search.engines.base import Engine


def engine() -> Engine:
    """Return the engine of the setting SEARCH_URL."""
    return _engine_at(settings.SEARCH_URL)


def has_index() -> bool:
    """Whether this process holds an index of everything, and browsing need not ask the database."""
    return not settings.SEARCH_URL


@cache
def _engine_at(address: str) -> Engine:
    if not address:
        from search.engines.embedded import EmbeddedEngine

        return EmbeddedEngine()
    from search.engines.qdrant import QdrantEngine

    return QdrantEngine.at(address)
