"""Pages that belong to no app: health and errors."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from gallery import extractor_switch


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the site can answer, 503 when its database cannot. Says nothing about anyone's pictures."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "unreachable"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok", "extractor": extractor_switch.current().key})


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
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": message}, status=status)
    return render(request, f"{status}.html", {"message": message}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form that came without the token of its page."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": f"CSRF: {reason}"}, status=403)
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 as a page, or as JSON under /api/."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "Not found."}, status=404)
    return render(request, "404.html", status=404)
