"""What has not changed is not sent again, and what has changed meanwhile is not overwritten.

Every JSON answer to a GET carries an ETag: with If-None-Match it answers 304. A change with If-Match is made
only while the same address still answers with that ETag; otherwise 412.
"""

import copy
import hashlib
from collections.abc import Callable
from contextlib import nullcontext

from django.db import connection, transaction
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags

from gallery.api import problems, rates

_OF_CHANGES = {"HTTP_IF_MATCH", "CONTENT_LENGTH", "CONTENT_TYPE"}
CHANGES = ("PUT", "PATCH", "DELETE")
Respond = Callable[[HttpRequest], HttpResponseBase]


def unchanged(get_response: Respond) -> Respond:
    """Wrap the API's answers, for Django's list of middleware."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/api/v1/"):
            return get_response(request)
        if request.method in CHANGES and "If-Match" in request.headers:
            response = _changed(request)
        else:
            response = get_response(request)
        if response.status_code == 416:  # of a file, which knows no problems
            whole = response["Content-Range"]
            response = problems.response(416, f"The file has no such part: {whole}.")
            response["Content-Range"] = whole
        rates.tell(request, response)
        is_json = response.get("Content-Type", "") == "application/json"
        if request.method not in ("GET", "HEAD") or response.status_code != 200 or not is_json:
            return response
        assert isinstance(response, HttpResponse)
        response["ETag"] = etag(response)
        return get_conditional_response(request, etag=response["ETag"], response=response) or response

    def _changed(request: HttpRequest) -> HttpResponseBase:
        """Look and change in one step: nobody else changes it in between."""
        with transaction.atomic() if _is_short(request) else nullcontext():
            _lock(request.path_info)
            if not _matches(request):
                return problems.response(412, "This has changed meanwhile: look at it again.")
            response = get_response(request)
            if response.status_code >= 400 and _is_short(request):
                transaction.set_rollback(True)
            return response

    def _matches(request: HttpRequest) -> bool:
        asked = parse_etags(request.headers["If-Match"])
        now = get_response(_look(request))
        if now.status_code == 405:  # nothing to compare with is seen there: only any state matches
            return asked == ["*"]
        if now.status_code != 200 or now.get("Content-Type", "") != "application/json":
            return True  # the change itself says what is wrong; of files there is nothing to compare
        assert isinstance(now, HttpResponse)
        return asked == ["*"] or etag(now) in asked

    return middleware


def _is_short(request: HttpRequest) -> bool:
    """Whether no file comes along, which would hold everybody else up."""
    return not request.path_info.startswith("/api/v1/uploads/")


def _lock(address: str) -> None:
    """Let one request after the other change what is at this address; SQLite has one writer anyway."""
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        number = int.from_bytes(hashlib.sha256(address.encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def etag(response: HttpResponse) -> str:
    """Return the tag of an answer's body, with its quotation marks."""
    return f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'


def _look(request: HttpRequest) -> HttpRequest:
    """Return the request that only looks at the same address, for the same person."""
    asked = copy.copy(request)
    asked.method = "GET"
    asked.META = {name: value for name, value in request.META.items() if name not in _OF_CHANGES}
    asked.META["REQUEST_METHOD"] = "GET"
    asked.__dict__.pop("headers", None)
    return asked
