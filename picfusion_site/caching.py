"""What is kept of answers: nothing that only a signed-in person sees."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase


def no_store(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Keep pages and API answers of signed-in people out of every cache, unless a view says otherwise.

    On a shared computer the back button then shows nothing after signing out.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        signed_in = "user" in request.__dict__ and request.user.is_authenticated
        if not response.has_header("Cache-Control") and (signed_in or request.path_info.startswith("/api/")):
            response["Cache-Control"] = "private, no-store"
        return response

    return middleware
