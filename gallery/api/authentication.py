"""Who calls the API: a token of a person's, or the session of a page."""

from typing import Any

from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from gallery.models import AccessToken
from gallery.models.access_token import digest


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Token KEY`, or `Bearer KEY`."""

    def authenticate(self, request: Request) -> tuple[Any, AccessToken] | None:
        words = authentication.get_authorization_header(request).split()
        if not words or words[0].lower() not in (b"token", b"bearer"):
            return None
        if len(words) != 2:
            raise exceptions.AuthenticationFailed("Write: Authorization: Token KEY.")
        token = (
            AccessToken.objects.alive()
            .select_related("user")
            .filter(digest=digest(words[1].decode("utf-8", "replace")), user__is_active=True)
            .first()
        )
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown, revoked or expired.")
        token.note_use()
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class TokenScope(permissions.BasePermission):
    """A token that may only read changes nothing; views whose POST only reads say so by `reads_only`."""

    message = "This token may only read."

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, AccessToken) or request.auth.scope == AccessToken.Scope.ALL:
            return True
        return request.method in permissions.SAFE_METHODS or getattr(view, "reads_only", False)
