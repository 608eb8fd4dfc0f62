"""Addresses of the API whose last slash was left out."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase


class Forgiven:
    """Add the slash, instead of a redirect on which programs lose what they posted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/api/v1/") and not request.path_info.endswith("/"):
            request.path_info += "/"
            request.path += "/"
        return self.get_response(request)
