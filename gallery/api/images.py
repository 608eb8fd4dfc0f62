"""Pictures in the API."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

import django_filters
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.db.models import Prefetch
from django.utils.crypto import salted_hmac
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from gallery import access, corrections, extractor_switch, favourites, ingest, tagging, trash
from gallery.access import AnyUser
from gallery.api.created import created
from gallery.api.parsers import JSONParser
from gallery.api.problems import NoRoom
from gallery.api.strict import StrictSerializer, TagText, Text
from gallery.destination import Destination, destination
from gallery.files.downloads import wants_metadata
from gallery.files.responses import send_original, send_thumbnail
from gallery.files.thumbnails import SIZES
from gallery.imaging import dates
from gallery.imaging.dates import Moment
from gallery.imaging.metadata import Beside
from gallery.models import Image, ImageTag, Tag
from gallery.models.image import MAX_CAPTION
from gallery.models.tag import normalize
from gallery.refusal import NoRoomError, RefusedError


def signed_in(request: Request) -> User:
    """Give the person of a request that the API's permission classes let through."""
    return cast(User, request.user)


def sync_key(user: AnyUser, pk: int) -> str:
    """Return what stands for a picture towards one person: nobody guesses it, and another's is another."""
    return salted_hmac("picfusion.sync", f"{user.pk} {pk}").hexdigest()[:20]


class ImageTagSerializer(serializers.ModelSerializer):
    name = Text(source="tag.name")

    class Meta:
        model = ImageTag
        fields = ["name", "confidence", "source"]


def shown_tags() -> Any:
    """Return the tags that people see on pictures."""
    return ImageTag.objects.shown(extractor_switch.current().key).select_related("tag")


class ImageSerializer(serializers.ModelSerializer):
    """A picture with its tags."""

    owner = Text(source="owner.username")
    tags = ImageTagSerializer(source="image_tags", many=True)
    error = serializers.SerializerMethodField()
    location = serializers.SerializerMethodField(
        help_text="Degrees north and east, where known and told to you."
    )
    place = serializers.SerializerMethodField(
        help_text="Town, region and country, where known and told to you."
    )
    taken = serializers.SerializerMethodField(
        help_text="When it was taken, by the clock of the place, as exactly as is known: 1987, 1987-06, "
        "2024-05-17 10:00:00; empty for unknown."
    )
    text = Text(help_text="What is written in the picture, as far as it was read.")
    is_favourite = serializers.BooleanField(help_text="Whether you gave it a heart.")
    sync_key = serializers.SerializerMethodField(help_text="What changes/ calls the picture once it is gone.")
    original = serializers.SerializerMethodField()
    thumbnails = serializers.SerializerMethodField()

    class Meta:
        model = Image
        fields = [
            "id",
            "owner",
            "filename",
            "format",
            "size_bytes",
            "width",
            "height",
            "taken_at",
            "taken",
            "taken_is_guess",
            "turn",
            "is_cut_off",
            "location",
            "place",
            "caption",
            "text",
            "is_favourite",
            "created_at",
            "sha256",
            "status",
            "error",
            "tags",
            "sync_key",
            "original",
            "thumbnails",
        ]

    @staticmethod
    def related() -> Prefetch:
        """Return what is fetched beside the pictures, so that a list takes a constant number of queries."""
        return Prefetch("image_tags", shown_tags())

    @classmethod
    def with_related(cls, images: Any, user: AnyUser) -> Any:
        """Return the queryset with everything that this serializer shows to `user`."""
        shown = access.as_seen_by(images, user).select_related("owner", "text_in_image")
        return shown.prefetch_related(cls.related())

    @extend_schema_field(OpenApiTypes.STR)
    def get_error(self, image: Image) -> str:
        return image.get_error_display() if access.may_see_error(self.context["request"].user, image) else ""

    @extend_schema_field({"type": "array", "items": {"type": "number"}, "nullable": True})
    def get_location(self, image: Image) -> list[float] | None:
        if image.latitude is None or image.longitude is None or not image.sees_location:
            return None
        return [image.latitude, image.longitude]

    @extend_schema_field(OpenApiTypes.STR)
    def get_taken(self, image: Image) -> str:
        return corrections.local_text(image.clock, image.taken_precision)

    @extend_schema_field(OpenApiTypes.STR)
    def get_place(self, image: Image) -> str:
        return image.place if image.sees_location else ""

    def get_sync_key(self, image: Image) -> str:
        return sync_key(self.context["request"].user, image.pk)

    @extend_schema_field(OpenApiTypes.URI)
    def get_original(self, image: Image) -> str:
        return reverse("api-image-original", args=[image.pk], request=self.context["request"])

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string", "format": "uri"}})
    def get_thumbnails(self, image: Image) -> dict[str, str]:
        request = self.context["request"]
        return {
            size: reverse("api-image-thumbnail", args=[image.pk, size], request=request) + image.look
            for size in SIZES
        }


def _called(name: str) -> list[int]:
    """Return the number of the tag of this name, or of what it is called instead, if there is one."""
    return list(Tag.objects.ids_of({name}).values())


def tag_name(field: str, text: str) -> str:
    """Normalize a tag that a request names in this field; ValidationError (a 400) where it cannot be one."""
    try:
        return normalize(text)
    except DjangoValidationError as error:
        raise ValidationError({field: error.messages}) from error


class TagNameSerializer(StrictSerializer):
    name = TagText()

    def validate_name(self, name: str) -> str:
        try:
            return normalize(name)
        except DjangoValidationError as error:
            raise ValidationError(error.messages) from error


class CorrectionSerializer(serializers.Serializer):
    """What a person may say of a picture."""

    caption = Text(max_length=MAX_CAPTION, allow_blank=True, trim_whitespace=False)
    taken = Text(
        max_length=40,
        allow_blank=True,
        help_text="By the clock of the place: 1987, 1987-06, 2024-05-17 10:00 and so on; '' for unknown.",
    )
    place = Text(
        max_length=200,
        allow_blank=True,
        help_text="Its name, or degrees north and east as in 48.85, 2.35; empty for unknown. Your own alone.",
    )
    turn = serializers.IntegerField(
        min_value=0, max_value=3, help_text="Quarters clockwise, of the original."
    )

    def validate_taken(self, text: str) -> Moment | None:
        return _checked(corrections.parse_date, text)

    def validate_place(self, text: str) -> Any:
        return _checked(corrections.parse_place, text)

    def save_for(self, image: Image, user: User) -> None:
        """Note what was said; ValidationError where this person may not say it."""
        images, said = Image.objects.filter(pk=image.pk), self.validated_data
        if "place" in said:
            if not access.placeable_images(user).filter(pk=image.pk).exists():
                raise ValidationError({"place": ["Only the picture's owner can change this."]})
            corrections.set_place(images, *said["place"])
        if "caption" in said:
            corrections.set_caption(images, said["caption"])
        if "taken" in said:
            corrections.set_date(images, said["taken"])
        if "turn" in said:
            corrections.turn(images, said["turn"] - image.turn)

    def validate(self, data: Any) -> Any:
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            raise ValidationError({name: ["This can't be changed."] for name in unknown})
        return data


def _checked(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except DjangoValidationError as error:
        raise ValidationError(error.messages) from error


class UploadSerializer(StrictSerializer):
    file = serializers.FileField(
        allow_empty_file=True, help_text="A picture; its content decides, not its name."
    )
    album_id = serializers.IntegerField(
        min_value=1, max_value=2**53, required=False, help_text="An album that it goes into."
    )
    album = Text(
        max_length=200, required=False, allow_blank=True,
        help_text="Or the title of an album of yours; it is made where you have none of this title.",
    )  # fmt: skip
    tags = Text(
        max_length=2000, required=False, allow_blank=True, help_text="Tags that it gets, commas between them."
    )

    modified = serializers.DateTimeField(
        required=False,
        help_text="When the file was changed last: the date of pictures that know none themselves.",
    )

    def beside(self) -> Beside:
        """Return what is known of the file besides its content."""
        said = self.validated_data
        modified = said["modified"].timestamp() if "modified" in said else None
        return Beside(taken=dates.guess(said["file"].name, modified))

    def destination_for(self, user: User) -> Destination:
        """Look up where the picture goes; a 400 that names the field for what cannot be."""
        said = self.validated_data
        try:
            return destination(
                user, said.get("album_id"), said.get("album", ""), said.get("tags", "").split(",")
            )
        except DjangoValidationError as error:
            raise ValidationError(error.message_dict) from error


class UploadedSerializer(ImageSerializer):
    """A picture that was uploaded."""

    was_in_trash = serializers.BooleanField(help_text="Whether it was in your trash, and is back from it.")

    class Meta(ImageSerializer.Meta):
        fields = [*ImageSerializer.Meta.fields, "was_in_trash"]


class ImageFilter(django_filters.FilterSet):
    tag = django_filters.CharFilter(method="carrying", help_text="Only pictures that carry this tag.")

    class Meta:
        model = Image
        fields = {"status": ["exact"], "format": ["exact"]}

    def carrying(self, images: Any, field: str, tag: str) -> Any:
        return images.filter(
            pk__in=shown_tags().filter(tag__in=_called(tag_name("tag", tag))).values("image_id")
        )


class ImageViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """The pictures that you may see."""

    queryset = Image.objects.none()
    serializer_class = ImageSerializer
    filterset_class = ImageFilter
    parameters: ClassVar[dict] = {"original": ["with"], "thumbnail": ["turn"], "remove_tag": ["name"]}
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    lookup_value_converter = "int"

    def get_queryset(self) -> Any:
        user = self.request.user
        rules: dict[str, Callable[[AnyUser], Any]] = {
            "destroy": access.deletable_images,
            "partial_update": access.correctable_images,
            "favourite": access.visible_images,
            "remove_favourite": access.visible_images,
            "add_tag": access.taggable_images,
            "remove_tag": access.taggable_images,
            "thumbnail": access.servable_images,
            "original": lambda user: access.with_location(access.visible_images(user), user),
        }
        if rule := rules.get(self.action):
            return rule(user)
        return ImageSerializer.with_related(access.visible_images(user), user)

    @extend_schema(request=UploadSerializer, responses={201: UploadedSerializer, 200: UploadedSerializer})
    def create(self, request: Request) -> Response:
        """Upload one picture: 201 when it was added, 200 when you have it already."""
        form = UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        goes_to = form.destination_for(signed_in(request))
        try:
            added = ingest.add(signed_in(request), form.validated_data["file"], beside=form.beside())
        except NoRoomError as refusal:
            raise NoRoom({"file": [str(refusal)]}) from refusal
        except RefusedError as refusal:
            raise ValidationError({"file": [str(refusal)]}) from refusal
        goes_to.receive(added.image)
        image = ImageSerializer.with_related(Image.objects.all(), request.user).get(pk=added.image.pk)
        data = self.get_serializer(image).data | {"was_in_trash": added.was_trashed}
        return created(request, "api-image-detail", image.pk, data, added.created)

    @extend_schema(request=CorrectionSerializer, responses=ImageSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Say what the picture shows, when and where it was taken, and how it is turned."""
        image = self.get_object()
        form = CorrectionSerializer(image, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        with transaction.atomic():
            form.save_for(image, signed_in(request))
        changed = ImageSerializer.with_related(Image.objects.all(), request.user).get(pk=image.pk)
        return Response(self.get_serializer(changed).data)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["put"], filterset_class=None)
    def favourite(self, request: Request, pk: int) -> Response:
        """Give the picture a heart, for yourself."""
        favourites.add(signed_in(request), self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={204: None})
    @favourite.mapping.delete
    def remove_favourite(self, request: Request, pk: int) -> Response:
        """Take your heart away."""
        favourites.remove(signed_in(request), self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def perform_destroy(self, image: Image) -> None:
        """Into the trash, for thirty days."""
        trash.move(Image.objects.filter(pk=image.pk))

    @extend_schema(responses={(200, "image/*"): OpenApiResponse(OpenApiTypes.BINARY, "The file as uploaded")})
    @action(detail=True, url_name="original")
    def original(self, request: Request, pk: int) -> Any:
        """Download the file as it was uploaded, byte for byte.

        Without its location where you are not told that.
        """
        image = self.get_object()
        return send_original(request, image, image.sees_location, wants_metadata(request.query_params))

    @extend_schema(responses={(200, "image/jpeg"): OpenApiTypes.BINARY})
    @action(detail=True, url_path="thumbnails/<slug:size>", url_name="thumbnail", filterset_class=None)
    def thumbnail(self, request: Request, pk: int, size: str) -> Any:
        """Return a JPEG of the picture: small, medium or large."""
        return send_thumbnail(request, self.get_object(), size)

    @extend_schema(responses=ImageTagSerializer(many=True))
    @action(
        detail=True,
        pagination_class=None,
        filterset_class=None,
        parser_classes=[JSONParser, FormParser, MultiPartParser],
    )
    def tags(self, request: Request, pk: int) -> Response:
        """Return the picture's tags, surest first."""
        return Response(ImageTagSerializer(self.get_object().image_tags.all(), many=True).data)

    @extend_schema(request=TagNameSerializer, responses={201: ImageTagSerializer})
    @tags.mapping.post
    def add_tag(self, request: Request, pk: int) -> Response:
        """Give the picture a tag."""
        image_tag = tagging.add(self.get_object(), self._tag_name(request))
        return created(request, "api-image-tags", pk, ImageTagSerializer(image_tag).data)

    @extend_schema(parameters=[TagNameSerializer], responses={204: None})
    @tags.mapping.delete
    def remove_tag(self, request: Request, pk: int) -> Response:
        """Remove a tag from the picture permanently: no extractor adds it again."""
        image, name = self.get_object(), self._tag_name(request)
        if not shown_tags().filter(image=image, tag__in=_called(name)).exists():
            raise ValidationError({"name": ["The picture does not carry this tag."]})
        tagging.remove(image, name)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @staticmethod
    def _tag_name(request: Request) -> str:
        form = TagNameSerializer(data=request.data or request.query_params)
        form.is_valid(raise_exception=True)
        return form.validated_data["name"]
