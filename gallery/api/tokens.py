"""API tokens: made with a password or by another token, listed, revoked."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import access, access_tokens, throttle
from gallery.api.created import created
from gallery.api.images import signed_in
from gallery.api.strict import KnownParameters, Strict, Text, TextModelSerializer
from gallery.models import AccessToken
from gallery.refusal import RefusedError


class ThrottledTokenSerializer(Strict, AuthTokenSerializer):
    """A user name and a password, which is not even looked at while attempts have to wait."""

    token_name = Text(
        max_length=100, default="API", write_only=True, help_text="What it is called in the list of tokens."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        request = self.context["request"]
        guards = throttle.sign_in_guards(request, attrs.get("username") or "")
        if seconds := throttle.attempt(guards):
            raise Throttled(wait=seconds)
        try:
            data = super().validate(attrs)
        except ValidationError:
            throttle.failed("API sign-in", request)
            raise
        throttle.succeeded(guards)
        return data


class KeySerializer(serializers.Serializer):
    token = Text(help_text="The key, which is told only here.")


class TokenView(APIView):
    """Trade a user name and password for a new API token; guessing is slowed down."""

    authentication_classes = ()
    permission_classes = (KnownParameters,)

    @extend_schema(request=ThrottledTokenSerializer, responses=KeySerializer, auth=[])
    def post(self, request: Request) -> Response:
        form = ThrottledTokenSerializer(data=request.data, context={"request": request})
        form.is_valid(raise_exception=True)
        try:
            _, key = access_tokens.sign_in(form.validated_data["user"], form.validated_data["token_name"])
        except RefusedError as refusal:
            raise ValidationError({"non_field_errors": [str(refusal)]}) from refusal
        return Response({"token": key})


class AccessTokenSerializer(Strict, TextModelSerializer):
    """A token as its list shows it: never its key."""

    class Meta:
        model = AccessToken
        fields = ["id", "name", "beginning", "scope", "created_at", "expires_at", "used_at"]
        read_only_fields = ["beginning", "created_at", "used_at"]

    def validate_expires_at(self, value: Any) -> Any:
        if value and value <= timezone.now():
            raise ValidationError("This must be in the future.")
        return value


class NewTokenSerializer(AccessTokenSerializer):
    """A token that was just made, with its key."""

    key = Text(read_only=True, help_text="Told only here.")

    class Meta(AccessTokenSerializer.Meta):
        fields = [*AccessTokenSerializer.Meta.fields, "key"]


class AccessTokenViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """Your API tokens."""

    queryset = AccessToken.objects.none()
    serializer_class = AccessTokenSerializer
    filterset_class = None
    orderings: ClassVar = {"name": "name", "created_at": "created_at"}
    lookup_value_converter = "int"

    def get_queryset(self) -> Any:
        return access.own_tokens(self.request.user)

    @extend_schema(request=AccessTokenSerializer, responses={201: NewTokenSerializer})
    def create(self, request: Request) -> Response:
        """Make a token; the answer alone has its key."""
        form = AccessTokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            token, key = access_tokens.create(signed_in(request), **form.validated_data)
        except RefusedError as refusal:
            raise ValidationError({"non_field_errors": [str(refusal)]}) from refusal
        data = NewTokenSerializer(token).data | {"key": key}
        return created(request, "api-access-token-detail", token.pk, data)


class TokenScheme(OpenApiAuthenticationExtension):
    """How the API's description names the tokens."""

    target_class = "gallery.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Write 'Token KEY' or 'Bearer KEY'; keys are made on the account page.",
        }
