"""The trash in the API."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from gallery import access, trash
from gallery.api.images import ImageSerializer
from gallery.models import Image


class TrashedSerializer(ImageSerializer):
    """A picture in the trash."""

    trashed_at = serializers.DateTimeField(help_text="Thirty days later it is deleted for good.")

    class Meta(ImageSerializer.Meta):
        fields = [*ImageSerializer.Meta.fields, "trashed_at"]


class CountSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many pictures it was done with.")


class TrashViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """Your pictures in the trash, latest first."""

    queryset = Image.objects.none()
    serializer_class = TrashedSerializer
    filterset_class = None
    orderings: ClassVar = {"trashed_at": "trashed_at", "size": "size_bytes", "filename": "filename"}
    lookup_value_converter = "int"

    def get_queryset(self) -> Any:
        found = access.trashed_images(self.request.user)
        if self.action in ("list", "retrieve"):
            found = TrashedSerializer.with_related(found, self.request.user).order_by("-trashed_at", "-pk")
        return found

    def perform_destroy(self, image: Image) -> None:
        """Delete it for good."""
        trash.delete_for_good(Image.objects.filter(pk=image.pk))

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: int) -> Response:
        """Bring the picture back, with its tags and albums."""
        trash.restore(Image.objects.filter(pk=self.get_object().pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={200: CountSerializer, 202: CountSerializer})
    @action(detail=False, methods=["post"])
    def empty(self, request: Request) -> Response:
        """Delete everything in your trash for good: 200 once it is done, 202 while the worker is at it."""
        count, is_going_on = trash.empty(request.user)
        return Response({"count": count}, status.HTTP_202_ACCEPTED if is_going_on else status.HTTP_200_OK)
