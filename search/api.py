"""Searching in the API."""

from django.db.models import prefetch_related_objects
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import access, ingest
from gallery.api import ImageSerializer
from gallery.parsers import JSONParser
from search import engine, pictures
from search.fusion import COMPONENTS, FUSIONS
from search.query import Query, QueryError, clean_tags, clean_text

MAX_LIMIT = 500


class NameListField(serializers.ListField):
    """A list of tags; in a form also one field with commas between them."""

    child = serializers.CharField(max_length=200)

    def to_internal_value(self, data):
        if isinstance(data, str):
            data = [data]
        if isinstance(data, list) and all(isinstance(item, str) for item in data):
            data = [name for item in data for name in item.split(",") if name.strip()]
        return super().to_internal_value(data)


class NumberListField(serializers.ListField):
    """A list of numbers; one number stands for a list of itself."""

    child = serializers.IntegerField(min_value=1, max_value=2**53)

    def to_internal_value(self, data):
        return super().to_internal_value(data if isinstance(data, list) else [data])


class SearchSerializer(serializers.Serializer):
    """What can be asked; everything is optional, and a field that is not here is an error."""

    text = serializers.CharField(required=False, allow_blank=True, trim_whitespace=True)
    tags = NameListField(required=False)
    exclude_tags = NameListField(required=False)
    image = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True), required=False, help_text="Picture files; multipart only."
    )
    image_id = NumberListField(required=False, help_text="Pictures of the gallery.")
    exclude_text = serializers.CharField(required=False, allow_blank=True, help_text="Pushes down what looks like it.")
    exclude_image_id = NumberListField(required=False, help_text="Pictures of the gallery: less like these.")
    weights = serializers.JSONField(required=False, help_text='As in {"image": 1, "text": 2, "tags": 0.5}; default 1.')
    fusion = serializers.ChoiceField(list(FUSIONS), default="mean")
    album = serializers.IntegerField(required=False, min_value=1, max_value=2**53)
    limit = serializers.IntegerField(default=50, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=engine.MAX_OFFSET)

    def validate_weights(self, weights) -> dict[str, float]:
        numbers = isinstance(weights, dict) and all(
            isinstance(weight, int | float) and not isinstance(weight, bool) for weight in weights.values()
        )
        if not numbers:
            raise ValidationError("Must be an object of numbers for image, text and tags.")
        return weights

    def validate(self, data):
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise ValidationError({name: ["There is no such field."] for name in unknown})
        return data

    def to_query(self) -> Query:
        """The Query; reads uploaded pictures. Raises QueryError or ingest.Refused."""
        data = self.validated_data
        fields = {
            "text": clean_text(data.get("text", "")),
            "tags": clean_tags("tags", data.get("tags", [])),
            "exclude_tags": clean_tags("exclude_tags", data.get("exclude_tags", [])),
            "image_ids": tuple(dict.fromkeys(data.get("image_id", []))),
            "album": data.get("album"),
            "exclude_text": clean_text(data.get("exclude_text", "")),
            "exclude_image_ids": tuple(dict.fromkeys(data.get("exclude_image_id", []))),
            "weights": dict.fromkeys(COMPONENTS, 1.0) | data.get("weights", {}),
            "fusion": data["fusion"],
        }
        files = data.get("image", [])
        # Everything else is checked before the first picture is read.
        Query(**fields, picture_keys=("",) * len(files))
        return Query(**fields, picture_keys=tuple(pictures.add(file).key for file in files))


class PartsSerializer(serializers.Serializer):
    """What each component gave to the score; they add up to it."""

    image = serializers.FloatField()
    text = serializers.FloatField()
    tags = serializers.FloatField()
    matched_tags = serializers.ListField(child=serializers.CharField())


class ResultSerializer(serializers.Serializer):
    image = ImageSerializer()
    score = serializers.FloatField()
    parts = PartsSerializer()


class PageSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many pictures the query ranks in all.")
    took_ms = serializers.FloatField()
    unknown_tags = serializers.ListField(
        child=serializers.CharField(), help_text="Tags asked for that no picture you may see carries."
    )
    text_is_cut = serializers.BooleanField(help_text="Whether the text is longer than the extractor reads.")
    results = ResultSerializer(many=True)


class SearchView(APIView):
    """Find pictures by pictures, tags, text, or any mix of them."""

    parser_classes = [JSONParser, MultiPartParser]

    @extend_schema(request=SearchSerializer, responses=PageSerializer)
    def post(self, request: Request) -> Response:
        form = SearchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            limits = {name: form.validated_data[name] for name in ("offset", "limit")}
            page = engine.search(form.to_query(), request.user, **limits)
        except QueryError as error:
            # The API tells uploaded pictures and those of the gallery apart, the page's address does likewise.
            by_id = {"image": "image_id", "exclude_image": "exclude_image_id"}
            field = by_id.get(error.field, error.field)
            if field not in form.validated_data:
                field = error.field
            raise ValidationError({field: [error.message]}) from error
        except ingest.Refused as refusal:
            raise ValidationError({"image": [str(refusal)]}) from refusal
        _fetch_related(page.results)
        return Response(PageSerializer(page, context={"request": request}).data)


def _fetch_related(results: list[engine.Result]) -> None:
    """Everything that ImageSerializer shows, in one query more."""
    prefetch_related_objects([result.image for result in results], ImageSerializer.related())


class SimilarView(APIView):
    """The pictures most like one of the gallery's."""

    @extend_schema(responses=ResultSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        image = get_object_or_404(access.visible_images(request.user), pk=pk)
        results = engine.similar(image, request.user)
        _fetch_related(results)
        return Response(ResultSerializer(results, many=True, context={"request": request}).data)
