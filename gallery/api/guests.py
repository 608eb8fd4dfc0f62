"""Pictures that guests of your share links sent, in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from gallery import access, guests
from gallery.api.strict import StrictSerializer, Text
from gallery.api.trash import CountSerializer
from gallery.models import GuestPicture

MOST = 200


class GuestPictureSerializer(serializers.ModelSerializer):
    filename = Text(source="image.filename")
    width = serializers.IntegerField(source="image.width")
    height = serializers.IntegerField(source="image.height")
    size_bytes = serializers.IntegerField(source="image.size_bytes")

    class Meta:
        model = GuestPicture
        fields = [
            "id",
            "image_id",
            "filename",
            "width",
            "height",
            "size_bytes",
            "name",
            "album_id",
            "created_at",
        ]


class ChosenSerializer(StrictSerializer):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**53), min_length=1, max_length=MOST
    )


class GuestPictureViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """Pictures from guests that wait for your yes or no; nobody else sees them."""

    queryset = GuestPicture.objects.none()
    serializer_class = GuestPictureSerializer
    filterset_class = None

    def get_queryset(self) -> Any:
        return access.guest_pictures(self.request.user).select_related("image")

    @extend_schema(request=ChosenSerializer, responses=CountSerializer)
    @action(detail=False, methods=["post"])
    def accept(self, request: Request) -> Response:
        """Take these into your library, and into the album that they were sent to."""
        return Response({"count": guests.accept(self._chosen(request))})

    @extend_schema(request=ChosenSerializer, responses=CountSerializer)
    @action(detail=False, methods=["post"])
    def decline(self, request: Request) -> Response:
        """Move these to the trash."""
        return Response({"count": guests.decline(self._chosen(request))})

    def _chosen(self, request: Request) -> Any:
        form = ChosenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        found = access.guest_pictures(request.user).select_related("image__owner", "album")
        return found.filter(pk__in=form.validated_data["ids"])
