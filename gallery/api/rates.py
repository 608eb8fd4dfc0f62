"""How much a person may ask of the API in a minute, told in each answer.

The header fields are RateLimit-Policy and RateLimit, as draft-ietf-httpapi-ratelimit-headers has them. Counts
are kept in the cache.
"""

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from gallery.client_address import client_address

MINUTE = 60


class Rate(BaseThrottle):
    """Counts by person, and by address for whoever is nobody yet, in whole minutes."""

    def allow_request(self, request: Request, view: Any) -> bool:
        most = settings.API_REQUESTS_PER_MINUTE
        if not most:
            return True
        person = getattr(request.user, "pk", None)
        who = f"person-{person}" if person else f"address-{client_address(request)}"
        now = time.time()
        key = f"api-{who}-{int(now // MINUTE)}"
        cache.add(key, 0, MINUTE * 2)
        try:
            count = cache.incr(key)
        except ValueError:  # it was thrown away in between
            count = 1
        self.left = MINUTE - int(now % MINUTE)
        fields = {
            "RateLimit-Policy": f'"minute";q={most};w={MINUTE}',
            "RateLimit": f'"minute";r={max(0, most - count)};t={self.left}',
        }
        request._request.__dict__["rate_fields"] = fields
        return count <= most

    def wait(self) -> float:
        return self.left


def tell(request: Any, response: Any) -> None:
    """Write what is left of the minute into an answer."""
    for name, value in getattr(request, "rate_fields", {}).items():
        response[name] = value
