"""Serializers that refuse what they do not know, instead of passing it over."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request


def refuse_unknown(request: Request, known: Iterable[str]) -> None:
    """Raise ValidationError, a 400, for parameters in the address that are not among the known ones."""
    if unknown := sorted(set(request.query_params) - set(known)):
        raise ValidationError({name: ["There is no such parameter."] for name in unknown})


class StrictSerializer(serializers.Serializer):
    """Fields that are not here are an error that names them."""

    def validate(self, data: Any) -> Any:
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            raise ValidationError({name: ["There is no such field."] for name in unknown})
        return data
