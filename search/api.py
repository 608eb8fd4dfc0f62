"""Searching in the API."""

import csv
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db.models import prefetch_related_objects
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils import html
from rest_framework.views import APIView

from gallery import access
from gallery.api.images import ImageSerializer, signed_in
from gallery.api.parsers import JSONParser
from gallery.api.strict import Choice, Text
from gallery.models import Tag
from gallery.models.tag import MAX_TAG_LENGTH
from gallery.refusal import RefusedError
from search import browsing, engine, suggestions
from search.good_matches import Verdict
from search.index.fusion import FUSIONS
from search.index.ranking import COMPONENTS
from search.index.words import FIELDS
from search.query import query_pictures
from search.query.bar import parse_bar
from search.query.errors import QueryError
from search.query.filters import FILTERS, Filters
from search.query.query import DEFAULT_FUSION, Query, clean_tag, clean_tags, clean_text

MAX_LIMIT = 500
_OF_TAGS = ("tags", "tag_weights", "exclude_tags", "exclude_text", "exclude_words")


class NameListField(serializers.ListField):
    """A list of tags, or one text with commas between them and quotes around a tag that has a comma."""

    child = Text(max_length=200)

    def to_internal_value(self, data: Any) -> Any:
        is_line = isinstance(data, str) or html.is_html_input(self.root.initial_data)
        if isinstance(data, str):
            data = [data]
        if is_line:  # as in a line of a CSV file: quotes keep a comma in a tag
            lines = [" ".join(item.split()) for item in data if isinstance(item, str)]
            try:
                rows = list(csv.reader(lines, skipinitialspace=True))
            except csv.Error as error:  # a name that is longer than a book
                raise ValidationError("These names are too long.") from error
            data = [name for row in rows for name in row if name.strip()]
        return super().to_internal_value(data)


class NumberListField(serializers.ListField):
    """A list of numbers; one number stands for a list of itself."""

    child = serializers.IntegerField(min_value=1, max_value=2**53)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data if isinstance(data, list) else [data])


class WeightsField(serializers.JSONField):
    """An object of numbers; its text in a form."""

    def to_internal_value(self, data: Any) -> dict[str, float]:
        weights = super().to_internal_value(data)
        if not isinstance(weights, dict) or not all(map(_is_number, weights.values())):
            raise ValidationError('Must be an object of numbers, as in {"name": 2}.')
        return weights


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            "image_id": {"type": "integer", "minimum": 1},
            **{side: {"type": "number", "minimum": 0, "maximum": 100} for side in query_pictures.SIDES},
        },
        "required": ["image_id", *query_pictures.SIDES],
        "additionalProperties": False,
    }
)
class PartField(serializers.JSONField):
    """A rectangle of a picture of the gallery; its text in a form."""

    def to_internal_value(self, data: Any) -> dict[str, float]:
        part = super().to_internal_value(data)
        if not isinstance(part, dict) or set(part) != {"image_id", *query_pictures.SIDES}:
            raise ValidationError("Must have image_id, left, top, right and bottom.")
        if not all(map(_is_number, part.values())) or part["image_id"] != int(part["image_id"]):
            raise ValidationError("Must have numbers only.")
        try:
            query_pictures.box(part)
        except QueryError as error:
            raise ValidationError(f"{error.field}: {error.message}") from error
        return part


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class SearchSerializer(serializers.Serializer):
    """What can be asked; everything is optional, and a field that is not here is an error."""

    q = Text(
        required=False, max_length=1000, help_text="A whole query as in the bar: cat #sofa -dog after:2020."
    )
    text = Text(required=False, allow_blank=True, trim_whitespace=True)
    phrases = WeightsField(
        required=False,
        help_text='More to search for in words, each with its weight: {"red boat": 2}; text weighs 1.',
    )
    tags = NameListField(required=False)
    tag_weights = WeightsField(
        required=False, help_text='As in {"sailing": 2}; tags that are not here weigh 1.'
    )
    exclude_tags = NameListField(required=False)
    image = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        help_text="Picture files; multipart only.",
    )
    image_id = NumberListField(required=False, help_text="Pictures of the gallery.")
    part = PartField(
        required=False,
        help_text="Of one picture only a rectangle, its sides in per cent, as in "
        '{"image_id": 5, "left": 20, "top": 0, "right": 60, "bottom": 50}.',
    )
    exclude_text = Text(required=False, allow_blank=True, help_text="Pushes down what looks like it.")
    exclude_words = NameListField(
        required=False, help_text="Does so, too, and leaves out pictures tagged with one of them."
    )
    exclude_image_id = NumberListField(required=False, help_text="Pictures of the gallery: less like these.")
    weights = WeightsField(
        required=False, help_text='As in {"image": 1, "text": 2, "tags": 0.5, "words": 0}; default 1.'
    )
    fusion = Choice(list(FUSIONS), default=DEFAULT_FUSION)
    good_only = serializers.BooleanField(
        default=False,
        help_text="Only pictures that match the words well, where that can be told: see `good`.",
    )
    limit = serializers.IntegerField(default=50, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=engine.MAX_OFFSET)

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields above, and one for each filter."""
        return super().get_fields() | {filter.name: filter.api_field() for filter in FILTERS}

    def validate(self, data: Any) -> Any:
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise ValidationError({name: ["There is no such field."] for name in unknown})
        return data

    def to_query(self, user: User | None = None) -> Query:
        """Return the Query; reads uploaded pictures, kept for that person. QueryError or RefusedError."""
        data = self.validated_data
        fields = {
            **self._words(),
            "image_ids": tuple(dict.fromkeys(data.get("image_id", []))),
            "exclude_image_ids": tuple(dict.fromkeys(data.get("exclude_image_id", []))),
            "weights": dict.fromkeys(COMPONENTS, 1.0) | data.get("weights", {}),
            "fusion": data["fusion"],
        }
        files, part = data.get("image", []), data.get("part")
        # Everything else is checked before the first picture is read.
        Query(**fields, picture_keys=("",) * (len(files) + bool(part)))
        keys = [query_pictures.add(file, user).key for file in files]
        return Query(**fields, picture_keys=(*keys, *([self._part(part, user)] if part else [])))

    @staticmethod
    def _part(part: dict[str, float], user: User | None) -> str:
        """Read a rectangle of a picture; its key."""
        number = int(part["image_id"])
        image = access.visible_images(user).filter(pk=number).first() if user and number < 2**53 else None
        if image is None:
            raise QueryError("part", "There is no such picture.")
        return query_pictures.add_part(image, query_pictures.box(part), user).key

    def _words(self) -> dict[str, Any]:
        """Return what `q` says, or else the fields that it stands for: words, tags and filters."""
        data = self.validated_data
        if "q" in data:
            if both := sorted(set(data) & ({"text", "phrases", *_OF_TAGS} | {own.name for own in FILTERS})):
                raise ValidationError({name: ["Say this in q, or leave q out."] for name in both})
            return parse_bar(data["q"])
        tag_weights = {
            clean_tag("tag_weights", name): weight for name, weight in data.get("tag_weights", {}).items()
        }
        return {
            "text": clean_text(data.get("text", "")),
            "phrases": {
                cleaned: weight
                for text, weight in data.get("phrases", {}).items()
                if (cleaned := clean_text(text))
            },
            "tags": clean_tags("tags", data.get("tags", [])),
            "tag_weights": {name: weight for name, weight in tag_weights.items() if weight != 1},
            "exclude_tags": clean_tags("exclude_tags", data.get("exclude_tags", [])),
            "filters": Filters(**{filter.name: data.get(filter.name) for filter in FILTERS}),
            "exclude_text": clean_text(data.get("exclude_text", "")),
            "exclude_words": tuple(dict.fromkeys(map(clean_text, data.get("exclude_words", [])))),
        }


class SearchWithoutFilesSerializer(SearchSerializer):
    """What can be asked in JSON, which has no files."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields without the files."""
        return {name: field for name, field in super().get_fields().items() if name != "image"}


class LikenessSerializer(serializers.Serializer):
    picture = Text(source="name", help_text="The number of a picture of the gallery, or a file's key.")
    similarity = serializers.FloatField()
    unwanted = serializers.BooleanField()


class MatchedWordSerializer(serializers.Serializer):
    word = Text()
    where = serializers.ListField(
        child=Choice([*FIELDS, "album"]), help_text="In what people wrote about the picture."
    )


class PartsSerializer(serializers.Serializer):
    """What each component gave to the score; they add up to it."""

    image = serializers.FloatField()
    text = serializers.FloatField()
    tags = serializers.FloatField()
    words = serializers.FloatField()
    matched_words = MatchedWordSerializer(many=True, help_text="Words of the text that are written about it.")
    matched_tags = serializers.ListField(child=Text())
    pictures = LikenessSerializer(
        many=True, help_text="How like it is to each of several query pictures, likest first."
    )


class ResultSerializer(serializers.Serializer):
    image = ImageSerializer()
    score = serializers.FloatField()
    parts = PartsSerializer()


class SuggestionSerializer(serializers.Serializer):
    name = Text()
    count = serializers.IntegerField(help_text="How many pictures that you may see carry it.")


class OfferSerializer(SuggestionSerializer):
    words = Text(help_text="What in the text named it.")


class CorrectionSerializer(serializers.Serializer):
    word = Text(help_text="A word or a tag of the query that nothing knows.")
    instead = Text(help_text="One near to it that occurs on your pictures.")


class CompletionSerializer(serializers.Serializer):
    kind = Choice(["tag", "album", "search"])
    name = Text()
    count = serializers.IntegerField(allow_null=True, help_text="Of a tag: how many pictures carry it.")
    id = serializers.IntegerField(source="pk", allow_null=True, help_text="Of an album or a saved search.")


class PageSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many pictures the query ranks in all.")
    good = serializers.IntegerField(
        allow_null=True,
        help_text="How many of these are good matches; null where that cannot be told.",
    )
    verdict = Choice(
        [*Verdict],
        allow_null=True,
        help_text="good: there are good matches; weak: nothing matches well, the closest follow; unknown: "
        "the search does not know these words. null where it cannot be told.",
    )
    unknown_words = serializers.ListField(
        child=Text(), help_text="Words of the text that the search does not know."
    )
    took_ms = serializers.FloatField()
    unknown_tags = serializers.ListField(
        child=Text(), help_text="Tags asked for that no picture you may see carries."
    )
    offers = OfferSerializer(many=True, help_text="Tags that the text names.")
    corrections = CorrectionSerializer(many=True, help_text="What may have been meant.")
    text_is_cut = serializers.BooleanField(help_text="Whether the text is longer than the extractor reads.")
    results = ResultSerializer(many=True)


class SearchView(APIView):
    """Find pictures by pictures, tags, text, or any mix of them."""

    parser_classes = [JSONParser, MultiPartParser]
    reads_only = True  # though it is a POST: a query may carry a picture

    @extend_schema(
        request={"application/json": SearchWithoutFilesSerializer, "multipart/form-data": SearchSerializer},
        responses=PageSerializer,
    )
    def post(self, request: Request) -> Response:
        form = SearchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            limits = {name: form.validated_data[name] for name in ("offset", "limit", "good_only")}
            page = engine.search(form.to_query(signed_in(request)), request.user, **limits)
        except QueryError as error:
            # The API tells uploaded pictures and those of the gallery apart, the page's address does
            # likewise.
            by_id = {"image": "image_id", "exclude_image": "exclude_image_id"}
            field = by_id.get(error.field, error.field)
            if field not in form.validated_data:
                field = error.field
            raise ValidationError({field: [error.message]}) from error
        except RefusedError as refusal:
            raise ValidationError({"image": [str(refusal)]}) from refusal
        fetch_related(page.results)
        return Response(PageSerializer(page, context={"request": request}).data)


def fetch_related(results: list[engine.Result]) -> None:
    """Everything that ImageSerializer shows, in one query more."""
    prefetch_related_objects([result.image for result in results], ImageSerializer.related())


class SimilarView(APIView):
    """The pictures most like one of the gallery's."""

    @extend_schema(responses=ResultSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        image = get_object_or_404(access.visible_images(request.user), pk=pk)
        results = engine.similar(image, request.user)
        fetch_related(results)
        return Response(ResultSerializer(results, many=True, context={"request": request}).data)


class TagListView(ListAPIView):
    """The tags on pictures that you may see, most frequent first, with how many those are."""

    has_cursors = False  # they are counted in the index: there are no rows to go on behind
    serializer_class = SuggestionSerializer
    filterset_class = None

    def get_queryset(self) -> Any:  # a list of browsing.TagCount: pages of it are all that is asked for
        return (
            Tag.objects.none()
            if getattr(self, "swagger_fake_view", False)
            else browsing.tags(self.request.user)
        )


class SuggestionsView(APIView):
    """Tags of which a word begins with `q`, among those on pictures that you may see, most frequent first."""

    parameters: ClassVar = {"get": ["q"]}

    @extend_schema(parameters=[OpenApiParameter("q", str)], responses=SuggestionSerializer(many=True))
    def get(self, request: Request) -> Response:
        beginning = request.query_params.get("q", "")
        if len(beginning) > MAX_TAG_LENGTH:
            raise ValidationError({"q": [f"A tag has at most {MAX_TAG_LENGTH} characters."]})
        return Response(SuggestionSerializer(suggestions.complete(beginning, request.user), many=True).data)


class CompletionsView(APIView):
    """Tags, albums and saved searches of which a word begins with `q`: what a search may be for."""

    parameters: ClassVar = {"get": ["q"]}

    @extend_schema(parameters=[OpenApiParameter("q", str)], responses=CompletionSerializer(many=True))
    def get(self, request: Request) -> Response:
        beginning = request.query_params.get("q", "")
        if len(beginning) > MAX_TAG_LENGTH:
            raise ValidationError({"q": [f"This has at most {MAX_TAG_LENGTH} characters."]})
        return Response(
            CompletionSerializer(suggestions.while_typing(beginning, request.user), many=True).data
        )
