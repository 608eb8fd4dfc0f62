"""Telling a search service what changed: one process at a time, from the log of changes, and where it ended.

Whoever holds the feed (a lease in the database, so that another takes over from one that died) tells the
service about each changed picture as it is now. A picture told twice does no harm; so a holder that was too
slow and lost the feed sets the position back to where it began.
"""

import logging
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import close_old_connections
from django.db.models import F, Q
from django.db.models.functions import Least
from django.utils import timezone

from gallery import change_log, extractor_switch
from gallery.extraction import registry
from gallery.extraction.base import Description
from gallery.models import Embedding
from search.errors import EngineAwayError, NotReadyError
from search.models import Feed

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
PAUSE = 0.5  # seconds between two looks at the log
AWAY = 5.0  # seconds until a service that did not answer is tried again


class Fed(ABC):
    """A service that has to be told."""

    @abstractmethod
    def apply(self, extractor: Description, changed: Sequence[int]) -> None:
        """Tell it about these pictures."""

    @abstractmethod
    def fill(self, extractor: Description, after: int) -> int | None:
        """Tell it about the next pictures behind this number; the last one's, None where none is left."""

    @abstractmethod
    def drop_gone(self, extractor: Description) -> None:
        """Make it forget the pictures that cannot be found any more."""


@dataclass
class _Held:
    """What this process remembers of a feed that it holds."""

    reader: change_log.Reader
    saved: int


class Feeder:
    """Feeds a service from this process, as long as no other does."""

    def __init__(self, service: Fed) -> None:
        self._service = service
        self._name = secrets.token_hex(8)
        self._held: dict[str, _Held] = {}

    def keep_up(self, stop: threading.Event) -> None:
        """Feed until the event comes: the extractor that is searched, and the one that takes over from it."""
        pause = 0.0
        while not stop.wait(pause):
            pause = PAUSE
            try:
                wanted = {own.key: own for own in (extractor_switch.current(), registry.target())}
                for own in wanted.values():
                    pause = 0.0 if self.step(own) else pause
            except EngineAwayError as error:
                logger.warning("The search engine is away: %s", error)
                pause = AWAY
            except Exception:
                logger.exception("The search engine could not be told what changed")
                pause = AWAY
            finally:
                close_old_connections()

    def step(self, extractor: Description) -> bool:
        """Tell the service what comes next; whether there may be more. False where another process does."""
        feed = self._hold(extractor.key)
        if feed is None:
            self._held.pop(extractor.key, None)
            return False
        if feed.log != change_log.identity():  # a dump of another server, whose positions mean nothing here
            self._begin(extractor.key)
            return True
        if feed.filled_to is not None:
            return self._fill(extractor, feed.filled_to)
        held = self._held.get(extractor.key)
        if held is None or held.saved != feed.position:
            held = self._held[extractor.key] = _Held(change_log.Reader(feed.position), feed.position)
        try:
            changed = held.reader.news()
        except ValueError:  # another database: restored from a backup, say
            self._begin(extractor.key)
            return True
        if changed:
            self._tell(extractor, changed)
        if held.reader.position != held.saved:
            self._save(extractor.key, held.saved, position=held.reader.position)
            held.saved = held.reader.position
        return False

    def _tell(self, extractor: Description, changed: list[int]) -> None:
        """Tell the service; if that fails, it is told from where was noted last."""
        try:
            self._service.apply(extractor, changed)
        except Exception:
            self._held.pop(extractor.key, None)  # its reader has gone past them
            raise

    def rebuild(self, extractor: Description, patience: float = 120.0) -> None:
        """Tell the service about every picture again. Searches go on meanwhile."""
        until = time.monotonic() + patience
        while self._hold(extractor.key) is None:  # until the process that feeds lets go, which it does not
            Feed.objects.filter(extractor=extractor.key).update(holder=self._name)
            if time.monotonic() > until:
                raise EngineAwayError("another process feeds the engine")
        self._begin(extractor.key)
        while self.step(extractor):
            pass
        Feed.objects.filter(extractor=extractor.key, holder=self._name).update(holder="")

    def _begin(self, extractor: str) -> None:
        self._held.pop(extractor, None)
        Feed.objects.filter(extractor=extractor, holder=self._name).update(**_start())

    def _fill(self, extractor: Description, filled_to: int) -> bool:
        last = self._service.fill(extractor, filled_to)
        if last is not None:
            self._save(extractor.key, filled_to=last)
            return True
        self._service.drop_gone(extractor)  # what went while nobody looked
        self._save(extractor.key, filled_to=None, was_whole=True)
        return True

    def _hold(self, extractor: str) -> Feed | None:
        """Take the feed, or keep it; None where another process has it."""
        now = timezone.now()
        feed = Feed.objects.filter(extractor=extractor).first()
        if feed is None:
            feed, _ = Feed.objects.get_or_create(extractor=extractor, defaults=_start())
        if feed.holder == self._name and feed.held_until > now + LEASE / 2:
            return feed
        free = Q(holder=self._name) | Q(held_until__lt=now) | Q(holder="")
        taken = Feed.objects.filter(free, extractor=extractor).update(
            holder=self._name, held_until=now + LEASE
        )
        return Feed.objects.get(extractor=extractor) if taken else None

    def _save(self, extractor: str, began_at: int | None = None, **values: int | bool | None) -> None:
        """Note how far it is. Who lost the feed meanwhile has it told again what this process told late."""
        own = Feed.objects.filter(extractor=extractor, holder=self._name)
        if own.update(**values, held_until=timezone.now() + LEASE) or began_at is None:
            return
        Feed.objects.filter(extractor=extractor).update(position=Least(F("position"), began_at))
        self._held.pop(extractor, None)


def _start() -> dict[str, Any]:
    """Return what a feed is that has told nothing yet."""
    return {"position": change_log.position(), "filled_to": 0, "log": change_log.identity()}


def refuse_unready(extractor: Description) -> None:
    """Raise NotReadyError while the service has not been told about every picture once."""
    feed = Feed.objects.filter(extractor=extractor.key).first()
    if feed is not None and feed.was_whole:
        return
    told = Embedding.objects.filter(extractor=extractor.key)
    of = told.count()
    if feed is None or not of:
        raise NotReadyError(0)
    raise NotReadyError(min(99, 100 * told.filter(image_id__lte=feed.filled_to or 0).count() // of))


def lag(extractor: Description) -> int | None:
    """Count the changes that the service has not been told of; None where nobody has begun to."""
    position = Feed.objects.filter(extractor=extractor.key).values_list("position", flat=True).first()
    return None if position is None else change_log.count_since(position)


def others(extractors: set[str]) -> list[str]:
    """List the extractors that are fed besides these."""
    return list(Feed.objects.exclude(extractor__in=extractors).values_list("extractor", flat=True))


def forget(extractor: str) -> None:
    """Forget an extractor's feed."""
    Feed.objects.filter(extractor=extractor).delete()
