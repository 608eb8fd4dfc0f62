"""Albums in the API."""

from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError as DjangoValidationError
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from gallery import access, album_filling, album_order
from gallery.api.images import ImageSerializer
from gallery.api.strict import LOOKS_ITSELF, Strict, StrictSerializer, Text, TextModelSerializer
from gallery.files import downloads
from gallery.models import Album, AlbumImage, Image

NOT_INSIDE = "The cover must be one of the album's pictures."


class AlbumSerializer(Strict, TextModelSerializer):
    owner = Text(source="owner.username", read_only=True)
    pictures = serializers.IntegerField(read_only=True)
    my_role = serializers.SerializerMethodField(help_text="owner, editor, contributor or viewer.")

    # One sentence for pictures that are not there and for those that are somebody else's.
    cover = serializers.PrimaryKeyRelatedField(
        queryset=Image.objects.all(),
        required=False,
        allow_null=True,
        error_messages={"does_not_exist": NOT_INSIDE},
    )

    class Meta:
        model = Album
        fields = [
            "id",
            "owner",
            "title",
            "description",
            "order",
            "cover",
            "shows_location",
            "allows_talk",
            "created_at",
            "pictures",
            "my_role",
        ]

    def get_my_role(self, album: Album) -> str:
        return "owner" if album.owner_id == self.context["request"].user.pk else album.my_role or ""

    def validate_allows_talk(self, allows: bool) -> bool:
        return self.validate_shows_location(allows)

    def validate_shows_location(self, shows: bool) -> bool:
        if self.instance and not access.may_tell_location(self.context["request"].user, self.instance):
            raise ValidationError("Only the owner of an album decides this.")
        return shows

    def validate_cover(self, cover: Image | None) -> Image | None:
        if cover and not (self.instance and access.album_images(self.instance).filter(image=cover).exists()):
            raise ValidationError(NOT_INSIDE)
        return cover

    def validate_title(self, title: str) -> str:
        album = self.instance or Album(owner=self.context["request"].user)
        try:
            album.check_title(title)
        except DjangoValidationError as error:
            raise ValidationError(error.messages) from error
        return title


class AlbumImageSerializer(StrictSerializer):
    image_id = serializers.IntegerField(min_value=1, max_value=2**53)


class ArrangementSerializer(StrictSerializer):
    image_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**53), min_length=1
    )
    before = serializers.IntegerField(
        min_value=1,
        max_value=2**53,
        allow_null=True,
        default=None,
        help_text="The picture that they are to stand before.",
    )


class _Number(forms.IntegerField):
    """A number that is wrong when it is empty, instead of left out."""

    def clean(self, value: Any) -> Any:
        if value == "":
            raise DjangoValidationError("Must be a number.")
        return super().clean(value)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": 2**53})
class _NumberFilter(django_filters.NumberFilter):
    field_class = _Number


class AlbumFilter(django_filters.FilterSet):
    image_id = _NumberFilter(
        method="holding", min_value=1, max_value=2**53, help_text="Only albums that this picture is in."
    )

    def holding(self, albums: Any, field: str, image_id: int) -> Any:
        """Keep those that hold the picture, as far as this person sees it."""
        images = access.visible_images(self.request.user).filter(pk=image_id)
        return albums.filter(pk__in=AlbumImage.objects.filter(image__in=images).values("album"))


class AlbumViewSet(viewsets.ModelViewSet):
    """The albums that you own or are a member of."""

    queryset = Album.objects.none()
    serializer_class = AlbumSerializer
    filterset_class = AlbumFilter
    orderings: ClassVar = {"title": "title", "created_at": "created_at"}
    parameters: ClassVar = {"images": LOOKS_ITSELF, "remove_image": ["image_id"], "download": ["with"]}
    lookup_value_converter = "int"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_queryset(self) -> Any:
        rules = {
            "destroy": access.owned_albums,
            "partial_update": access.editable_albums,
            "add_image": access.fillable_albums,
            "arrange": access.editable_albums,
        }
        albums = rules.get(self.action, access.visible_albums)(self.request.user)
        albums = access.with_pictures(albums.select_related("owner"))
        return access.with_role(albums, self.request.user).order_by("title", "pk")

    def perform_create(self, serializer: Any) -> None:
        album = serializer.save(owner=self.request.user)
        album.pictures, album.my_role = 0, None

    def get_success_headers(self, data: Any) -> dict[str, str]:
        return {"Location": reverse("api-album-detail", args=[data["id"]], request=self.request)}

    @extend_schema(responses=ImageSerializer(many=True))
    @action(detail=True, filterset_class=None)
    def images(self, request: Request, pk: int) -> Response:
        """Return the album's pictures, in its order."""
        album = self.get_object()
        inside = Image.objects.filter(album_images__in=access.album_images(album))
        images = ImageSerializer.with_related(inside, request.user)
        images = images.order_by(*album.order_of("album_images__", ""))
        page = self.paginate_queryset(images)
        return self.get_paginated_response(
            ImageSerializer(page, many=True, context={"request": request}).data
        )

    @extend_schema(request=AlbumImageSerializer, responses={204: None})
    @images.mapping.post
    def add_image(self, request: Request, pk: int) -> Response:
        """Put a picture of your own into the album."""
        album, image_id = self.get_object(), self._image_id(request)
        image = access.addable_images(request.user).filter(pk=image_id).first()
        if image is None:
            raise ValidationError({"image_id": [f"You have no picture {image_id}."]})
        album_filling.put(album, [image.pk], request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(parameters=[AlbumImageSerializer], responses={204: None})
    @images.mapping.delete
    def remove_image(self, request: Request, pk: int) -> Response:
        """Take a picture out of the album."""
        links = access.removable_album_images(request.user, self.get_object())
        get_object_or_404(links, image_id=self._image_id(request)).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=ArrangementSerializer, responses={204: None})
    @action(detail=True, methods=["post"])
    def arrange(self, request: Request, pk: int) -> Response:
        """Move pictures together to another place; the album's order is by hand from then on."""
        album = self.get_object()
        form = ArrangementSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            album_order.place(
                album, form.validated_data["image_ids"], form.validated_data["before"] or "last"
            )
        except ValueError as error:
            raise ValidationError({"image_ids": [str(error)]}) from error
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        parameters=[OpenApiParameter("with", str, enum=["metadata"], description="Tags and captions, too.")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    @action(detail=True)
    def download(self, request: Request, pk: int) -> Any:
        """Download the album's originals as a ZIP, without the places that you are not told."""
        album = self.get_object()
        inside = Image.objects.filter(pk__in=access.album_images(album).values("image_id"))
        images = access.with_location(inside, request.user).order_by("pk")
        files = [(image, image.sees_location) for image in images]
        return downloads.zip_of(files, album.title, downloads.wants_metadata(request.query_params))

    @staticmethod
    def _image_id(request: Request) -> int:
        form = AlbumImageSerializer(data=request.data or request.query_params)
        form.is_valid(raise_exception=True)
        return form.validated_data["image_id"]
