"""The audit trail: sign-ins, sharing, roles, tokens, quotas, models, accounts and pictures that go.

Administrators read it. Signals write most of it, so that page, API, admin site and command line cannot
forget it; a middleware says whose request it is.
"""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_delete, post_save, pre_save
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from gallery.client_address import client_address
from gallery.models import AccessToken, Account, AlbumMember, AuditEntry, Invitation, ShareLink, TagDecision

KEPT = timedelta(days=365)
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)
ROLES = ("is_active", "is_staff", "is_superuser")  # of an account


def remember_request(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Know whose request it is, while it is being answered."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        token = _request.set(request)
        try:
            return get_response(request)
        finally:
            _request.reset(token)

    return middleware


def note(action: str, what: object = "", person: str = "") -> None:
    """Write an entry; of whom, the current request tells where `person` does not."""
    request = _request.get()
    user = getattr(request, "user", None)
    by = person or (user.get_username() if user is not None and user.is_authenticated else "")
    AuditEntry.objects.create(
        person=by[:150],
        address=client_address(request)[:45] if request else "",
        action=action,
        what=str(what)[:300],
    )


def forget() -> str:
    """Remove what is older than a year. The worker does it every day."""
    count, _ = AuditEntry.objects.filter(at__lt=timezone.now() - KEPT).delete()
    return f"{count} entries removed"


def connect() -> None:
    """Listen to what matters."""
    user_logged_in.connect(lambda user, **_: note("signed in", person=user.get_username()), weak=False)
    user_logged_out.connect(
        lambda user, **_: note("signed out", person=user.get_username() if user else ""), weak=False
    )
    user_login_failed.connect(
        lambda credentials, **_: note("sign-in failed", credentials.get("username", "")), weak=False
    )
    for model, name, describe in (
        (ShareLink, "share link", lambda row: row.title),
        (AlbumMember, "membership", lambda row: f"{row.user} in {row.album} as {row.role}"),
        (AccessToken, "token", lambda row: f"{row.name} ({row.scope})"),
        (Invitation, "invitation", lambda row: row.note),
        (TagDecision, "tag decision", str),
    ):
        _follow(model, name, describe)
    pre_save.connect(_look_at_quota, sender=Account, weak=False)
    post_save.connect(_note_quota, sender=Account, weak=False)
    people = get_user_model()
    post_delete.connect(lambda instance, **_: note("account deleted", instance), sender=people, weak=False)
    post_save.connect(_note_account, sender=people, weak=False)


def _follow(model: Any, name: str, describe: Callable[[Any], str]) -> None:
    """Note that a row of the model came, changed or went."""

    def saved(instance: Any, created: bool, raw: bool = False, **_: Any) -> None:
        if not raw:
            note(f"{name} {'made' if created else 'changed'}", describe(instance))

    def deleted(instance: Any, **_: Any) -> None:
        note(f"{name} ended", describe(instance))

    post_save.connect(saved, sender=model, weak=False)
    post_delete.connect(deleted, sender=model, weak=False)


QUOTA = ("quota_mb", "quota_pictures")


def _look_at_quota(instance: Any, **_: Any) -> None:
    """Keep what it was: an account's row is made, and saved, for other reasons, too."""
    before = Account.objects.filter(pk=instance.pk).values_list(*QUOTA).first()
    instance.quota_before = before or (None, None)


def _note_quota(instance: Any, raw: bool = False, **_: Any) -> None:
    now = tuple(getattr(instance, name) for name in QUOTA)
    if not raw and now != instance.quota_before:
        said = ["as the setting says" if own is None else str(own) for own in now]
        note("quota changed", f"{instance.user}: {said[0]} MB, {said[1]} pictures")


def _note_account(instance: Any, created: bool, update_fields: Any = None, **_: Any) -> None:
    if update_fields and "last_login" in update_fields:  # a sign-in, which is noted already
        return
    rights = ", ".join(role.removeprefix("is_") for role in ROLES if getattr(instance, role))
    note("account made" if created else "account changed", f"{instance.get_username()}: {rights}")
