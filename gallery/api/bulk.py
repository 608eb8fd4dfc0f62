"""One change to many pictures, with an outcome for each."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import access, album_filling, corrections, tagging, tasks, trash
from gallery.api.images import signed_in, tag_name
from gallery.api.strict import Choice, StrictSerializer, TagText, Text
from gallery.models import Favourite, Image
from gallery.models.image import MAX_CAPTION

MOST = 1000
DONE, NOTHING, FORBIDDEN, MISSING = "done", "nothing to do", "not yours to change", "not there"


class BulkSerializer(StrictSerializer):
    """Which pictures, what to do with them, and what that needs."""

    image_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**53), min_length=1, max_length=MOST
    )
    action = Choice(
        ["tag", "untag", "add", "remove", "trash", "restore", "favourite", "unfavourite", "caption", "date",
         "place", "turn", "retry"]
    )  # fmt: skip
    tag = TagText(required=False, help_text="For tag and untag.")
    album_id = serializers.IntegerField(
        min_value=1, max_value=2**53, required=False, help_text="For add and remove."
    )
    caption = Text(max_length=MAX_CAPTION, allow_blank=True, required=False)
    taken = Text(
        max_length=40, allow_blank=True, required=False, help_text="For date: as in PATCH of a picture."
    )
    place = Text(max_length=200, allow_blank=True, required=False)
    quarters = serializers.IntegerField(
        min_value=-3, max_value=3, required=False, help_text="For turn: clockwise, from how they are now."
    )

    def validate(self, data: Any) -> Any:
        data = super().validate(data)
        if (needed := NEEDED.get(data["action"])) and needed not in data:
            raise ValidationError({needed: ["This field is required for this action."]})
        return data


class OutcomeSerializer(serializers.Serializer):
    image_id = serializers.IntegerField()
    outcome = Choice([DONE, NOTHING, FORBIDDEN, MISSING])


class BulkOutcomeSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many pictures it was done with.")
    outcomes = OutcomeSerializer(many=True)


class BulkView(APIView):
    """Change up to a thousand pictures at once."""

    @extend_schema(request=BulkSerializer, responses=BulkOutcomeSerializer)
    def post(self, request: Request) -> Response:
        """Do one thing with many pictures; those that you may not change are told apart, and left alone."""
        form = BulkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        said, user = form.validated_data, signed_in(request)
        ids = list(dict.fromkeys(said["image_ids"]))
        allowed, change = ACTIONS[said["action"]](user, said)
        with transaction.atomic():
            mine = set(allowed.filter(pk__in=ids).values_list("pk", flat=True))
            change(Image.objects.filter(pk__in=mine))
        outcomes = dict.fromkeys(ids, MISSING)
        for others, outcome in (
            (access.visible_images(user), FORBIDDEN),
            (access.own_images(user), NOTHING),  # as to read again what was read
            (access.trashed_images(user) if said["action"] == "trash" else Image.objects.none(), NOTHING),
        ):
            outcomes |= dict.fromkeys(others.filter(pk__in=ids).values_list("pk", flat=True), outcome)
        outcomes |= dict.fromkeys(mine, DONE)
        told = [{"image_id": pk, "outcome": outcome} for pk, outcome in outcomes.items()]
        return Response({"count": len(mine), "outcomes": told})


Change = Callable[[QuerySet[Image]], object]
Plan = tuple[QuerySet[Image], Change]
NEEDED = {
    "tag": "tag", "untag": "tag", "add": "album_id", "remove": "album_id", "caption": "caption",
    "date": "taken", "place": "place", "turn": "quarters",
}  # fmt: skip


def _tag(change: Callable[[QuerySet[Image], str], object]) -> Callable[[User, dict], Plan]:
    def plan(user: User, said: dict) -> Plan:
        name = tag_name("tag", said["tag"])
        return access.taggable_images(user), lambda images: change(images, name)

    return plan


def _add(user: User, said: dict) -> Plan:
    album = access.fillable_albums(user).filter(pk=said["album_id"]).first()
    if album is None:
        raise ValidationError({"album_id": ["You can't add pictures to this album."]})

    def change(images: QuerySet[Image]) -> None:
        album_filling.put(album, images.values_list("pk", flat=True), user)

    return access.addable_images(user), change


def _remove(user: User, said: dict) -> Plan:
    album = access.visible_albums(user).filter(pk=said["album_id"]).first()
    if album is None:
        raise ValidationError({"album_id": ["There is no such album."]})
    links = access.removable_album_images(user, album)
    inside = Image.objects.filter(pk__in=links.values("image_id"))
    return inside, lambda images: links.filter(image__in=images).delete()


def _favourite(user: User, said: dict) -> Plan:
    def change(images: QuerySet[Image]) -> None:
        hearts = [Favourite(user=user, image=image) for image in images]
        Favourite.objects.bulk_create(hearts, ignore_conflicts=True)

    return access.visible_images(user), change


def _unfavourite(user: User, said: dict) -> Plan:
    hearts = access.favourites(user)
    return access.visible_images(user), lambda images: hearts.filter(image__in=images).delete()


def _date(user: User, said: dict) -> Plan:
    moment = _checked("taken", corrections.parse_date, said["taken"])
    return access.correctable_images(user), lambda images: corrections.set_date(images, moment)


def _place(user: User, said: dict) -> Plan:
    place = _checked("place", corrections.parse_place, said["place"])
    return access.placeable_images(user), lambda images: corrections.set_place(images, *place)


def _checked(field: str, read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except DjangoValidationError as error:
        raise ValidationError({field: error.messages}) from error


def _retry(user: User, said: dict) -> Plan:
    return access.deletable_images(user).filter(status=Image.Status.FAILED), tasks.retry


ACTIONS: dict[str, Callable[[User, dict], Plan]] = {
    "tag": _tag(tagging.add_to_all),
    "untag": _tag(tagging.remove_from_all),
    "add": _add,
    "remove": _remove,
    "retry": _retry,
    "trash": lambda user, said: (access.deletable_images(user), trash.move),
    "restore": lambda user, said: (access.trashed_images(user), trash.restore),
    "favourite": _favourite,
    "unfavourite": _unfavourite,
    "caption": lambda user, said: (
        access.correctable_images(user),
        lambda images: corrections.set_caption(images, said["caption"]),
    ),
    "date": _date,
    "place": _place,
    "turn": lambda user, said: (
        access.correctable_images(user),
        lambda images: corrections.turn(images, said["quarters"]),
    ),
}
