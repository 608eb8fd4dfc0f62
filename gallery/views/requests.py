"""What forms send."""

from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.http import HttpRequest, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails


class SignedInRequest(HttpRequest):
    """A request as most views get it: who it is from is known, and whether htmx asks for a part of a page."""

    user: User
    htmx: HtmxDetails


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a posted form holds, even if empty; None where none was posted, as Django's forms need."""
    return request.POST if request.method == "POST" else None


def back(request: HttpRequest, default: str) -> str:
    """Return the address in the form's `next`, if it is one of this site's, or else the default."""
    following = request.POST.get("next", "")
    return following if url_has_allowed_host_and_scheme(following, allowed_hosts=None) else default


def came_from(request: HttpRequest) -> str:
    """Return the address on this site that a form stood on; '' where the browser does not tell."""
    told = urlsplit(request.headers.get("Referer", ""))
    if request.method != "POST" or told.netloc != request.get_host():
        return ""
    return told.path + (f"?{told.query}" if told.query else "")
