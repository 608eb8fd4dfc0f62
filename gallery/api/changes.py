"""What changed since a client looked last, from the log of changes."""

import hashlib
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import access, change_log
from gallery.access import AnyUser
from gallery.api.images import ImageSerializer, sync_key
from gallery.api.strict import Text
from gallery.models import Image
from gallery.numbers import whole_number

MOST = 500  # changes in an answer


class GoneSerializer(serializers.Serializer):
    sync_key = Text()
    id = serializers.IntegerField(allow_null=True, help_text="Of a picture of your own that is in the trash.")


class ChangesSerializer(serializers.Serializer):
    changed = ImageSerializer(many=True, help_text="Pictures that appeared or changed, as they are now.")
    gone = GoneSerializer(
        many=True,
        help_text="Pictures that you do not see any more, or never saw: forget those whose key you know.",
    )
    cursor = Text(help_text="What to ask with as `since` the next time.")
    has_more = serializers.BooleanField(help_text="Whether to ask again at once.")
    reset = serializers.BooleanField(
        help_text="Whether what you may see changed as a whole meanwhile: forget all, and list anew."
    )


class ChangesView(APIView):
    """For clients that keep a copy of what you see."""

    parameters: ClassVar = {"get": ["since"]}

    @extend_schema(
        parameters=[OpenApiParameter("since", str, description="The cursor of the last answer; first none.")],
        responses=ChangesSerializer,
    )
    def get(self, request: Request) -> Response:
        """List what appeared, changed and went since the cursor.

        Without one it tells only the cursor of now: take it first, list your pictures, then ask with it.
        """
        scope = _scope(request.user)
        text = request.query_params.get("since", "")
        end = change_log.end()
        if not text:
            return Response(_answer(request, [], [], _cursor(end, scope), False, False))
        place, before = _read(text)
        if place > end:  # of a database that was restored to before
            return Response(_answer(request, [], [], _cursor(end, scope), False, True))
        rows = list(change_log.settled_after(place)[: MOST + 1])
        has_more, rows = len(rows) > MOST, rows[:MOST]
        ids = {row.image_id for row in rows}
        seen = ImageSerializer.with_related(access.visible_images(request.user), request.user)
        found = list(seen.filter(pk__in=ids).order_by("pk"))
        gone = _gone(request.user, ids - {image.pk for image in found})
        if rows:
            place = (rows[-1].transaction, rows[-1].seq)
        return Response(_answer(request, found, gone, _cursor(place, scope), has_more, before != scope))


def _cursor(place: change_log.Place, scope: str) -> str:
    return "{}.{}-{}".format(*place, scope)


def _read(cursor: str) -> tuple[change_log.Place, str]:
    """Read a cursor: a place in the log, and what its reader saw then; also one of before version 0.6."""
    numbers, _dash, scope = cursor.partition("-")
    transaction, _dot, seq = numbers.rpartition(".")
    place = whole_number(transaction or "0", 0), whole_number(seq, 0)
    if place[0] is None or place[1] is None or not scope:
        raise ValidationError({"since": ["This is no cursor of ours."]})
    return (place[0], place[1]), scope


def _answer(
    request: Request, found: list[Image], gone: list[dict[str, Any]], cursor: str, has_more: bool, reset: bool
) -> dict[str, Any]:
    changed = ImageSerializer(found, many=True, context={"request": request}).data
    return {"changed": changed, "gone": gone, "cursor": cursor, "has_more": has_more, "reset": reset}


def _scope(user: AnyUser) -> str:
    """Return what stands for the albums that a person sees, and what they tell: it changes with them.

    And with the database, after a move to another server, whose log another's places mean nothing in. Of
    their own albums those without members are left out: what is in them is told picture by picture.
    """
    scope = access.scope(user)
    alone = set(access.owned_albums(user).filter(memberships=None).values_list("pk", flat=True))
    seen, telling = sorted(scope.album_ids - alone), sorted(scope.telling_album_ids - alone)
    numbers = f"{change_log.identity()}{seen} {telling}"
    return hashlib.sha256(numbers.encode()).hexdigest()[:12]


def _gone(user: AnyUser, ids: set[int]) -> list[dict[str, Any]]:
    """Name what is not seen by keys that say something only to who saw it; one's own by number, too."""
    own = set(Image.objects.filter(pk__in=ids, owner_id=user.pk or 0).values_list("pk", flat=True))
    return [{"sync_key": sync_key(user, pk), "id": pk if pk in own else None} for pk in sorted(ids)]
