"""Headers of every answer that tell browsers what a page may do."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# Everything comes from the site itself, nothing stands in the page. blob: and data: are previews and icons.
CONTENT = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in ("accelerometer", "camera", "geolocation", "gyroscope", "microphone", "payment", "usb")
)


def browser_rules(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Send a Content-Security-Policy without anything inline, and a Permissions-Policy."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response

    return middleware
