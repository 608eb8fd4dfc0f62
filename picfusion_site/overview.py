"""How the site is, for the people who run it: the admin site's front page, and `manage.py doctor`."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min

from gallery import backup, letters
from gallery.models import Image
from picfusion_site import health

# What to do about a check of picfusion_site.health that fails.
REMEDIES = {
    "database": "Start the database, or look at its folder's permissions.",
    "migrations": "Stop the site and run: manage.py migrate.",
    "worker": "Start the worker: manage.py worker, or make run, which starts everything.",
    "queue": "Look at the worker's log. If it hangs, restart it: nothing is lost.",
    "index": "Wait a few minutes. If it stays so: manage.py rebuild_index.",
    "disk": "Make room, or move the data folder to a larger disk.",
    "weights": "Fetch the model: manage.py weights download, or choose another one.",
}


@dataclass(frozen=True)
class Check:
    """Something that was looked at."""

    name: str
    is_good: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Overview:
    """Pictures by state, and every check."""

    ready: int
    waiting: int
    failed: int
    trashed: int
    oldest: datetime | None  # since when the picture waits that waits longest
    checks: list[Check]
    version: str


def overview() -> Overview:
    """Look at everything; a number of statements that does not grow."""
    unread = Image.objects.exclude(status=Image.Status.READY)
    by_state = dict(unread.order_by().values_list("status").annotate(Count("pk")))
    failed = by_state.pop(Image.Status.FAILED, 0)
    waiting = sum(by_state.values())
    oldest = unread.exclude(status=Image.Status.FAILED).aggregate(at=Min("created_at"))["at"]
    trashed = Image.objects.filter(trashed_at__isnull=False).count()
    trashed_unread = unread.filter(trashed_at__isnull=False).count()
    ready = Image.objects.count() - failed - waiting - (trashed - trashed_unread)
    return Overview(ready, waiting, failed, trashed, oldest, checks(), settings.VERSION)


def checks() -> list[Check]:
    """Ask the checks of readiness, and look at what else should be set up."""
    _is_ready, answers = health.report()
    found = [
        Check(name, bool(own["ok"]), str(own["detail"]), "" if own["ok"] else REMEDIES[name])
        for name, own in answers.items()
    ]
    return [*found, _backup(), _mail(), _https()]


def _backup() -> Check:
    report = backup.latest()
    if report is None:
        return Check("backup", False, "none was made yet", "Run: manage.py backup FOLDER, each night.")
    if report.wrong:
        detail = f"{len(report.wrong)} originals were missing or damaged in the last one"
        return Check("backup", False, detail, "Run: manage.py verify, and restore those files.")
    return Check("backup", True, f"the last one is of {report.at}")


def _mail() -> Check:
    if letters.can_be_sent():
        return Check("mail", True, "ok")
    detail = "no mail server is set: letters go to the log"
    return Check("mail", False, detail, "Set EMAIL_URL; without it nobody can reset a password.")


def _https() -> Check:
    if settings.HTTPS:
        return Check("https", True, "ok")
    detail = "cookies go over plain connections, too"
    return Check("https", False, detail, "Behind a proxy with a certificate, set HTTPS=on.")
