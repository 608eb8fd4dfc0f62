"""Saved searches, look-alikes and the timeline in the API."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import access, trash
from gallery.api.created import created
from gallery.api.images import ImageSerializer, signed_in
from gallery.api.pagination import PAGES, Pagination
from gallery.api.strict import LOOKS_ITSELF, Choice, StrictSerializer, Text, asked, refuse_unknown
from search import browsing, engine
from search.api import MAX_LIMIT, PageSerializer, fetch_related
from search.duplicates import groups, keep_all
from search.forms import SavedSearchForm
from search.models import SavedSearch
from search.query.address import from_address
from search.query.errors import QueryError


class SavedSearchSerializer(serializers.ModelSerializer):
    q = serializers.SerializerMethodField(help_text="The bar's line.")

    class Meta:
        model = SavedSearch
        fields = ["id", "name", "q", "address", "created_at"]

    def get_q(self, search: SavedSearch) -> str:
        return QueryDict(search.address).get("q", "")


class NewSavedSearchSerializer(StrictSerializer):
    """A name, and what to search for: a line as in the bar, or the parameters of a results page."""

    name = Text(max_length=200)
    q = Text(max_length=1000, required=False)
    address = Text(max_length=8000, required=False)

    def validate(self, data: Any) -> Any:
        if ("q" in data) == ("address" in data) and ("q" in data or not self.partial):
            raise ValidationError({"q": ["Give a line or an address: one of both."]})
        return super().validate(data)

    def save_to(self, search: SavedSearch) -> SavedSearch:
        """Check and save it; a 400 that names the field for what cannot be searched for."""
        said = self.validated_data
        address = urlencode({"q": said["q"]}) if "q" in said else said.get("address", search.address)
        form = SavedSearchForm({"name": said.get("name", search.name), "address": address}, instance=search)
        if not form.is_valid():
            asked = "q" if "q" in said else "address"
            raise ValidationError(
                {asked if name == "address" else name: [*own] for name, own in form.errors.items()}
            )
        return form.save()


class LimitsSerializer(serializers.Serializer):
    limit = serializers.IntegerField(default=50, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=engine.MAX_OFFSET)


class SavedSearchViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """Your saved searches."""

    queryset = SavedSearch.objects.none()
    serializer_class = SavedSearchSerializer
    filterset_class = None
    parameters: ClassVar = {"results": ["limit", "offset"]}
    orderings: ClassVar = {"name": "name", "created_at": "created_at"}
    lookup_value_converter = "int"

    def get_queryset(self) -> Any:
        return access.owned(SavedSearch.objects, self.request.user)

    @extend_schema(request=NewSavedSearchSerializer, responses={201: SavedSearchSerializer})
    def create(self, request: Request) -> Response:
        """Save a search under a name."""
        form = NewSavedSearchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        search = form.save_to(SavedSearch(owner=signed_in(request)))
        return created(request, "api-saved-search-detail", search.pk, SavedSearchSerializer(search).data)

    @extend_schema(request=NewSavedSearchSerializer, responses=SavedSearchSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Give it another name, or another search."""
        form = NewSavedSearchSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        return Response(SavedSearchSerializer(form.save_to(self.get_object())).data)

    @extend_schema(parameters=[LimitsSerializer], responses=PageSerializer)
    @action(detail=True)
    def results(self, request: Request, pk: int) -> Response:
        """Run it: what it finds now."""
        limits = LimitsSerializer(data=asked(request))
        limits.is_valid(raise_exception=True)
        try:
            query = from_address(QueryDict(self.get_object().address))
            page = engine.search(query, request.user, **limits.validated_data)
        except QueryError as error:  # a picture or an album that it names is gone
            raise ValidationError({error.field: [error.message]}) from error
        fetch_related(page.results)
        return Response(PageSerializer(page, context={"request": request}).data)


class GroupSerializer(serializers.Serializer):
    image_ids = serializers.ListField(child=serializers.IntegerField(), help_text="The largest first.")


class GroupsSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = GroupSerializer(many=True)


class DecisionSerializer(StrictSerializer):
    """Of the pictures of a group, those to keep; the others go into the trash."""

    group = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**53), min_length=1, max_length=200
    )
    keep = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**53), min_length=1, max_length=200
    )

    def validate(self, data: Any) -> Any:
        if not set(data["keep"]) <= set(data["group"]):
            raise ValidationError({"keep": ["Choose which pictures of the group to keep."]})
        return super().validate(data)


class DecidedSerializer(serializers.Serializer):
    trashed = serializers.ListField(child=serializers.IntegerField())


class DuplicatesView(APIView):
    """Groups of your own pictures that look alike."""

    parameters: ClassVar = {"get": LOOKS_ITSELF}

    @extend_schema(parameters=PAGES[:2], responses=GroupsSerializer, operation_id="duplicates_list")
    def get(self, request: Request) -> Response:
        """List the groups, those with the newest pictures first."""
        pages = Pagination()
        found = pages.paginate_queryset(groups(request.user), request)
        return pages.get_paginated_response(
            [{"image_ids": [image.pk for image in group]} for group in found or []]
        )

    @extend_schema(request=DecisionSerializer, responses=DecidedSerializer)
    def post(self, request: Request) -> Response:
        """Keep some pictures of a group; who keeps all is not asked about them again."""
        form = DecisionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        group, keep = set(form.validated_data["group"]), set(form.validated_data["keep"])
        own = access.deletable_images(request.user).in_bulk(group)
        if len(own) < len(group):
            raise ValidationError({"group": ["One of these pictures is not yours, or no longer exists."]})
        if keep == group:
            keep_all(list(own.values()))
        trash.move(access.deletable_images(request.user).filter(pk__in=group - keep))
        return Response({"trashed": sorted(group - keep)})


class MonthSerializer(serializers.Serializer):
    month = Text(help_text="As in 2024-05.")
    count = serializers.IntegerField()


class TimelineQuerySerializer(LimitsSerializer):
    order = Choice(browsing.ORDERS, default="newest")
    whose = Choice(["mine", "shared"], required=False)
    month = serializers.RegexField(r"\A\d{4}-(0[1-9]|1[0-2])\Z", required=False)


class TimelineSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many pictures there are; in the month, if one is given.")
    months = MonthSerializer(many=True)
    results = ImageSerializer(many=True)


class TimelineView(APIView):
    """Everything that you see, by date."""

    parameters: ClassVar = {"get": LOOKS_ITSELF}

    @extend_schema(parameters=[TimelineQuerySerializer], responses=TimelineSerializer)
    def get(self, request: Request) -> Response:
        """Return the months that have pictures, and pictures in their order: of all, or of one month."""
        form = TimelineQuerySerializer(data=asked(request))
        refuse_unknown(request, form.fields)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        timeline = browsing.timeline(request.user, said["order"], said.get("whose", ""))
        months = [(f"{own.year:04d}-{own.number:02d}", own.count) for own in timeline.months()]
        first, count = 0, len(timeline)
        if "month" in said:
            counts = dict(months)
            count = counts.get(said["month"], 0)
            names = [name for name, _ in months]
            before = names[: names.index(said["month"])] if count else []
            first = sum(counts[name] for name in before)
        start = min(said["offset"], count)
        stop = min(start + said["limit"], count)
        ids = timeline[first + start : first + stop] if stop > start else []
        images = ImageSerializer.with_related(
            access.visible_images(request.user).filter(pk__in=ids), request.user
        ).in_bulk()
        results = [images[pk] for pk in ids if pk in images]
        shown = ImageSerializer(results, many=True, context={"request": request}).data
        listed = [{"month": name, "count": number} for name, number in months]
        return Response({"count": count, "months": listed, "results": shown})
