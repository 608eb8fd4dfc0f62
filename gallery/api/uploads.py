"""Uploads in pieces, by tus 1.0 (https://tus.io/protocols/resumable-upload): for phones and big files."""

import base64
import io
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from gallery import access, partial_uploads
from gallery.api.images import signed_in
from gallery.api.pagination import PAGES, Pagination
from gallery.api.problems import NoRoom
from gallery.api.strict import LOOKS_ITSELF
from gallery.destination import destination
from gallery.ingest import clean_filename
from gallery.models import PartialUpload
from gallery.numbers import whole_number
from gallery.refusal import NoRoomError, RefusedError

VERSION = "1.0.0"
MEDIA_TYPE = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,expiration,termination,checksum"
MOST_METADATA = 8000  # characters
RESUMABLE = OpenApiParameter(
    "Tus-Resumable", str, OpenApiParameter.HEADER, required=True, enum=[VERSION], description="The protocol."
)
OFFSET = OpenApiParameter(
    "Upload-Offset", int, OpenApiParameter.HEADER, required=True, description="Where these bytes begin."
)
CHECKSUM = OpenApiParameter(
    "Upload-Checksum", str, OpenApiParameter.HEADER,
    description="sha1 or sha256, a space, and the digest of these bytes in Base64.",
)  # fmt: skip
LENGTH = OpenApiParameter(
    "Upload-Length", int, OpenApiParameter.HEADER, required=True, description="Bytes of the whole file."
)
METADATA = OpenApiParameter(
    "Upload-Metadata", str, OpenApiParameter.HEADER,
    description="filename, album_id, album, tags and modified, as for images/: each a name, a space and "
    "Base64, commas between them.",
)  # fmt: skip


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "The upload is at another byte: ask with HEAD."


class Locked(APIException):
    status_code = status.HTTP_423_LOCKED
    default_detail = "Another request writes to this upload at the moment."


class Mismatch(APIException):
    status_code = 460  # as tus has it
    default_detail = "These bytes are not those of the checksum. Nothing of them was kept."


class WrongVersion(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = f"Send Tus-Resumable: {VERSION}."


class Gone(APIException):
    status_code = status.HTTP_404_NOT_FOUND
    default_detail = "There is no such upload; begin anew."


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class LengthRequired(APIException):
    """A body of which nobody knows how long it is: Django would take it for empty."""

    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = "Send Content-Length: chunked bodies are not taken here."


class UnsupportedBody(APIException):
    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    default_detail = f"Send the bytes as {MEDIA_TYPE}."


class OctetsParser(BaseParser):
    """Hands the view the connection itself."""

    media_type = MEDIA_TYPE

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return stream


class UploadSerializer(serializers.ModelSerializer):
    image_id = serializers.IntegerField(allow_null=True, help_text="The picture, once it is whole.")
    offset = serializers.IntegerField(help_text="How many bytes are here.")

    class Meta:
        model = PartialUpload
        fields = ["id", "filename", "length", "offset", "image_id", "expires_at"]


@extend_schema_serializer(many=False)
class UploadsSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = UploadSerializer(many=True)


class TusView(APIView):
    """What both addresses have in common: the protocol's header fields."""

    parser_classes = [OctetsParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        is_tus = (
            request.method in ("POST", "PATCH", "HEAD", "DELETE") and request.method in self.allowed_methods
        )
        if is_tus and request.headers.get("Tus-Resumable") != VERSION:
            raise WrongVersion

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response["Tus-Resumable"] = VERSION
        if response.status_code == status.HTTP_412_PRECONDITION_FAILED or request.method == "OPTIONS":
            response["Tus-Version"] = VERSION
        return super().finalize_response(request, response, *args, **kwargs)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Say what of the protocol is here."""
        return Response(
            status=status.HTTP_204_NO_CONTENT,
            headers={
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(settings.MAX_UPLOAD_MB * 1_000_000),
                "Tus-Checksum-Algorithm": ",".join(partial_uploads.CHECKSUMS),
            },
        )

    def receive(self, request: Request, upload: PartialUpload, offset: int) -> None:
        """Take the request's bytes in, and the picture once it is whole."""
        body: Any = request.data
        if "Content-Length" not in request.headers and request.headers.get("Transfer-Encoding"):
            raise LengthRequired
        stream = body if hasattr(body, "read") else io.BytesIO()  # of an empty body
        try:
            partial_uploads.write(upload, stream, offset, _checksum(request))
            partial_uploads.finish(upload)
        except partial_uploads.OffsetError as error:
            raise Conflict from error
        except partial_uploads.BusyError as error:
            raise Locked from error
        except partial_uploads.ChecksumError as error:
            raise Mismatch from error
        except NoRoomError as refusal:
            raise NoRoom({"file": [str(refusal)]}) from refusal
        except RefusedError as refusal:
            raise ValidationError({"file": [str(refusal)]}) from refusal


def _fields(upload: PartialUpload, request: Request) -> dict[str, str]:
    """How far the upload is, and once it is whole where the picture is."""
    expires = http_date(upload.expires_at.timestamp())
    fields = {"Upload-Offset": str(upload.offset), "Upload-Expires": expires}
    if upload.image_id:
        fields["Content-Location"] = reverse("api-image-detail", args=[upload.image_id], request=request)
    return fields


class UploadsView(TusView):
    """Your uploads in pieces."""

    parameters: ClassVar = {"get": LOOKS_ITSELF}

    @extend_schema(parameters=PAGES, responses=UploadsSerializer, operation_id="uploads_list")
    def get(self, request: Request) -> Response:
        """List the uploads of the last week, those that are whole, too."""
        pages = Pagination()
        found = pages.paginate_queryset(access.partial_uploads(request.user), request)
        return pages.get_paginated_response(UploadSerializer(found, many=True).data)

    @extend_schema(
        parameters=[RESUMABLE, LENGTH, METADATA, CHECKSUM],
        request={MEDIA_TYPE: OpenApiTypes.BINARY},
        responses={201: None},
    )
    def post(self, request: Request) -> Response:
        """Begin an upload; its first bytes may come along. `Location` says where the others go."""
        length = whole_number(request.headers.get("Upload-Length", ""), 1, 2**53)
        if length is None:
            raise ValidationError({"Upload-Length": ["Say how many bytes the file has."]})
        most = settings.MAX_UPLOAD_MB * 1_000_000
        if length > most:
            raise TooLarge({"Upload-Length": [f"A file has at most {most} bytes here."]})
        upload = PartialUpload(owner=signed_in(request), length=length, **_said(request))
        try:
            partial_uploads.begin(upload)
        except NoRoomError as refusal:
            raise NoRoom({"Upload-Length": [str(refusal)]}) from refusal
        if request.content_type == MEDIA_TYPE:
            self.receive(request, upload, 0)
        address = reverse("api-upload", args=[upload.pk], request=request)
        headers = {"Location": address, **_fields(upload, request)}
        return Response(status=status.HTTP_201_CREATED, headers=headers)


class UploadView(TusView):
    """One upload in pieces."""

    def _upload(self, request: Request, pk: Any) -> PartialUpload:
        upload = access.partial_uploads(request.user).filter(pk=pk).first()
        if upload is None:
            raise Gone
        return upload

    def head(self, request: Request, pk: Any) -> Response:
        """Say how many bytes are here; a picture that is whole is taken in, if it was not yet."""
        upload = self._upload(request, pk)
        if not upload.is_done and upload.offset == upload.length:
            self.receive_rest(upload)
        return Response(headers={**_fields(upload, request), "Upload-Length": str(upload.length)})

    @staticmethod
    def receive_rest(upload: PartialUpload) -> None:
        """Finish what a stop of the site left unfinished; what goes wrong now is told to the next PATCH."""
        try:
            partial_uploads.finish(upload)
        except (RefusedError, partial_uploads.BusyError):
            return

    @extend_schema(responses=UploadSerializer)
    def get(self, request: Request, pk: Any) -> Response:
        """Say how far it is, and which picture became of it."""
        return Response(UploadSerializer(self._upload(request, pk)).data)

    @extend_schema(
        parameters=[RESUMABLE, OFFSET, CHECKSUM],
        request={MEDIA_TYPE: OpenApiTypes.BINARY},
        responses={204: None},
    )
    def patch(self, request: Request, pk: Any) -> Response:
        """Send more bytes. After the last one the picture is there: GET says its number."""
        upload = self._upload(request, pk)
        if request.content_type != MEDIA_TYPE:
            raise UnsupportedBody
        offset = whole_number(request.headers.get("Upload-Offset", ""), 0, 2**53)
        if offset is None:
            raise ValidationError({"Upload-Offset": ["Say where these bytes begin."]})
        self.receive(request, upload, offset)
        return Response(status=status.HTTP_204_NO_CONTENT, headers=_fields(upload, request))

    @extend_schema(parameters=[RESUMABLE], responses={204: None})
    def delete(self, request: Request, pk: Any) -> Response:
        """Give the upload up; a picture that it has become stays."""
        partial_uploads.remove(self._upload(request, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _said(request: Request) -> dict[str, Any]:
    """Read Upload-Metadata; a 400 that names what cannot be."""
    line = request.headers.get("Upload-Metadata", "")
    if len(line) > MOST_METADATA:
        raise ValidationError({"Upload-Metadata": ["This is too long."]})
    said: dict[str, str] = {}
    for pair in filter(None, (own.strip() for own in line.split(","))):
        name, _space, value = pair.partition(" ")
        try:
            said[name] = base64.b64decode(value, validate=True).decode()
        except ValueError as error:
            raise ValidationError({"Upload-Metadata": [f"'{name[:40]}' is not text in Base64."]}) from error
    album = said.get("album_id")
    number = whole_number(album, 1, 2**53) if album else None
    if album and number is None:
        raise ValidationError({"album_id": ["This must be a number."]})
    title, tags = said.get("album", ""), said.get("tags", "")
    if len(title) > 200 or len(tags) > 2000:
        raise ValidationError({"Upload-Metadata": ["The album's title or the tags are too long."]})
    if not title.isprintable():
        raise ValidationError({"Upload-Metadata": ["The album's title has characters that no title has."]})
    if number is not None and title.strip():
        raise ValidationError({"Upload-Metadata": ["Name an album or its number: one of both."]})
    try:
        destination(request.user, number, "", tags.split(","))
    except DjangoValidationError as error:
        raise ValidationError(error.message_dict) from error
    name = clean_filename(said.get("filename") or said.get("name") or "")
    return {
        "filename": name,
        "album_id_asked": number,
        "album_title": title,
        "tags": tags,
        "modified": _moment(said.get("modified", "")),
    }


def _moment(text: str) -> datetime | None:
    try:
        return serializers.DateTimeField().to_internal_value(text) if text else None
    except ValidationError as error:
        raise ValidationError({"modified": error.detail}) from error


def _checksum(request: Request) -> tuple[str, bytes] | None:
    """Read Upload-Checksum: (algorithm, digest)."""
    line = request.headers.get("Upload-Checksum", "")
    if not line:
        return None
    algorithm, _space, value = line.partition(" ")
    if algorithm not in partial_uploads.CHECKSUMS:
        raise ValidationError({"Upload-Checksum": ["Use sha1 or sha256."]})
    try:
        return algorithm, base64.b64decode(value, validate=True)
    except ValueError as error:
        raise ValidationError({"Upload-Checksum": ["The digest is not Base64."]}) from error
