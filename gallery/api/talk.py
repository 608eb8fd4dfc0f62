"""Comments and hearts under an album's pictures, and the album's activity, in the API."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import access, talk
from gallery.api.images import signed_in
from gallery.api.strict import StrictSerializer, Text
from gallery.models import Comment
from gallery.models.album_talk import MAX_COMMENT


class CommentSerializer(serializers.ModelSerializer):
    author = Text(source="author.username")
    is_removable = serializers.BooleanField(help_text="Whether you may take it away.")

    class Meta:
        model = Comment
        fields = ["id", "author", "text", "created_at", "is_removable"]


class NewCommentSerializer(StrictSerializer):
    text = Text(max_length=MAX_COMMENT)


class TalkSerializer(serializers.Serializer):
    comments = CommentSerializer(many=True, help_text="The latest 200, oldest first.")
    hearts = serializers.ListField(child=Text(), help_text="Who likes it, you first.")
    is_liked = serializers.BooleanField(help_text="Whether you like it.")


class EventSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(["added", "liked", "commented"])
    person = Text(allow_blank=True)
    at = serializers.DateTimeField()
    count = serializers.IntegerField(help_text="Pictures that were added or liked in a day.")
    image_ids = serializers.SerializerMethodField(help_text="The first eight of them.")
    text = Text(allow_blank=True, help_text="Of a comment.")

    def get_image_ids(self, event: talk.Event) -> list[int]:
        return [image.pk for image in event.images]


class TalkView(APIView):
    """What an album's people say under one of its pictures."""

    @extend_schema(responses=TalkSerializer)
    def get(self, request: Request, album: int, image: int) -> Response:
        """Return the comments and hearts under the picture in this album."""
        link = talk.place(request.user, album, image)
        [own] = talk.under(link.image, request.user, [link.album])
        return Response(TalkSerializer(own).data)

    @extend_schema(request=NewCommentSerializer, responses={201: CommentSerializer})
    def post(self, request: Request, album: int, image: int) -> Response:
        """Say something under the picture, to the album's people."""
        link = talk.place(request.user, album, image)
        form = NewCommentSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        comment = Comment.objects.create(
            album=link.album, image=link.image, author=signed_in(request), text=form.validated_data["text"]
        )
        comment.is_removable = True
        return Response(CommentSerializer(comment).data, status=status.HTTP_201_CREATED)


class HeartView(APIView):
    """Your heart for a picture of an album, which its people see."""

    @extend_schema(request=None, responses={204: None})
    def put(self, request: Request, album: int, image: int) -> Response:
        """Tell the album's people that you like the picture."""
        talk.like(talk.place(request.user, album, image), signed_in(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, album: int, image: int) -> Response:
        """Take your heart back."""
        talk.unlike(talk.place(request.user, album, image), signed_in(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class CommentView(generics.DestroyAPIView):
    """Comments that you may take away: your own, and any in your own albums."""

    queryset = Comment.objects.none()
    serializer_class = CommentSerializer

    def get_queryset(self) -> Any:
        return access.removable_comments(self.request.user)


class ActivityView(APIView):
    """What went on in an album lately."""

    @extend_schema(responses=EventSerializer(many=True))
    def get(self, request: Request, album: int) -> Response:
        """List who added, liked and said what in the album, latest first; up to 200."""
        found = get_object_or_404(access.visible_albums(request.user), pk=album)
        return Response(EventSerializer(talk.activity(found), many=True).data)
