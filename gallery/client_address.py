"""Where a request comes from, as far as that can be trusted."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Give the client's IP address.

    X-Forwarded-For counts only where one of TRUSTED_PROXIES sent the request, and of it the last address that
    is not such a proxy itself: what stands before it, anybody can write.
    """
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    for earlier in reversed([part.strip() for part in forwarded.split(",")[-20:]]):
        if not _is_trusted(address):
            break
        address = earlier or address
    return address


def is_unnamed_proxy(request: HttpRequest) -> bool:
    """Say whether the request came by a proxy on this machine that TRUSTED_PROXIES does not name.

    Then everybody seems to come from the same address, and nobody must pay for another one's attempts.
    """
    try:
        loopback = ip_address(client_address(request)).is_loopback
    except ValueError:
        return True
    return loopback


def _is_trusted(address: str) -> bool:
    try:
        own = ip_address(address)
    except ValueError:
        return False
    return any(own in ip_network(proxy) for proxy in settings.TRUSTED_PROXIES)
