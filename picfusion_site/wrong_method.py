"""An address that takes forms alone, opened like a page: it says so, and leads to the page around it."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, get_script_prefix, resolve

Answers = Callable[[HttpRequest], HttpResponseBase]


def explained(get_response: Answers) -> Answers:
    """Put a page into a 405 that Django leaves empty: browsers would show nothing at all."""

    def answered(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        is_empty = response.status_code == 405 and not getattr(response, "content", b"")
        if not is_empty or request.path_info.startswith("/api/"):
            return response
        page = render(request, "405.html", _context(request.path_info), status=405)
        page["Allow"] = response["Allow"]
        return page

    return answered


def _context(path: str) -> dict[str, str]:
    """Guests of a link see no more of the site than on its other pages."""
    base = "shared_base.html" if path.startswith("/s/") else "base.html"
    return {"around": _around(path), "base": base}


def _around(path: str) -> str:
    """Return the nearest address above: that of the album, say, whose members a form changes."""
    parts = path.strip("/").split("/")[:-1]
    while parts:
        above = f"/{'/'.join(parts)}/"
        try:
            resolve(above)
        except Resolver404:
            parts.pop()
        else:
            return get_script_prefix().rstrip("/") + above
    return get_script_prefix()
