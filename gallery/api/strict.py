"""Serializers that refuse what they do not know, instead of passing it over."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from gallery.models.tag import MAX_TAG_LENGTH

LOOKS_ITSELF: tuple[str, ...] = ("LOOKS_ITSELF",)


def refuse_unknown(request: Request, known: Iterable[str]) -> None:
    """Raise ValidationError, a 400, for parameters in the address that are not among the known ones."""
    if unknown := sorted(set(request.query_params) - set(known)):
        raise ValidationError({name: ["There is no such parameter."] for name in unknown})


class KnownParameters(BasePermission):
    """Refuse parameters that an operation does not know: a 400 that names them.

    A view says by `parameters` which ones an action, or a method, takes; what looks at its own, as lists do,
    has LOOKS_ITSELF there.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        method = (request.method or "").lower().replace("head", "get")
        operation = getattr(view, "action", None) or method
        usual = {"list": LOOKS_ITSELF} | ({"get": LOOKS_ITSELF} if hasattr(view, "paginator") else {})
        known = (usual | getattr(view, "parameters", {})).get(operation, ())
        if known is not LOOKS_ITSELF and request.method != "OPTIONS":
            refuse_unknown(request, known)
        return True


class Choice(serializers.ChoiceField):
    """One of a few words; what is wrong is said with them."""

    def fail(self, key: str, **kwargs: Any) -> Any:
        if key == "invalid_choice":
            raise ValidationError(f"Choose one of: {', '.join(map(str, self.choices))}.", code=key)
        super().fail(key, **kwargs)


class Text(serializers.CharField):
    """A text that has to be one: a number is no name, though it could be written as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class TagText(Text):
    """A tag's name, of which normalize checks the rest."""

    default_error_messages = {"max_length": "A tag has at most {max_length} characters."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_TAG_LENGTH, **options)


class TextModelSerializer(serializers.ModelSerializer):
    """A model's serializer, whose texts have to be texts."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.CharField: Text,
        models.TextField: Text,
    }
    serializer_choice_field = Choice


def asked(request: Request) -> dict[str, Any]:
    """Return the parameters in the address as they are: of a form's, empty ones would count as left out."""
    return request.query_params.dict()


class Strict:
    """Fields that are not here are an error that names them."""

    initial_data: Any
    fields: Any

    def validate(self, data: Any) -> Any:
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            raise ValidationError({name: ["There is no such field."] for name in unknown})
        return super().validate(data)  # type: ignore[misc]


class StrictSerializer(Strict, serializers.Serializer):
    """What a request says, and nothing else."""


class StrictScheme(OpenApiSerializerExtension):
    """Says in the API's description that there are no other fields."""

    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return schema | {"additionalProperties": False}
