"""Setting -> the extractor of this process, loaded once, on first use."""

import contextlib
import json
import threading
import time
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
_under_way: list[tuple[str, float]] = []  # what is being loaded, and since when


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
    ZeroShot.repo, Full.may_use_8_bits = settings.CLIP_MODEL, settings.RAM_IN_8_BITS
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
    """Another thread is loading the extractor, and the caller cannot wait for it.

    `percent` says how far it is, by how long it took the last time; None where that is not known.
    """

    def __init__(self, percent: int | None = None) -> None:
        super().__init__()
        self.percent = percent


def load(description: Description, patience: float = -1) -> Extractor:
    """Return this process's extractor, loaded on the first call; the first caller's wait is everyone's.

    Raises StillLoadingError after `patience` seconds of waiting for another caller, where it is not negative.
    """
    if description.key in _loaded:
        return _loaded[description.key]
    if not _lock.acquire(timeout=patience):
        raise StillLoadingError(_progress())
    try:
        if description.key not in _loaded:
            made = EARLIER.get(description.key) or EXTRACTORS[description.name]
            began = time.monotonic()
            _under_way[:] = [(description.key, began)]
            _loaded[description.key] = made(settings.MODELS_DIR)
            _remember(description.key, time.monotonic() - began)
        return _loaded[description.key]
    finally:
        _under_way.clear()
        _lock.release()


def _progress() -> int | None:
    """Tell in per cent how far the loading is that another thread is at."""
    for key, began in _under_way[:1]:
        if usual := _durations().get(key):
            return min(99, round(100 * (time.monotonic() - began) / usual))
    return None


def _durations() -> dict[str, float]:
    """Return the seconds that loading took the last time, by key."""
    try:
        return {str(key): float(own) for key, own in json.loads(_durations_file().read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _remember(key: str, seconds: float) -> None:
    with contextlib.suppress(OSError):  # a folder that cannot be written to: it is an estimate
        _durations_file().write_text(json.dumps(_durations() | {key: round(seconds, 1)}))


def _durations_file() -> Path:
    return Path(settings.VAR_DIR) / "loading-took.json"
