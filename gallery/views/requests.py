"""What forms send."""

from django.http import HttpRequest, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form that was sent holds, be it nothing; None where none was sent, as Django's forms want it."""
    return request.POST if request.method == "POST" else None


def number(text: str) -> int | None:
    """A row's number as forms and addresses give it; None for what is none, or too large to be one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def numbers(texts: list[str], most: int) -> set[int] | None:
    """The numbers of from one to `most` rows; None where there are none, more, or one that is no number."""
    found = {number(text) for text in texts}
    return None if not texts or len(texts) > most or None in found else found


def back(request: HttpRequest, default: str) -> str:
    """The address in the form's `next`, if it is one of this site's, or else the default."""
    following = request.POST.get("next", "")
    return following if url_has_allowed_host_and_scheme(following, allowed_hosts=None) else default
