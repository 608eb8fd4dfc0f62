"""Signing in and resetting a password: Django's pages, with forms that are slowed down."""

from typing import Any

from django.contrib.auth import views
from django.http import HttpResponse
from django.urls import reverse_lazy

from gallery import access_tokens
from gallery.forms.sign_in import PasswordForm, ThrottledForm, ThrottledResetForm


def _answer(response: HttpResponse, form: Any) -> HttpResponse:
    """400 for what is wrong, 429 with Retry-After for too many attempts."""
    response.status_code = 400
    for errors in form.errors.as_data().values():
        for error in errors:
            if error.code == "throttled":
                response.status_code = 429
                response["Retry-After"] = str(error.params["seconds"])
    return response


class SignInView(views.LoginView):
    """The sign-in page."""

    authentication_form = ThrottledForm
    redirect_authenticated_user = True

    def form_invalid(self, form: Any) -> HttpResponse:
        return _answer(super().form_invalid(form), form)


class ResetView(views.PasswordResetView):
    """Ask for an email to choose a new password."""

    form_class = ThrottledResetForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def form_invalid(self, form: Any) -> HttpResponse:
        return _answer(super().form_invalid(form), form)


class PasswordView(views.PasswordChangeView):
    """Change the password and, if one wants, end all API tokens with the old one."""

    form_class = PasswordForm
    success_url = reverse_lazy("search")

    def form_valid(self, form: Any) -> HttpResponse:
        if form.cleaned_data["revoke_tokens"]:
            access_tokens.revoke_all(form.user)
        return super().form_valid(form)
