"""What has not changed is not sent again, and what has changed meanwhile is not overwritten.

Every JSON answer to a GET carries an ETag: with If-None-Match it answers 304. A change with If-Match is made
only while the same address still answers with that ETag; otherwise 412.
"""

import copy
import hashlib
from collections.abc import Callable

from django.db import connection, transaction
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags

from gallery.api import problems, rates

_OF_CHANGES = {"HTTP_IF_MATCH", "CONTENT_LENGTH", "CONTENT_TYPE"}
CHANGED = "This has changed meanwhile: look at it again."
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
        """Look and change in one step: nobody else changes it in between.

        Whoever may not even look waits for no lock; and what comes along is here before one is held.
        """
        refused = _refusal(request)
        if refused or not _is_short(request):
            return refused or get_response(request)
        request.body  # noqa: B018 - it is kept; as large as forms may be
        with transaction.atomic():
            _lock(request.path_info)
            if not _matches(request):
                return problems.response(412, CHANGED)
            response = get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            return response

    def _refusal(request: HttpRequest) -> HttpResponseBase | None:
        """Say what speaks against the change already, without a lock: who asks, or the state of now."""
        now = get_response(_look(request))
        if now.status_code in (401, 403, 404, 429):
            return get_response(request)  # the change itself says so
        return None if _fits(request, now) else problems.response(412, CHANGED)

    def _matches(request: HttpRequest) -> bool:
        return _fits(request, get_response(_look(request)))

    return middleware


def _fits(request: HttpRequest, now: HttpResponseBase) -> bool:
    """Whether what is there now is what the change was meant for."""
    asked = parse_etags(request.headers["If-Match"])
    if now.status_code == 405:  # nothing to compare with is seen there: only any state matches
        return asked == ["*"]
    if now.status_code != 200 or now.get("Content-Type", "") != "application/json":
        return True  # the change itself says what is wrong; of files there is nothing to compare
    assert isinstance(now, HttpResponse)
    return asked == ["*"] or etag(now) in asked


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
    """Return the request that only looks at the same address, for the same person.

    Without parameters, which say what is to be taken away.
    """
    asked = copy.copy(request)
    asked.method = "GET"
    asked.META = {name: value for name, value in request.META.items() if name not in _OF_CHANGES}
    asked.META |= {"REQUEST_METHOD": "GET", "QUERY_STRING": ""}
    asked.environ = asked.META  # type: ignore[attr-defined]
    for kept in ("headers", "GET"):
        asked.__dict__.pop(kept, None)
    return asked
