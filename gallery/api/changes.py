"""What changed since a client looked last, from the log of changes."""

import hashlib
from typing import Any

from django.db.models import Max
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import access
from gallery.access import AnyUser
from gallery.api.images import ImageSerializer
from gallery.models import Change, Image
from gallery.numbers import whole_number

MOST = 500  # changes in an answer


class ChangesSerializer(serializers.Serializer):
    changed = ImageSerializer(many=True, help_text="Pictures that appeared or changed, as they are now.")
    gone = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Numbers of pictures that you do not see any more, or never saw: forget those you know.",
    )
    cursor = serializers.CharField(help_text="What to ask with as `since` the next time.")
    has_more = serializers.BooleanField(help_text="Whether to ask again at once.")
    reset = serializers.BooleanField(
        help_text="Whether albums were shared with you or taken back meanwhile: forget all, and list anew."
    )


class ChangesView(APIView):
    """For clients that keep a copy of what you see."""

    @extend_schema(
        parameters=[OpenApiParameter("since", str, description="The cursor of the last answer; first none.")],
        responses=ChangesSerializer,
    )
    def get(self, request: Request) -> Response:
        """List what appeared, changed and went since the cursor.

        Without one it tells only the cursor of now: take it first, list your pictures, then ask with it.
        """
        if unknown := sorted(set(request.query_params) - {"since"}):
            raise ValidationError({name: ["There is no such parameter."] for name in unknown})
        scope = _scope(request.user)
        text = request.query_params.get("since", "")
        if not text:
            last = Change.objects.aggregate(last=Max("seq"))["last"] or 0
            return Response(_answer(request, [], [], f"{last}-{scope}", False, False))
        number, _dash, before = text.partition("-")
        seq = whole_number(number, 0)
        if seq is None or not before:
            raise ValidationError({"since": ["This is no cursor of ours."]})
        rows = list(Change.objects.filter(seq__gt=seq).order_by("seq")[: MOST + 1])
        has_more, rows = len(rows) > MOST, rows[:MOST]
        ids = [row.image_id for row in rows]
        seen = ImageSerializer.with_related(access.visible_images(request.user), request.user)
        found = list(seen.filter(pk__in=ids).order_by("pk"))
        gone = _tellable(request.user, set(ids) - {image.pk for image in found})
        cursor = f"{rows[-1].seq if rows else seq}-{scope}"
        return Response(_answer(request, found, gone, cursor, has_more, before != scope))


def _answer(
    request: Request, found: list[Image], gone: list[int], cursor: str, has_more: bool, reset: bool
) -> dict[str, Any]:
    changed = ImageSerializer(found, many=True, context={"request": request}).data
    return {"changed": changed, "gone": gone, "cursor": cursor, "has_more": has_more, "reset": reset}


def _scope(user: AnyUser) -> str:
    """Return what stands for the albums that a person sees: it changes with them."""
    numbers = ",".join(map(str, sorted(access.scope(user).album_ids)))
    return hashlib.sha256(numbers.encode()).hexdigest()[:12]


def _tellable(user: AnyUser, ids: set[int]) -> list[int]:
    """Leave out the pictures of people with whom `user` shares nothing."""
    known = access.people_who_share_with(user).values("pk")
    strangers = Image.objects.filter(pk__in=ids).exclude(owner__in=known)
    return sorted(ids - set(strangers.values_list("pk", flat=True)))
