"""Signing in, on the pages and in the admin site, and asking for a new password: both are slowed down."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, PasswordResetForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from gallery import throttle


def too_many(seconds: int) -> forms.ValidationError:
    """Say how long to wait."""
    text = ngettext(
        "Too many attempts. Try again in %(seconds)s second.",
        "Too many attempts. Try again in %(seconds)s seconds.",
        seconds,
    )
    return forms.ValidationError(text % {"seconds": seconds}, code="throttled", params={"seconds": seconds})


class ThrottledForm(AuthenticationForm):
    """A sign-in form that does not even look at a password while its attempts have to wait."""

    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        if not self.cleaned_data.get("password"):
            return super().clean() or {}
        guards = throttle.sign_in_guards(self.request, self.cleaned_data.get("username") or "")
        if seconds := throttle.attempt(guards):
            raise too_many(seconds)
        try:
            data = super().clean() or {}
        except forms.ValidationError:
            throttle.failed("sign-in", self.request)
            raise
        throttle.succeeded(guards)
        return data


class ThrottledAdminForm(ThrottledForm, AdminAuthenticationForm):
    """The same for the admin site."""


class ThrottledResetForm(PasswordResetForm):
    """Asking for a new password; nobody's mailbox is flooded."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        guards = throttle.reset_guards(self.request, email)
        if seconds := throttle.attempt(guards):
            raise too_many(seconds)
        return email


class PasswordForm(PasswordChangeForm):
    """A new password."""

    revoke_tokens = forms.BooleanField(
        label=gettext_lazy("Revoke all API tokens, too"), required=False, initial=True
    )
