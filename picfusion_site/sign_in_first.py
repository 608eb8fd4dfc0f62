"""Every page asks who you are; who is not signed in any more comes back to where they were."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from gallery.views.requests import back, came_from


class SignInFirst(LoginRequiredMiddleware):
    """Django's, for forms and scripts, too.

    A form's address answers no link, so the page that it stood on comes after the sign-in; a script is told
    to load the sign-in page for real, for it would look in it for a part of another one.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        response: HttpResponseRedirect = super().handle_no_permission(request, view_func)
        htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
        if htmx and htmx.target == "waiting":
            # The line that looks on by itself takes nobody away from an upload or a caption.
            return HttpResponse(status=204)
        if request.method not in ("GET", "HEAD"):
            response = redirect_to_login(back(request, came_from(request) or "/"))
            messages.warning(request, _("You were signed out. Sign in, then do it again."))
        elif htmx:
            # A part that renews itself is of the page around it; a search is a page of its own.
            response = response if htmx.boosted else redirect_to_login(htmx.current_url_abs_path or "/")
        return HttpResponseClientRedirect(response["Location"]) if htmx else response
