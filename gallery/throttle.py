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
from django.db.models import Q
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


def wait(guards: Iterable[Guard]) -> int:
    """Give the seconds until another attempt is allowed; 0 for now."""
    guards = list(guards)
    now = timezone.now()
    rows = FailedAttempts.objects.in_bulk([guard.key for guard in guards], field_name="key")
    personal = [rows.get(guard.key) for guard in guards if guard.is_personal]
    own = any(row and row.succeeded_at and row.succeeded_at > now - REMEMBERED for row in personal)
    blocked = [
        row.blocked_until
        for guard in guards
        if (row := rows.get(guard.key)) and row.blocked_until and (guard.is_personal or not own)
    ]
    return max([0, *(int((until - now).total_seconds()) + 1 for until in blocked if until > now)])


def failed(guards: Iterable[Guard], what: str, request: HttpRequest) -> None:
    """Count a failed attempt, and log it in a line that tools like fail2ban read."""
    counted(guards)
    logger.warning("Failed %s from %s", what, client_address(request))


def counted(guards: Iterable[Guard]) -> None:
    """Count an attempt."""
    now = timezone.now()
    for guard in guards:
        with transaction.atomic():
            row, _ = FailedAttempts.objects.select_for_update().get_or_create(key=guard.key)
            fresh = row.failed_at is None or row.failed_at < now - FORGOTTEN
            row.failures = 1 if fresh else row.failures + 1
            row.failed_at = now
            over = row.failures - guard.free
            if over >= 0:
                row.blocked_until = now + timedelta(seconds=min(2 ** min(over, 20), guard.longest))
            row.save()


def succeeded(guards: Iterable[Guard]) -> None:
    """Forget failures by the person themselves, and remember that this address is theirs."""
    for guard in guards:
        if guard.is_personal:
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
