"""Whether the site is well: alive (cheap), and ready to do all of its work."""

import shutil
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django_q.models import OrmQ

from gallery.database_version import WrongDatabaseError, check_database
from gallery.extraction import registry
from gallery.models import Image, WorkerState
from search.engines import engine
from search.errors import EngineAwayError

SILENT = timedelta(seconds=60)  # without a heartbeat of any worker
STUCK = timedelta(minutes=30)  # that the oldest task waits
BEHIND = 100_000  # changes that the index of this process may have to apply


_found_right: list[bool] = []


def database() -> str:
    """Answer a question."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    return "ok"


def migrations() -> str:
    """Compare the database with the code; what was right once stays right while this process runs."""
    if not _found_right:
        check_database()
        _found_right.append(True)
    return "ok"


def worker() -> str:
    """Look at the heartbeat."""
    beat = WorkerState.objects.order_by("-beat_at").values_list("beat_at", flat=True).first()
    if beat is None or timezone.now() - beat > SILENT:
        raise NotReadyError(
            gettext("no worker runs")
            if beat is None
            else gettext("no worker since %(at)s UTC") % {"at": f"{beat:%Y-%m-%d %H:%M}"}
        )
    return "ok"


def queue() -> str:
    """Look how long the oldest task waits. A picture may wait longer, in a large import."""
    oldest = OrmQ.objects.order_by("pk").first()
    # A task that was signed with another key says nothing of itself.
    began = oldest.task.get("started") if oldest else None
    waited = time.time() - began.timestamp() if began else 0.0
    if waited > STUCK.total_seconds():
        raise NotReadyError(gettext("a task waits for %(minutes)d minutes") % {"minutes": round(waited / 60)})
    count = Image.objects.filter(status=Image.Status.PENDING).count()
    return ngettext("%(number)d picture waits", "%(number)d pictures wait", count) % {"number": count}


def index() -> str:
    """Count the changes that searches do not see yet."""
    engine().check()
    lag = engine().lag()
    if lag is None:
        return gettext("not opened yet: the first search does")
    told = ngettext("%(number)d change behind", "%(number)d changes behind", lag) % {"number": lag}
    if lag > BEHIND:
        raise NotReadyError(told)
    return told


def disk() -> str:
    """Look at the room for pictures."""
    free = shutil.disk_usage(settings.VAR_DIR).free // 1_000_000
    if free < settings.MIN_FREE_MB:
        raise NotReadyError(
            gettext("%(free)d MB are free, %(kept)d are kept") % {"free": free, "kept": settings.MIN_FREE_MB}
        )
    return gettext("%(free)d MB free") % {"free": free}


def weights() -> str:
    """Say which extractor reads pictures."""
    return registry.target().key


class NotReadyError(Exception):
    """A check found something that is not as it should be; the message says what."""


FAILURES = (
    NotReadyError,
    WrongDatabaseError,
    ImproperlyConfigured,
    DatabaseError,
    OSError,
    EngineAwayError,
)
CHECKS: tuple[Callable[[], str], ...] = (database, migrations, worker, queue, index, disk, weights)


def report() -> tuple[bool, dict[str, dict[str, str | bool]]]:
    """Ask every check: whether all is well, and what each says."""
    answers: dict[str, dict[str, str | bool]] = {}
    for check in CHECKS:
        try:
            answers[check.__name__] = {"ok": True, "detail": check()}
        except FAILURES as error:
            answers[check.__name__] = {"ok": False, "detail": str(error)[:200]}
    return all(answer["ok"] for answer in answers.values()), answers
