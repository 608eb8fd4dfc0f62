"""The list of pictures in the API: everything by number, or what filters leave, in several orders."""

from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from gallery import access
from gallery.api.images import ImageFilter, ImageSerializer, ImageViewSet, tag_name
from gallery.api.pagination import Pagination
from gallery.api.strict import LOOKS_ITSELF, Choice, TagText, Text, asked, refuse_unknown
from gallery.models import Image
from search import browsing, listing
from search.query.errors import QueryError
from search.query.filters import FILTERS, Filters

BY_NUMBER = ("-id", "id")


class WithinSerializer(serializers.Serializer):
    """Which pictures, and in which order."""

    ordering = Choice(
        listing.ORDERS, default="-id",
        help_text="By number, which is the order in which pictures came, by the date taken or added, or by "
        "size; with a minus the largest first. Other orders than by number list only what has been read.",
    )  # fmt: skip
    tag = TagText(required=False, allow_blank=True, help_text="Only pictures that carry it.")

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields above, and one for each filter of the search."""
        return {filter.name: filter.api_field() for filter in FILTERS} | super().get_fields()


class ListingSerializer(WithinSerializer):
    """What the list can be asked for."""

    limit = serializers.IntegerField(default=50, min_value=1, max_value=Pagination.max_limit)
    cursor = Text(
        max_length=60, required=False, allow_blank=True, help_text="From `next` of the answer before."
    )
    status = Choice(Image.Status.choices, required=False)


class NeighboursSerializer(serializers.Serializer):
    previous = serializers.IntegerField(allow_null=True)
    next = serializers.IntegerField(allow_null=True)


@extend_schema_serializer(many=False)
class ListedSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many pictures the list has in all.")
    next = serializers.URLField(allow_null=True, help_text="Where the list goes on.")
    results = ImageSerializer(many=True)


class SearchedImageViewSet(ImageViewSet):
    """The pictures that you may see."""

    pagination_class = None  # the list has its own cursors
    parameters: ClassVar = ImageViewSet.parameters | {"neighbours": LOOKS_ITSELF}

    @extend_schema(parameters=[ListingSerializer], responses=ListedSerializer)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List pictures, a piece at a time; what arrives or goes meanwhile neither repeats nor hides one.

        Filters are those of the search; they list only pictures that have been read.
        """
        form = ListingSerializer(data=asked(request))
        refuse_unknown(request, form.fields)
        form.is_valid(raise_exception=True)
        said, allowed = form.validated_data, access.scope(request.user)
        visible = access.visible_within(allowed)
        said["cursor"] = self._place(said.get("cursor", ""), said["ordering"])
        try:
            filters = Filters(**{own.name: said.get(own.name) for own in FILTERS})
            is_by_number = not set(filters) - {"format"} and said["ordering"] in BY_NUMBER
            piece = self._by_number(said, allowed) if is_by_number else self._filtered(said, filters)
        except QueryError as error:
            raise ValidationError({error.field: [error.message]}) from error
        images = ImageSerializer.with_related(visible, request.user).in_bulk(piece.ids)
        results = self.get_serializer([images[pk] for pk in piece.ids if pk in images], many=True).data
        cursor = f"{said['ordering']}.{piece.next}"
        address = replace_query_param(request.build_absolute_uri(), "cursor", cursor)
        return Response({"count": piece.count, "next": address if piece.next else None, "results": results})

    @staticmethod
    def _place(cursor: str, ordering: str) -> str:
        """Return what of a cursor finds the place in the list; a 400 for one of another order."""
        order, _dot, place = cursor.rpartition(".")
        if cursor and order != ordering:
            raise ValidationError({"cursor": ["This is no cursor of this list in its present order."]})
        return place

    @extend_schema(parameters=[WithinSerializer], responses=NeighboursSerializer)
    @action(detail=True, filterset_class=None, pagination_class=None)
    def neighbours(self, request: Request, pk: int) -> Response:
        """Say which pictures stand before and after this one, in a list with these filters and this order."""
        image = get_object_or_404(access.visible_images(request.user), pk=pk)
        form = WithinSerializer(data=asked(request))
        refuse_unknown(request, form.fields)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        try:
            filters = Filters(**{own.name: said.get(own.name) for own in FILTERS})
            tag = tag_name("tag", said["tag"]) if said.get("tag") else ""
            before, after = listing.around(request.user, filters, tag, said["ordering"], image.pk)
        except QueryError as error:
            raise ValidationError({error.field: [error.message]}) from error
        return Response({"previous": before, "next": after})

    def _filtered(self, said: dict[str, Any], filters: Filters) -> listing.Listed:
        if said.get("status", Image.Status.READY) != Image.Status.READY:
            raise ValidationError({"status": ["Filters and orders know only pictures that have been read."]})
        tag = tag_name("tag", said["tag"]) if said.get("tag") else ""
        user, cursor = self.request.user, said.get("cursor", "")
        return listing.piece(user, filters, tag, said["ordering"], cursor, said["limit"])

    def _by_number(self, said: dict[str, Any], allowed: access.Scope) -> listing.Listed:
        """List by number, from the database: what waits and what failed, too."""
        asked = {name: said[name] for name in ("status", "format", "tag") if said.get(name)}
        images = ImageFilter(asked, access.visible_within(allowed)).qs
        # Without a filter it is what the index counts, and the few that it does not know yet: counting a
        # million rows takes a second.
        count = images.count() if asked else browsing.count(self.request.user)
        beyond = listing.parse(said["cursor"])[1] if said.get("cursor") else None
        oldest_first, most = said["ordering"] == "id", said["limit"] + 1
        if not asked:
            ids = listing.by_number(allowed, oldest_first, beyond, most)
        else:
            if beyond is not None:
                images = images.filter(pk__gt=beyond) if oldest_first else images.filter(pk__lt=beyond)
            ids = list(images.order_by("pk" if oldest_first else "-pk").values_list("pk", flat=True)[:most])
        has_more, ids = len(ids) > said["limit"], ids[: said["limit"]]
        return listing.Listed(ids, f"0_{ids[-1]}" if has_more else "", count)
