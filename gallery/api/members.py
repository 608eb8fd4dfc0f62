"""Who takes part in an album, in the API."""

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from gallery import access, memberships
from gallery.api.created import created
from gallery.api.strict import Choice, StrictSerializer, Text
from gallery.models import Album, AlbumMember


class MemberSerializer(serializers.ModelSerializer):
    username = Text(source="user.username")

    class Meta:
        model = AlbumMember
        fields = ["id", "username", "role", "seen_at"]


class RoleSerializer(StrictSerializer):
    role = Choice(AlbumMember.Role.choices)


class NewMemberSerializer(RoleSerializer):
    username = Text(max_length=150)
    role = Choice(
        AlbumMember.Role.choices, required=False, help_text="Viewer, for who is new; members keep theirs."
    )


class MemberViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """The members of an album that you see, besides its owner."""

    queryset = AlbumMember.objects.none()
    serializer_class = MemberSerializer
    filterset_class = None
    orderings: ClassVar = {"username": "user__username", "role": "role"}
    lookup_value_converter = "int"

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        album = self._album(access.visible_albums(self.request.user))
        found = AlbumMember.objects.filter(album=album)
        if self.action == "destroy":
            found = access.removable_memberships(self.request.user, album)
        return found.select_related("user").order_by("user__username")

    def _album(self, albums: Any) -> Album:
        return get_object_or_404(albums, pk=self.kwargs["album"])

    @extend_schema(request=NewMemberSerializer, responses={201: MemberSerializer, 200: MemberSerializer})
    def create(self, request: Request, album: int) -> Response:
        """Invite a person, or give a member another role (200); the album's owner may."""
        found = self._album(access.owned_albums(request.user))
        form = NewMemberSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        person = User.objects.filter(username=said["username"], is_active=True).first()
        if person is None:
            raise ValidationError({"username": ["There is no such person."]})
        if person.pk == found.owner_id:
            raise ValidationError({"username": ["The owner can't be added as a member."]})
        address = request.build_absolute_uri(found.get_absolute_url())
        before = AlbumMember.objects.filter(album=found, user=person).values_list("role", flat=True).first()
        role = said.get("role") or before or AlbumMember.Role.VIEWER
        member, is_new = memberships.invite(found, person, role, address)
        return created(
            request, "api-member-detail", (album, member.pk), MemberSerializer(member).data, is_new
        )

    @extend_schema(request=RoleSerializer, responses=MemberSerializer)
    def partial_update(self, request: Request, album: int, pk: int) -> Response:
        """Give a member another role; the album's owner may."""
        found = self._album(access.owned_albums(request.user))
        member = get_object_or_404(AlbumMember.objects.select_related("user"), album=found, pk=pk)
        form = RoleSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        member.role = form.validated_data["role"]
        member.save(update_fields=["role"])
        return Response(MemberSerializer(member).data)
