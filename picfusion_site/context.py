"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict:
    """Return the theme that this browser chose, the version, and whether anybody may make an account."""
    theme = request.COOKIES.get("theme", "auto")
    return {
        "theme": theme if theme in ("light", "dark") else "auto",
        "open_registration": settings.OPEN_REGISTRATION,
        "version": settings.VERSION,
    }
