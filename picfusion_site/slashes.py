"""Addresses that are not quite right: a last slash that was left out, numbers that no row has."""

from collections.abc import Callable
from typing import Any

from django.db import DataError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from picfusion_site.views import bad_request

LARGEST = 2**63 - 1
WRONG_INPUT = ("22003", "22P02", "22021")  # PostgreSQL's: out of range, no number, no text


class Forgiven:
    """Add the slash, instead of a redirect on which programs lose what they posted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/api/v1/") and not request.path_info.endswith("/"):
            request.path_info += "/"
            request.path += "/"
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Answer 404 where an address has a number that is too large for any row."""
        if any(isinstance(value, int) and value > LARGEST for value in kwargs.values()):
            raise Http404

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer 400 for what is no row's number: Django's own forms and the admin site look for any text."""
        state = getattr(exception.__cause__, "sqlstate", None)
        is_of_data = isinstance(exception, DataError) and (state in WRONG_INPUT or "NUL" in str(exception))
        wrong = is_of_data or any(
            isinstance(exception, kind) and said in str(exception)
            for kind, said in (
                (ValueError, "expected a number but got"),
                (OverflowError, "too large to convert to SQLite INTEGER"),
            )
        )
        return bad_request(request, exception) if wrong else None
