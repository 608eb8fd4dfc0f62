"""Share links in the API."""

from typing import Any, ClassVar

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from gallery import access
from gallery.api.created import created
from gallery.api.images import signed_in
from gallery.api.strict import StrictSerializer, Text
from gallery.models import ShareLink
from gallery.models.share_link import MOST_IMAGES


class ShareLinkSerializer(serializers.ModelSerializer):
    """A share link as its list shows it: never its address, which nobody knows but whoever has it."""

    album_id = serializers.IntegerField(allow_null=True)
    pictures = serializers.IntegerField(source="number", help_text="How many single pictures it names.")
    has_password = serializers.SerializerMethodField()
    allow_originals = serializers.BooleanField(source="allow_download")

    class Meta:
        model = ShareLink
        fields = [
            "id", "title", "album_id", "pictures", "has_password", "expires_at", "allow_originals",
            "shows_location", "allow_uploads", "has_preview", "views", "created_at", "ended_at", "is_alive",
        ]  # fmt: skip

    def get_has_password(self, link: ShareLink) -> bool:
        return bool(link.password)


class LinkTermsSerializer(StrictSerializer):
    """What a link is called and allows."""

    title = Text(max_length=200)
    password = Text(
        max_length=128, allow_blank=True, required=False, trim_whitespace=False, help_text="'' for none."
    )
    expires_at = serializers.DateTimeField(allow_null=True, required=False, help_text="null for never.")
    allow_originals = serializers.BooleanField(required=False, default=False)
    shows_location = serializers.BooleanField(required=False, default=False)
    allow_uploads = serializers.BooleanField(
        required=False, default=False, help_text="Guests may add pictures; of an album's link."
    )
    has_preview = serializers.BooleanField(required=False, default=True)

    def validate_expires_at(self, value: Any) -> Any:
        if value and value <= timezone.now():
            raise ValidationError("This must be in the future.")
        return value

    def apply_to(self, link: ShareLink) -> None:
        """Take over what was said; nothing is saved."""
        said = dict(self.validated_data)
        if "password" in said:
            link.set_password(said.pop("password"))
        if said.get("allow_uploads") and link.album_id is None:
            raise ValidationError({"allow_uploads": ["Guests can only add pictures to an album."]})
        for name, value in said.items():
            setattr(link, "allow_download" if name == "allow_originals" else name, value)


class NewLinkSerializer(LinkTermsSerializer):
    """An album or pictures of your own, and what the link allows."""

    album_id = serializers.IntegerField(min_value=1, max_value=2**53, required=False)
    image_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**53),
        required=False, min_length=1, max_length=MOST_IMAGES,
    )  # fmt: skip

    def validate(self, data: Any) -> Any:
        if ("album_id" in data) == ("image_ids" in data):
            raise ValidationError({"album_id": ["Name an album or pictures: one of both."]})
        return super().validate(data)


class MadeLinkSerializer(ShareLinkSerializer):
    url = serializers.URLField(help_text="The link itself. Told only here.")

    class Meta(ShareLinkSerializer.Meta):
        fields = [*ShareLinkSerializer.Meta.fields, "url"]


class ShareLinkViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """Your share links."""

    queryset = ShareLink.objects.none()
    serializer_class = ShareLinkSerializer
    filterset_class = None
    orderings: ClassVar = {"title": "title", "created_at": "created_at"}
    lookup_value_converter = "int"

    def get_queryset(self) -> Any:
        links = (
            ShareLink.objects.alive() if self.action in ("destroy", "partial_update") else ShareLink.objects
        )
        return access.owned(links, self.request.user).annotate(number=Count("images")).order_by("-pk")

    @extend_schema(request=NewLinkSerializer, responses={201: MadeLinkSerializer})
    def create(self, request: Request) -> Response:
        """Make a link; the answer alone has its address."""
        form = NewLinkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        link = ShareLink(owner=signed_in(request))
        ids = form.validated_data.pop("image_ids", [])
        if (album_id := form.validated_data.pop("album_id", None)) is not None:
            link.album = access.shareable_albums(request.user).filter(pk=album_id).first()
            if link.album is None:
                raise ValidationError({"album_id": ["You have no such album."]})
        images = list(access.shareable_images(request.user).filter(pk__in=ids))
        if len(images) < len(set(ids)):
            raise ValidationError({"image_ids": ["One of these pictures is not yours, or no longer exists."]})
        form.apply_to(link)
        token = link.new_token()
        link.save()
        link.images.set(images)
        url = request.build_absolute_uri(reverse("shared", args=[token]))
        data = ShareLinkSerializer(self.get_queryset().get(pk=link.pk)).data | {"url": url}
        return created(request, "api-share-link-detail", link.pk, data)

    @extend_schema(request=LinkTermsSerializer, responses=ShareLinkSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what a link is called and allows; its address stays."""
        link = self.get_object()
        form = LinkTermsSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        form.apply_to(link)
        link.save_terms()
        return Response(ShareLinkSerializer(link).data)

    def perform_destroy(self, link: ShareLink) -> None:
        """Revoke it: it shows nothing any more."""
        link.end()
