"""Setting -> the extractor of this process, loaded once, on first use."""

import threading
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from gallery.extraction.base import Description, Extractor
from gallery.extraction.full import Full
from gallery.extraction.lite import Lite, LiteOne
from gallery.extraction.zero_shot import ZeroShot

EXTRACTORS: dict[str, type[Extractor]] = {Lite.name: Lite, ZeroShot.name: ZeroShot, Full.name: Full}

# What served before, by key: its rows are searched until today's extractor has processed the library.
EARLIER: dict[str, type[Extractor]] = {"lite/1": LiteOne}

_lock = threading.Lock()
_loaded: dict[str, Extractor] = {}


def target() -> Description:
    """Return the extractor that EXTRACTOR asks for.

    `auto` is the one that an administrator chose, else full, with all its weights; else lite.
    """
    name = settings.EXTRACTOR
    if name == "auto":
        name = next((own for own in (chosen(), Full.name) if own and describe(own)), Lite.name)
    if name not in EXTRACTORS:
        raise ImproperlyConfigured(f"EXTRACTOR must be one of: auto, {', '.join(EXTRACTORS)}.")
    description = describe(name)
    if description is None:
        lacking = ", ".join(EXTRACTORS[name].missing(settings.MODELS_DIR))
        raise ImproperlyConfigured(
            f"EXTRACTOR is {name}, but {settings.MODELS_DIR} lacks {lacking}: see `manage.py weights status`."
        )
    return description


def choose(name: str) -> None:
    """Have `auto` stand for this extractor as soon as its weights are complete."""
    settings.MODELS_DIR.mkdir(parents=True, exist_ok=True)
    _choice().write_text(name)


def chosen() -> str:
    """Return the extractor that was chosen for `auto`; '' for none."""
    try:
        return _choice().read_text().strip()
    except OSError:
        return ""


def _choice() -> Path:
    return Path(settings.MODELS_DIR) / "chosen-extractor"


def describe(name: str) -> Description | None:
    """Return what the named extractor is with the weights that are there; None where it cannot be loaded."""
    if name not in EXTRACTORS:
        return None
    ZeroShot.repo = settings.CLIP_MODEL
    extractor = EXTRACTORS[name]
    return None if extractor.missing(settings.MODELS_DIR) else extractor.describe(settings.MODELS_DIR)


def describe_key(key: str) -> Description | None:
    """Describe the extractor that made rows of this key; None where it cannot be loaded any more."""
    if key in EARLIER:
        return EARLIER[key].describe(settings.MODELS_DIR)
    description = describe(key.partition("/")[0])
    return description if description and description.key == key else None


def synonyms(description: Description) -> dict[str, str]:
    """Other words for the extractor's tags, and the tag that each stands for."""
    return EXTRACTORS[description.name].synonyms()


class StillLoadingError(Exception):
    """Another thread is loading the extractor, and the caller cannot wait for it."""


def load(description: Description, patience: float = -1) -> Extractor:
    """Return this process's extractor, loaded on the first call; the first caller's wait is everyone's.

    Raises StillLoadingError after `patience` seconds of waiting for another caller, where it is not negative.
    """
    if description.key in _loaded:
        return _loaded[description.key]
    if not _lock.acquire(timeout=patience):
        raise StillLoadingError
    try:
        if description.key not in _loaded:
            made = EARLIER.get(description.key) or EXTRACTORS[description.name]
            _loaded[description.key] = made(settings.MODELS_DIR)
        return _loaded[description.key]
    finally:
        _lock.release()
