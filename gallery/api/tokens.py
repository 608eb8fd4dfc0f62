"""API tokens."""

from typing import Any

from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.authtoken.views import ObtainAuthToken
from rest_framework.exceptions import Throttled, ValidationError

from gallery import throttle


class ThrottledTokenSerializer(AuthTokenSerializer):
    """A user name and a password, which is not even looked at while attempts have to wait."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        request = self.context["request"]
        guards = throttle.sign_in_guards(request, attrs.get("username") or "")
        if seconds := throttle.wait(guards):
            raise Throttled(wait=seconds)
        try:
            data = super().validate(attrs)
        except ValidationError:
            throttle.failed(guards, "API sign-in", request)
            raise
        throttle.succeeded(guards)
        return data


class TokenView(ObtainAuthToken):
    """Trade a user name and password for an API token; guessing is slowed down."""

    serializer_class = ThrottledTokenSerializer
