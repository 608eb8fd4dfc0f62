"""Serializers that refuse what they do not know, instead of passing it over."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError


class StrictSerializer(serializers.Serializer):
    """Fields that are not here are an error that names them."""

    def validate(self, data: Any) -> Any:
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            raise ValidationError({name: ["There is no such field."] for name in unknown})
        return data
