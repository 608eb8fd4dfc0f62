"""What forms send."""

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
