"""Oneself, other people and invitations in the API."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import access, quota
from gallery.api.created import created
from gallery.api.images import signed_in
from gallery.api.strict import StrictSerializer, Text
from gallery.models import AccessToken, Image, Invitation


class UsageSerializer(serializers.Serializer):
    """What a person stores, the trash included; null for no limit."""

    bytes = serializers.IntegerField()
    pictures = serializers.IntegerField()
    most_bytes = serializers.IntegerField(allow_null=True)
    most_pictures = serializers.IntegerField(allow_null=True)


class MeSerializer(serializers.ModelSerializer):
    """Who is signed in, and what they have here."""

    may_invite = serializers.SerializerMethodField()
    usage = serializers.SerializerMethodField()
    waiting = serializers.SerializerMethodField(help_text="Pictures that are not searchable yet.")
    failed = serializers.SerializerMethodField(help_text="Pictures that could not be read.")
    from_guests = serializers.SerializerMethodField(help_text="Pictures from guests that wait for you.")

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "email",
            "is_staff",
            "may_invite",
            "usage",
            "waiting",
            "failed",
            "from_guests",
        ]
        read_only_fields = ["id", "username", "is_staff"]

    def get_may_invite(self, user: User) -> bool:
        return access.may_invite(user)

    @extend_schema_field(UsageSerializer)
    def get_usage(self, user: User) -> dict:
        return UsageSerializer(quota.usage(user)).data

    def get_waiting(self, user: User) -> int:
        return access.unread_images(user).exclude(status=Image.Status.FAILED).count()

    def get_failed(self, user: User) -> int:
        return access.unread_images(user).filter(status=Image.Status.FAILED).count()

    def get_from_guests(self, user: User) -> int:
        return access.guest_pictures(user).count()


class EmailSerializer(StrictSerializer):
    """What a person may change of themselves."""

    email = serializers.EmailField(allow_blank=True, max_length=254)


class MeView(APIView):
    """The person who is signed in."""

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Tell who you are, how much you store and may store, and how many pictures wait."""
        return Response(MeSerializer(signed_in(request)).data)

    @extend_schema(request=EmailSerializer, responses=MeSerializer)
    def patch(self, request: Request) -> Response:
        """Change your email address; not with a token."""
        form = EmailSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        user = signed_in(request)
        if "email" in form.validated_data:
            if isinstance(request.auth, AccessToken):  # a token that leaked must not lead to a new password
                raise PermissionDenied("Change your email address on the account page.")
            user.email = form.validated_data["email"]
            user.save(update_fields=["email"])
        return Response(MeSerializer(user).data)


class PersonSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "username"]


class PersonViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """The people whom you may share albums with."""

    queryset = User.objects.none()
    serializer_class = PersonSerializer
    filterset_class = None
    orderings: ClassVar = {"username": "username"}

    def get_queryset(self) -> Any:
        return access.nameable_people(self.request.user)


class InvitationSerializer(serializers.ModelSerializer):
    """An invitation as its list shows it: never its address."""

    person = Text(source="person.username", default=None, allow_null=True, help_text="Who came by it.")

    class Meta:
        model = Invitation
        fields = ["id", "note", "person", "created_at", "expires_at", "ended_at", "is_alive"]


class NewInvitationSerializer(StrictSerializer):
    note = Text(max_length=200, required=False, allow_blank=True, default="")
    days = serializers.IntegerField(min_value=1, max_value=365, default=7, help_text="How long it is good.")


class MadeInvitationSerializer(InvitationSerializer):
    url = serializers.URLField(help_text="Where the account is made. Told only here.")

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "url"]


class InvitationViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """Invitations, for administrators who may make them; none for others."""

    queryset = Invitation.objects.none()
    serializer_class = InvitationSerializer
    filterset_class = None
    orderings: ClassVar = {"note": "note", "created_at": "created_at"}
    lookup_value_converter = "int"

    def get_queryset(self) -> Any:
        found = access.invitations(self.request.user).select_related("person")
        if self.action == "destroy":
            found = found.filter(pk__in=Invitation.objects.alive().values("pk"))
        return found

    @extend_schema(request=NewInvitationSerializer, responses={201: MadeInvitationSerializer})
    def create(self, request: Request) -> Response:
        """Make an invitation; the answer alone has its address."""
        if not access.may_invite(request.user):
            raise PermissionDenied("Only administrators invite people.")
        form = NewInvitationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        ends = timezone.now() + timedelta(days=said["days"])
        invitation = Invitation(created_by=signed_in(request), note=said["note"], expires_at=ends)
        token = invitation.new_token()
        invitation.save()
        url = request.build_absolute_uri(reverse("join", args=[token]))
        data = InvitationSerializer(invitation).data | {"url": url}
        return created(request, "api-invitation-detail", invitation.pk, data)

    def perform_destroy(self, invitation: Invitation) -> None:
        """Nobody comes in by it any more."""
        invitation.end()
