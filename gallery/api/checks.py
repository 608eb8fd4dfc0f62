"""Which files are here already, before anybody sends their bytes."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import access
from gallery.api.strict import StrictSerializer, Text

MOST = 10_000
AT_A_TIME = 900  # in one statement


class HashesSerializer(StrictSerializer):
    sha256 = serializers.ListField(
        child=serializers.RegexField(r"\A[0-9a-fA-F]{64}\Z"),
        min_length=1, max_length=MOST, help_text="Of whole files, in hex.",
    )  # fmt: skip


class KnownFileSerializer(serializers.Serializer):
    sha256 = Text()
    image_id = serializers.IntegerField()
    is_in_trash = serializers.BooleanField()


class KnownFilesSerializer(serializers.Serializer):
    there = KnownFileSerializer(many=True, help_text="Those of the files that you have here.")
    missing = serializers.ListField(child=Text(), help_text="The others.")


class CheckView(APIView):
    """Say which of many files you have here already."""

    reads_only = True

    @extend_schema(request=HashesSerializer, responses=KnownFilesSerializer)
    def post(self, request: Request) -> Response:
        """Look up files by their SHA-256, up to ten thousand at once."""
        form = HashesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = list(dict.fromkeys(own.lower() for own in form.validated_data["sha256"]))
        there: dict[str, dict[str, Any]] = {}
        for start in range(0, len(asked), AT_A_TIME):
            own = access.stored_images(request.user).filter(sha256__in=asked[start : start + AT_A_TIME])
            for sha256, pk, trashed_at in own.values_list("sha256", "pk", "trashed_at"):
                there[sha256] = {"sha256": sha256, "image_id": pk, "is_in_trash": trashed_at is not None}
        missing = [sha256 for sha256 in asked if sha256 not in there]
        return Response({"there": [there[own] for own in asked if own in there], "missing": missing})
