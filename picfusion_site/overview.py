"""How the site is, for the people who run it: the admin site's front page, and `manage.py doctor`."""

import contextlib
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models import Count, Min, Sum
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext

from gallery import backup, extractor_switch, letters, quota
from gallery.models import Image, WorkerState
from picfusion_site import health

MOST_PEOPLE = 10
REMEMBERED = 600  # seconds that a number is remembered which a rate is told from
LEAST_APART = 10  # seconds between two looks that tell a rate

# Where more about a check is seen, by administrators.
PAGES = {"weights": "models"}
# What to do about a check of picfusion_site.health that fails.
REMEDIES = {
    "database": gettext_lazy("Start the database, or look at its folder's permissions."),
    "migrations": gettext_lazy("Stop the site and run: manage.py migrate."),
    "worker": gettext_lazy("Start the worker: manage.py worker, or make run, which starts everything."),
    "queue": gettext_lazy("Look at the worker's log. If it hangs, restart it: nothing is lost."),
    "index": gettext_lazy(
        "Look at the server of SEARCH_URL, if there is one. Else: manage.py rebuild_index."
    ),
    "disk": gettext_lazy("Make room, or move the data folder to a larger disk."),
    "weights": gettext_lazy("Fetch the model: manage.py weights download, or choose another one."),
}
# The checks of picfusion_site.health as this page calls them.
NAMES = {
    "database": gettext_lazy("database"),
    "migrations": gettext_lazy("migrations"),
    "worker": gettext_lazy("worker"),
    "queue": gettext_lazy("queue"),
    "index": gettext_lazy("index"),
    "disk": gettext_lazy("disk"),
    "weights": gettext_lazy("weights"),
}


@dataclass(frozen=True)
class Check:
    """Something that was looked at."""

    name: str
    is_good: bool
    detail: str
    remedy: str = ""
    page: str = ""  # the name of the admin site's or the site's address that has more of it


@dataclass(frozen=True)
class Storing:
    """What a person stores, and may store; None for no limit."""

    name: str
    bytes: int
    pictures: int
    most_bytes: int | None


@dataclass(frozen=True)
class Failed:
    """A reason for which pictures could not be read, and how many."""

    reason: str
    label: str
    count: int


@dataclass(frozen=True)
class Overview:
    """Pictures by state, who stores most, and every check."""

    ready: int
    waiting: int
    failed: int
    trashed: int
    oldest: datetime | None  # since when the picture waits that waits longest
    rate: float | None  # pictures a minute, as far as two looks at this page tell
    failures: list[Failed]
    people: list[Storing]
    bytes: int  # of all originals
    index_bytes: int  # on this machine's disk
    checks: list[Check]
    model: str  # the extractor's name
    clip_model: str
    version: str

    @property
    def minutes(self) -> int | None:
        """How long the waiting ones take at this rate."""
        return max(1, round(self.waiting / self.rate)) if self.waiting and self.rate else None


def overview() -> Overview:
    """Look at everything; a number of statements that does not grow."""
    unread = Image.objects.exclude(status=Image.Status.READY)
    by_state = dict(unread.order_by().values_list("status").annotate(Count("pk")))
    failed = by_state.pop(Image.Status.FAILED, 0)
    waiting = sum(by_state.values())
    oldest = unread.exclude(status=Image.Status.FAILED).aggregate(at=Min("created_at"))["at"]
    trashed = Image.objects.filter(trashed_at__isnull=False).count()
    trashed_unread = unread.filter(trashed_at__isnull=False).count()
    people, total = _people()
    ready = Image.objects.count() - failed - waiting - (trashed - trashed_unread)
    return Overview(
        ready=ready,
        waiting=waiting,
        failed=failed,
        trashed=trashed,
        oldest=oldest,
        rate=rate(ready),
        failures=_failures(),
        people=people,
        bytes=total,
        index_bytes=_size_of(Path(settings.INDEX_DIR)),
        checks=checks(),
        model=extractor_switch.current().name,
        clip_model=settings.CLIP_MODEL,
        version=settings.VERSION,
    )


def _size_of(folder: Path) -> int:
    """Add up the bytes of the files below a folder, some of which may go meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def rate(ready: int, counted: str = "overview") -> float | None:
    """How many pictures a minute became searchable since somebody looked, ten minutes ago at most.

    `counted` names how they were counted: numbers of one kind are compared.
    """
    now, key = time.time(), f"{counted}-ready"
    since, before = cache.get(key) or (now, ready)
    cache.add(key, (now, ready), REMEMBERED)
    if now - since < LEAST_APART or ready <= before:
        return None
    return 60 * (ready - before) / (now - since)


def _failures() -> list[Failed]:
    failed = Image.objects.filter(status=Image.Status.FAILED).order_by()
    counts = failed.values_list("error").annotate(own=Count("pk")).order_by("-own")
    labels = dict(Image.Failure.choices)
    return [Failed(reason, str(labels.get(reason, gettext("Unknown"))), count) for reason, count in counts]


def _people() -> tuple[list[Storing], int]:
    """Who stores most, and how many bytes all of them do."""
    stored = Image.objects.order_by().values("owner").annotate(own=Sum("size_bytes"), number=Count("pk"))
    rows = list(stored.order_by("-own").values_list("owner", "own", "number"))
    top = rows[:MOST_PEOPLE]
    people = User.objects.select_related("account").in_bulk([pk for pk, *_ in top])

    def storing(person: User, size: int, number: int) -> Storing:
        most, _pictures = quota.limits_of(getattr(person, "account", None))
        return Storing(person.get_username(), size, number, most)

    shown = [storing(people[pk], size, number) for pk, size, number in top if pk in people]
    return shown, sum(size for _pk, size, _number in rows)


def checks() -> list[Check]:
    """Ask the checks of readiness, and look at what else should be set up."""
    _is_ready, answers = health.report()
    found = [
        Check(
            str(NAMES[name]), bool(own["ok"]), _told(name, str(own["detail"])),
            "" if own["ok"] else str(REMEDIES[name]), PAGES.get(name, ""),
        )
        for name, own in answers.items()
    ]  # fmt: skip
    return [*found, *_watched(), _backup(), _mail(), _https()]


def _told(name: str, detail: str) -> str:
    """Say of the worker when it was heard of last."""
    beat = WorkerState.objects.order_by("-beat_at").first() if name == "worker" and detail == "ok" else None
    if beat is None:
        return detail
    seconds = max(0, round((timezone.now() - beat.beat_at).total_seconds()))
    return gettext("heard of %(seconds)d seconds ago, started again %(times)d times") % {
        "seconds": seconds, "times": beat.restarts,
    }  # fmt: skip


def _watched() -> list[Check]:
    """Say whether the watched folders' people exist; whether the folders do is a check of the settings."""
    owners = {owner for _folder, owner in settings.WATCH_FOLDERS}
    unknown = owners - set(User.objects.filter(username__in=owners).values_list("username", flat=True))
    if not unknown:
        return []
    detail = gettext("WATCH_FOLDERS names nobody's account: %(names)s") % {
        "names": ", ".join(sorted(unknown))
    }
    remedy = gettext("Correct the name, and restart the worker.")
    return [Check(gettext("watched folders"), False, detail, remedy)]


def _backup() -> Check:
    report = backup.latest()
    if report is None:
        remedy = gettext("Run: manage.py backup FOLDER, each night.")
        return Check(gettext("backup"), False, gettext("none was made yet"), remedy)
    if report.wrong:
        detail = ngettext(
            "%(number)d original was missing or damaged in the last one",
            "%(number)d originals were missing or damaged in the last one",
            len(report.wrong),
        ) % {"number": len(report.wrong)}
        remedy = gettext("Run: manage.py verify, and restore those files.")
        return Check(gettext("backup"), False, detail, remedy)
    return Check(gettext("backup"), True, gettext("the last one is of %(at)s") % {"at": report.at})


def _mail() -> Check:
    if letters.can_be_sent():
        return Check(gettext("mail"), True, gettext("ok"))
    detail = gettext("no mail server is set: letters go to the log")
    return Check(
        gettext("mail"), False, detail, gettext("Set EMAIL_URL; without it nobody can reset a password.")
    )


def _https() -> Check:
    if settings.HTTPS:
        return Check("https", True, gettext("ok"))
    detail = gettext("cookies go over plain connections, too")
    return Check("https", False, detail, gettext("Behind a proxy with a certificate, set HTTPS=on."))
