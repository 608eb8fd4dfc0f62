"""Forms that do something once, however often their answer is reloaded.

A form's page gives it a number in the hidden field `once`; a number that came before is not done again.
"""

import secrets

from django.http import HttpRequest

MOST = 20  # numbers that are remembered


def new() -> str:
    """Make up a form's number."""
    return secrets.token_urlsafe(9)


def is_repeated(request: HttpRequest) -> bool:
    """Say whether this very form was sent before, and remember it. One without a number never was."""
    number = request.POST.get("once", "")
    if not number:
        return False
    done = request.session.get("once", [])
    if number in done:
        return True
    request.session["once"] = [*done, number[:20]][-MOST:]
    return False
