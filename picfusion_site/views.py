"""Pages that belong to no app: health and errors."""

import errno
import sys

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DatabaseError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gallery import extractor_switch
from gallery.api import problems
from gallery.views.requests import came_from
from picfusion_site import health
from picfusion_site.metrics import REGISTRY


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the site can answer, 503 when its database cannot. Says nothing about anyone's pictures."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "unreachable"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok", "extractor": extractor_switch.current().key})


@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when everything works, 503 when something does not; each check by name."""
    with translation.override("en"):  # programs look for words, whatever their visitor's language
        is_ready, checks = health.report()
    return JsonResponse(
        {"status": "ok" if is_ready else "not ready", "checks": checks}, status=200 if is_ready else 503
    )


@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Give Prometheus its numbers: to whoever knows METRICS_TOKEN, and to superusers."""
    words = request.headers.get("Authorization", "").split()
    token = words[1] if len(words) == 2 and words[0].lower() == "bearer" else ""
    known = settings.METRICS_TOKEN and constant_time_compare(token, settings.METRICS_TOKEN)
    if not known and not request.user.is_superuser:
        raise Http404
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; but a full disk is a 507, and a database or a folder that cannot be written to a 503."""
    status, message = _failure(sys.exc_info()[1])
    if request.path_info.startswith("/api/"):
        response: HttpResponse = problems.response(status, message)
    else:
        page = loader.get_template("500.html").render({"message": message, "home": reverse("search")})
        response = HttpResponse(page, status=status)
    if status == 503:
        response["Retry-After"] = "10"
    return response


def _failure(error: BaseException | None) -> tuple[int, str]:
    """Tell what went wrong by the exception, or the one that it came from."""
    while error:
        number = error.errno if isinstance(error, OSError) else None
        if number in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in str(error):
            return 507, _("The server's disk is full. Nothing was changed.")
        if number in (errno.EROFS, errno.EACCES, errno.EPERM):
            return 503, _("The server can't write to its folder. Nothing was changed.")
        if isinstance(error, OperationalError):
            return 503, _("The database is busy or out of reach. Try again in a moment.")
        error = error.__cause__ or error.__context__
    return 500, _("The server met an error that is its own fault, and has written it to its log.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, with the sentence that names the field where there is one; 413 for what is too much."""
    status = 400
    match exception:
        case BadRequest():
            message = str(exception)
        case TooManyFilesSent():
            status = 413
            message = _("You can send up to %(most)s files at once.") % {
                "most": settings.DATA_UPLOAD_MAX_NUMBER_FILES
            }
        case TooManyFieldsSent() | RequestDataTooBig():
            status = 413
            message = _("This form has too many fields or too much text.")
        case SuspiciousOperation():
            message = _("We couldn't understand this request.")
        case _:
            message = _("We couldn't understand this address or form.")
    if request.path_info.startswith("/api/"):
        return problems.response(status, message)
    context = {"message": message, "came_from": came_from(request)}
    return render(request, f"{status}.html", context, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form that came without the token of its page."""
    if request.path_info.startswith("/api/"):
        return problems.response(403, f"CSRF: {reason}")
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 as a page, or as JSON under /api/."""
    if request.path_info.startswith("/api/"):
        return problems.response(404, "Not found.")
    return render(request, "404.html", status=404)
