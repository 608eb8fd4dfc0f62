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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, close_old_connections, connection
from django.db.models import F, Q
from django.db.models.functions import Least, Now

from gallery import change_log, extractor_switch
from gallery.extraction import registry
from gallery.extraction.base import Description
from gallery.models import Embedding
from search.errors import EngineAwayError, NotReadyError
from search.models import Feed

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=10)  # by the clock of the database, for those of machines differ
PAUSE = 0.5  # seconds between two looks at the log
LOOK_AGAIN = 60.0  # seconds until it is asked again whether the service has lost everything
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
    def has_points(self, extractor: Description) -> bool:
        """Whether it has a place for an extractor's pictures: it may have lost everything."""

    @abstractmethod
    def drop_gone(self, extractor: Description) -> None:
        """Make it forget the pictures that cannot be found any more."""


@dataclass
class _Held:
    """What this process remembers of a feed that it holds."""

    reader: change_log.Reader
    saved: int
    look_again: float = field(default_factory=lambda: time.monotonic() + LOOK_AGAIN)  # by the clock's seconds


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
        self._let_go()

    def _let_go(self) -> None:
        """Leave the feed to the next process at once; where that fails, the lease runs out."""
        try:
            Feed.objects.filter(holder=self._name).update(holder="")
        except DatabaseError as error:
            logger.warning("The feed could not be let go: %s", error)
        finally:
            close_old_connections()

    def step(self, extractor: Description) -> bool:
        """Tell the service what comes next; whether there may be more. False where another process does."""
        feed = self._hold(extractor.key)
        if feed is None:
            self._held.pop(extractor.key, None)
            return False
        with self._holding(extractor.key):
            return self._go_on(extractor, feed)

    def _go_on(self, extractor: Description, feed: Feed) -> bool:
        if feed.log != change_log.identity():  # a dump of another server, whose positions mean nothing here
            self._begin(extractor.key)
            return True
        if feed.filled_to and not self._service.has_points(extractor):
            return self._begin_again(extractor)
        if feed.filled_to is not None:
            return self._fill(extractor, feed)
        held = self._held.get(extractor.key)
        if held is None or time.monotonic() > held.look_again:
            if not self._service.has_points(extractor):
                return self._begin_again(extractor)
            if held:
                held.look_again = time.monotonic() + LOOK_AGAIN
        if held is None or held.saved != feed.position:
            held = self._held[extractor.key] = _Held(change_log.Reader(feed.position), feed.position)
        try:
            changed = held.reader.news()
        except ValueError:  # another database: restored from a backup, say
            self._begin(extractor.key)
            return True
        if changed:
            self._tell(extractor, changed)
        now = held.reader.position
        if now != held.saved and self._save(extractor.key, held.saved, position=now):
            held.saved = now
        return False

    @contextmanager
    def _holding(self, extractor: str) -> Iterator[None]:
        """Keep the feed while a step takes long, as after the service was away."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(LEASE.total_seconds() / 3):
                try:
                    self._renew(extractor)
                except DatabaseError as error:
                    logger.warning("The feed could not be kept: %s", error)
                finally:
                    connection.close()

        thread = threading.Thread(target=renew, name="feed", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

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
        own = Feed.objects.filter(extractor=extractor.key, holder=self._name, filled_to=None)
        if not own.update(holder=""):
            raise EngineAwayError("another process began to feed the engine meanwhile")

    def _renew(self, extractor: str) -> None:
        own = Feed.objects.filter(extractor=extractor, holder=self._name)
        own.update(held_until=Now() + LEASE)

    def _begin(self, extractor: str, **values: bool) -> None:
        self._held.pop(extractor, None)
        Feed.objects.filter(extractor=extractor, holder=self._name).update(**_start(), **values)

    def _begin_again(self, extractor: Description) -> bool:
        logger.warning("The search engine lost its pictures: it is told of them again")
        self._begin(extractor.key, was_whole=False)
        return True

    def _fill(self, extractor: Description, feed: Feed) -> bool:
        last = self._service.fill(extractor, feed.filled_to or 0)
        if last is None:
            self._service.drop_gone(extractor)  # what went while nobody looked
        self._save(extractor.key, feed.position, filled_to=last, **({} if last else {"was_whole": True}))
        return True

    def _hold(self, extractor: str) -> Feed | None:
        """Take the feed, or keep it; None where another process has it."""
        own = Feed.objects.filter(extractor=extractor)
        if held := own.filter(holder=self._name, held_until__gt=Now() + LEASE / 2).first():
            return held
        if not own.exists():
            own.get_or_create(extractor=extractor, defaults=_start())
        free = Q(holder=self._name) | Q(held_until__lt=Now()) | Q(holder="")
        taken = own.filter(free).update(holder=self._name, held_until=Now() + LEASE)
        return own.get() if taken else None

    def _save(self, extractor: str, began_at: int, **values: int | bool | None) -> bool:
        """Note how far it is, if this process still has the feed where it was, at this position.

        Who lost the feed meanwhile has it told again what this process told late; who was set back by such a
        one goes on from there.
        """
        own = Feed.objects.filter(extractor=extractor, holder=self._name, position=began_at)
        if own.update(**values, held_until=Now() + LEASE):
            return True
        Feed.objects.filter(extractor=extractor).update(position=Least(F("position"), began_at))
        self._held.pop(extractor, None)
        return False


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


def is_whole(extractor: Description) -> bool:
    """Whether the service has been told about every picture once."""
    return Feed.objects.filter(extractor=extractor.key, was_whole=True).exists()


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
