"""What cannot be answered now, but could a moment later: races, and a start that is not over yet."""

import logging
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from gallery.api import problems
from gallery.extraction.registry import StillLoadingError
from gallery.files.storage import StoreError
from gallery.imaging.decoder import DecoderBusyError
from picfusion_site.views import bad_request
from search.errors import EngineAwayError, NotReadyError

logger = logging.getLogger(__name__)


class NotYet:
    """Answer 503 while model or index are made, store or search engine are away, or decoding is behind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, StillLoadingError):
            message = _("The search is getting ready. Try again in a few seconds.")
            if error.percent is not None:
                message = _("The search is getting ready, %(percent)s%% so far. Try again in a few seconds.")
                message %= {"percent": error.percent}
        elif isinstance(error, NotReadyError):
            message = _("The search is getting ready: %(percent)s%% of the pictures so far. Try again soon.")
            message %= {"percent": error.percent}
        elif isinstance(error, DecoderBusyError):
            message = _("The server is busy with other pictures. Try again in a few seconds.")
        elif isinstance(error, StoreError):
            logger.error("The store of files: %s", error)
            message = _("The pictures' files cannot be reached right now. Try again in a few minutes.")
        elif isinstance(error, EngineAwayError):
            logger.error("The search engine: %s", error)
            message = _("The search cannot be reached right now. Try again in a few minutes.")
        else:
            return None
        if request.path_info.startswith("/api/"):
            response: HttpResponse = problems.response(503, message)
        else:
            response = render(request, "503.html", {"message": message}, status=503)
        response["Retry-After"] = "5"
        return response


class RefuseTwice:
    """Answer 400 where a row was made twice at once: each request alone had found that it is not there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Only what the database itself refused as not unique."""
        text = str(error).lower()
        if not isinstance(error, IntegrityError) or not ("unique" in text or "duplicate key" in text):
            return None
        return bad_request(
            request, BadRequest(_("This was just done by another request. Reload the page and look."))
        )
