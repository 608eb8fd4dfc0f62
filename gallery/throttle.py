"""Guessing is slowed down: by account and address, with a delay that grows, for all processes together.

A few attempts are free. After those each wrong one doubles the time that the next has to wait. Whoever signed
in from the same address lately is not held up by what others do to their account.
"""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone

from gallery.client_address import client_address, is_unnamed_proxy
from gallery.models import FailedAttempts

logger = logging.getLogger(__name__)

FORGOTTEN = timedelta(hours=1)  # after which earlier failures do not count
REMEMBERED = timedelta(days=30)  # how long an address counts as the person's own


@dataclass(frozen=True)
class Guard:
    """One thing by which attempts are counted."""

    name: str  # what is counted, spelled out; only its hash is stored
    free: int  # attempts before any wait
    longest: int  # seconds
    is_personal: bool = False  # by account and address both: a success clears it, and vouches for the address

    @property
    def key(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()


def sign_in_guards(request: HttpRequest, username: str) -> list[Guard]:
    """Count sign-ins by account and address, by account, and by address."""
    account, address = username.strip().casefold()[:150], client_address(request)
    guards = [
        Guard(f"sign-in|{account}|{address}", free=5, longest=900, is_personal=True),
        Guard(f"sign-in|{account}|", free=30, longest=60),
    ]
    if not is_unnamed_proxy(request):
        guards.append(Guard(f"sign-in||{address}", free=60, longest=60))
    return guards


def link_guards(request: HttpRequest, link_id: int) -> list[Guard]:
    """Count passwords of a share link by visitor, by address, and loosely by link."""
    link, address = f"link|{link_id}", client_address(request)
    visitor = f"{link}|{address}|{request.session.session_key or ''}"
    guards = [Guard(visitor, free=10, longest=900, is_personal=True), Guard(link, free=200, longest=30)]
    if not is_unnamed_proxy(request):
        guards.append(Guard(f"{link}|{address}", free=30, longest=300))
    return guards


def guest_guards(request: HttpRequest, link_id: int) -> list[Guard]:
    """Count the pictures that guests of a share link send, by address and by link."""
    link = f"guest|{link_id}"
    guards = [Guard(link, free=400, longest=600)]
    if not is_unnamed_proxy(request):
        guards.append(Guard(f"{link}|{client_address(request)}", free=100, longest=600))
    return guards


def reset_guards(request: HttpRequest, email: str) -> list[Guard]:
    """Count password resets by mail address, and by the address that asks."""
    guards = [Guard(f"reset|{email.strip().casefold()[:254]}", free=3, longest=3600)]
    if not is_unnamed_proxy(request):
        guards.append(Guard(f"reset||{client_address(request)}", free=20, longest=600))
    return guards


def attempt(guards: Iterable[Guard]) -> int:
    """Take an attempt, which counts as failed until `succeeded`; or give the seconds that it has to wait.

    In one step: of many at once, each sees those before it.
    """
    guards = list(guards)
    with transaction.atomic():
        rows = {}
        for key in sorted(guard.key for guard in guards):  # everybody locks them in the same order
            rows[key], _ = FailedAttempts.objects.select_for_update().get_or_create(key=key)
        if seconds := _wait(guards, rows):
            return seconds
        for guard in guards:
            _count(rows[guard.key], guard)
    return 0


def wait(guards: Iterable[Guard]) -> int:
    """Give the seconds until another attempt is allowed; 0 for now."""
    guards = list(guards)
    return _wait(guards, FailedAttempts.objects.in_bulk([guard.key for guard in guards], field_name="key"))


def _wait(guards: list[Guard], rows: dict[str, FailedAttempts]) -> int:
    now = timezone.now()
    personal = [rows.get(guard.key) for guard in guards if guard.is_personal]
    own = any(row and row.succeeded_at and row.succeeded_at > now - REMEMBERED for row in personal)
    blocked = [
        row.blocked_until
        for guard in guards
        if (row := rows.get(guard.key)) and row.blocked_until and (guard.is_personal or not own)
    ]
    return max([0, *(int((until - now).total_seconds()) + 1 for until in blocked if until > now)])


def failed(what: str, request: HttpRequest) -> None:
    """Log a failed attempt in a line that tools like fail2ban read; `attempt` has counted it."""
    logger.warning("Failed %s from %s", what, client_address(request))


def counted(guards: Iterable[Guard]) -> None:
    """Count an attempt, whatever comes of it."""
    for guard in guards:
        with transaction.atomic():
            row, _ = FailedAttempts.objects.select_for_update().get_or_create(key=guard.key)
            _count(row, guard)


def _count(row: FailedAttempts, guard: Guard) -> None:
    now = timezone.now()
    fresh = row.failed_at is None or row.failed_at < now - FORGOTTEN
    row.failures = 1 if fresh else row.failures + 1
    row.failed_at = now
    over = row.failures - guard.free
    if over >= 0:
        row.blocked_until = now + timedelta(seconds=min(2 ** min(over, 20), guard.longest))
    row.save()


def succeeded(guards: Iterable[Guard]) -> None:
    """Take back what `attempt` counted, forget the person's own failures, and remember their address."""
    for guard in guards:
        if not guard.is_personal:
            rows = FailedAttempts.objects.filter(key=guard.key, failures__gt=0)
            rows.filter(failures__lte=guard.free).update(blocked_until=None)
            rows.update(failures=F("failures") - 1)
        else:
            FailedAttempts.objects.update_or_create(
                key=guard.key,
                defaults={"failures": 0, "blocked_until": None, "succeeded_at": timezone.now()},
            )


def forget() -> str:
    """Remove what does not count any more. The worker does it every hour."""
    now = timezone.now()
    old = Q(failed_at=None) | Q(failed_at__lt=now - FORGOTTEN)
    stranger = Q(succeeded_at=None) | Q(succeeded_at__lt=now - REMEMBERED)
    count, _ = FailedAttempts.objects.filter(old & stranger).delete()
    return f"{count} counters removed"
