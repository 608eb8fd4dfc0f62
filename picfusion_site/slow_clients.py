"""Bodies that come slowly: they hold a thread each, so only so many come in at once, and none for ever.

Behind a proxy that buffers bodies, as nginx does, this is never felt.
"""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from gallery.api import problems
from gallery.client_address import client_address, is_unnamed_proxy
from gallery.imaging import decoder
from gallery.models import AccessToken
from gallery.models.access_token import digest

LARGE = 65_536  # bytes of a body from which it counts
MOST_OF_ONE = 6  # that one person, or one address without one, sends at once
RETRY = 5  # seconds


class Bodies:
    """Counts the large bodies that are coming in to this process, and tells decoders whose files they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.lock = threading.Lock()
        self.coming: Counter[str] = Counter()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = decoder.asker.set(partial(_asker, request))
        try:
            return self._taken(request)
        finally:
            decoder.asker.reset(token)

    def _taken(self, request: HttpRequest) -> HttpResponseBase:
        if _length(request) < LARGE:
            return self.get_response(request)
        who = sender(request)
        with self.lock:
            is_too_much = self.coming[who] >= MOST_OF_ONE
            is_full = self.coming.total() >= settings.WEB_THREADS // 2
            if not is_too_much and not is_full:
                self.coming[who] += 1
        if is_too_much or is_full:
            return _refuse(request, 429 if is_too_much else 503)
        try:
            return self.get_response(request)
        finally:
            with self.lock:
                self.coming[who] -= 1
                self.coming += Counter()  # without those at 0


def sender(request: HttpRequest) -> str:
    """Say whose body it is: a person's, by session or token, or else an address's."""
    person = request.session.get(SESSION_KEY)
    _word, _, key = request.headers.get("Authorization", "").partition(" ")
    if person is None and key:
        tokens = AccessToken.objects.alive().filter(digest=digest(key.strip()))
        person = tokens.values_list("user_id", flat=True).first()
    return f"address {client_address(request)}" if person is None else f"person {person}"


def _asker(request: HttpRequest) -> str:
    """Say for whom pictures are decoded; '' where nobody can be told from others."""
    who = sender(request)
    if who.startswith("person"):
        return who
    if request.session.session_key:  # a visitor of a share link: several may have one address
        return f"visitor {request.session.session_key}"
    return "" if is_unnamed_proxy(request) else who


def _length(request: HttpRequest) -> int:
    if request.headers.get("Transfer-Encoding"):
        return LARGE  # nobody knows: it counts
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _refuse(request: HttpRequest, status: int) -> HttpResponseBase:
    message = _("Too many uploads at once. Try again in a few seconds.")
    if request.path_info.startswith("/api/"):
        response: HttpResponseBase = problems.response(status, message)
    else:
        response = render(request, "503.html", {"message": message}, status=status)
    response["Retry-After"] = str(RETRY)
    response["Connection"] = "close"  # the body is not read
    return response
