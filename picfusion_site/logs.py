"""Logs that can be followed: each line knows its request and its person; a line for each answer if wanted."""

import contextvars
import json
import logging
import re
import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

access = logging.getLogger("picfusion.access")
HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[\w.:-]{1,64}")
# What a line of the log is about, in whatever thread it is written.
_request: contextvars.ContextVar[HttpRequest | None] = contextvars.ContextVar("request", default=None)


def note_requests(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give each request a number, which its answer has, too, and write a line for it where ACCESS_LOG is on.

    A proxy's own number is kept.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        request.number = given if _ACCEPTED.fullmatch(given) else secrets.token_hex(8)  # type: ignore[attr-defined]
        token, began = _request.set(request), time.perf_counter()
        try:
            response = get_response(request)
            response[HEADER] = request.number  # type: ignore[attr-defined]
            if settings.ACCESS_LOG:
                _write(request, response, time.perf_counter() - began)
            return response
        finally:
            _request.reset(token)

    return middleware


def _write(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    facts = {
        "method": request.method,
        "route": route(request),
        "status": response.status_code,
        "ms": round(1000 * seconds, 1),
        "bytes": int(response.headers.get("Content-Length") or 0),
    }
    access.info(" ".join(str(value) for value in facts.values()), extra={"facts": facts})


def route(request: HttpRequest) -> str:
    """Return the address without what is secret in it: the key of a share link, an invitation, a reset."""
    match = request.resolver_match
    if match is None:
        return "unknown"
    if {"token", "key"} & set(match.kwargs):
        return f"/{match.route}"
    return request.path


def person(request: HttpRequest | None) -> str:
    """Give the number of who asked, where that is known without asking the database."""
    # As Django's middleware keeps it once somebody asked, or as the API puts it there.
    own = getattr(request, "user", None)
    user = getattr(request, "_cached_user", None) if type(own) is SimpleLazyObject else own
    return str(user.pk) if user is not None and user.is_authenticated else "-"


class AboutRequest(logging.Filter):
    """Puts the request's number and the person's into each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = _request.get()
        record.request_number = getattr(request, "number", "-")
        record.person = person(request)
        if record.levelno < logging.ERROR and record.name.startswith("django.request"):
            record.exc_info = record.exc_text = None  # wrong input is a sentence, and no fault of the site
        return True


class Json(logging.Formatter):
    """A line of JSON for each record, for whatever collects logs."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "request": getattr(record, "request_number", "-"),
            "person": getattr(record, "person", "-"),
            **getattr(record, "facts", {"message": record.getMessage()}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
