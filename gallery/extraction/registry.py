"""Setting -> the extractor of this process, loaded once, on first use."""

import threading

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from gallery.extraction.base import Extractor
from gallery.extraction.lite import Lite

EXTRACTORS: dict[str, type[Extractor]] = {Lite.name: Lite}

_lock = threading.Lock()
_loaded: dict[str, Extractor] = {}


def active() -> type[Extractor]:
    """The class that the EXTRACTOR setting names; loads nothing."""
    try:
        return EXTRACTORS[settings.EXTRACTOR]
    except KeyError:
        raise ImproperlyConfigured(f"EXTRACTOR must be one of: {', '.join(EXTRACTORS)}.") from None


def load() -> Extractor:
    """The active extractor, loaded on the first call; the first caller's wait is everyone's."""
    extractor = active()
    with _lock:
        if extractor.name not in _loaded:
            _loaded[extractor.name] = extractor(settings.MODELS_DIR)
        return _loaded[extractor.name]
