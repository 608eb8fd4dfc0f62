"""Setting -> the extractor of this process, loaded once, on first use."""

import threading

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from gallery.extraction import weights
from gallery.extraction.base import Description, Extractor
from gallery.extraction.full import Full
from gallery.extraction.lite import Lite, LiteOne

EXTRACTORS: dict[str, type[Extractor]] = {Lite.name: Lite, Full.name: Full}

# What served before, by key: its rows are searched until today's extractor has processed the library.
EARLIER: dict[str, type[Extractor]] = {"lite/1": LiteOne}

_lock = threading.Lock()
_loaded: dict[str, Extractor] = {}


def target() -> Description:
    """Return the extractor that EXTRACTOR asks for; `auto`: full with all its weights, else lite."""
    name = settings.EXTRACTOR
    if name == "auto":
        name = Full.name if weights.are_complete(settings.MODELS_DIR) else Lite.name
    if name not in EXTRACTORS:
        raise ImproperlyConfigured(f"EXTRACTOR must be one of: auto, {', '.join(EXTRACTORS)}.")
    description = describe(name)
    if description is None:
        lacking = ", ".join(
            name for model in weights.MODELS for name in weights.missing(settings.MODELS_DIR, model)
        )
        raise ImproperlyConfigured(
            f"EXTRACTOR is full, but {settings.MODELS_DIR} lacks {lacking}: see `manage.py weights status`."
        )
    return description


def describe(name: str) -> Description | None:
    """Return what the named extractor is with the weights that are there; None where it cannot be loaded."""
    if name not in EXTRACTORS or (name == Full.name and not weights.are_complete(settings.MODELS_DIR)):
        return None
    return EXTRACTORS[name].describe(settings.MODELS_DIR)


def describe_key(key: str) -> Description | None:
    """Describe the extractor that made rows of this key; None where it cannot be loaded any more."""
    if key in EARLIER:
        return EARLIER[key].describe(settings.MODELS_DIR)
    description = describe(key.partition("/")[0])
    return description if description and description.key == key else None


def synonyms(description: Description) -> dict[str, str]:
    """Other words for the extractor's tags, and the tag that each stands for."""
    return EXTRACTORS[description.name].synonyms()


def load(description: Description) -> Extractor:
    """Return this process's extractor, loaded on the first call; the first caller's wait is everyone's."""
    with _lock:
        if description.key not in _loaded:
            made = EARLIER.get(description.key) or EXTRACTORS[description.name]
            _loaded[description.key] = made(settings.MODELS_DIR)
        return _loaded[description.key]
