"""Originals and thumbnails as HTTP responses. Callers have asked gallery.access."""

import tempfile
from datetime import UTC, datetime
from pathlib import PurePath
from typing import IO, Any, cast

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import condition

from gallery.files import downloads
from gallery.files.ranges import with_range
from gallery.files.storage import is_in_object_store, signed_address
from gallery.files.thumbnails import SIZES, thumbnail_of
from gallery.imaging.formats import BY_NAME
from gallery.models import Image


def _etag(request: HttpRequest, image: Image, variant: str) -> str:
    return f'"{image.sha256[:32]}-{variant}{image.turn or ""}"'


def _modified(request: HttpRequest, image: Image, variant: str) -> datetime:
    return image.created_at.astimezone(UTC)


@condition(etag_func=_etag, last_modified_func=_modified)
def _thumbnail(request: HttpRequest, image: Image, variant: str) -> HttpResponseBase:
    try:
        return FileResponse(thumbnail_of(image, variant), content_type="image/jpeg")
    except FileNotFoundError as error:
        raise Http404 from error


@condition(etag_func=_etag, last_modified_func=_modified)
def _original(request: HttpRequest, image: Image, variant: str) -> HttpResponseBase:
    filename, media_type = image.filename, BY_NAME[image.format].media_type
    try:
        if variant == "original":
            file: IO[bytes] = image.original.storage.open(image.original_name)
        else:
            stripped = downloads.without_location(image)
            file, filename, media_type = _on_disk(stripped.content), stripped.filename, stripped.media_type
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(file, as_attachment=True, filename=filename, content_type=media_type)


def _on_disk(content: bytes) -> IO[bytes]:
    """Put what was made for one answer into a file without a name: a slow client must cost no memory."""
    file: Any = tempfile.SpooledTemporaryFile(1 << 20, dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115
    file.write(content)
    file.seek(0)
    return cast(IO[bytes], file)


def send_original(
    request: HttpRequest, image: Image, keeps_location: bool, metadata: bool = False
) -> HttpResponseBase:
    """Send the original as a download under its own name.

    Byte for byte, but for its location where that is not to be told; with `metadata` a copy that says what
    people said of it.
    """
    variant = "original" if keeps_location else "without-location"
    is_sent = request.method == "GET" and request.headers.get("If-None-Match") != _etag(
        request, image, variant
    )
    if not downloads.is_whole(image, reads=is_sent):
        return HttpResponse(_("This file is damaged on the server. Ask an administrator."), status=410)
    if metadata:
        return _with_metadata(image, keeps_location)
    if keeps_location and settings.PROXY_FETCHES and is_in_object_store(image.original):
        return _fetched_by_proxy(image)
    response = _original(request, image, variant)
    response = with_range(request, response)
    patch_cache_control(response, private=True, no_cache=True)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _fetched_by_proxy(image: Image) -> HttpResponse:
    """Have the proxy send the original from the store: no thread of this process carries its bytes.

    The proxy answers ranges and conditions, too. The address is good for minutes, and no client sees it.
    """
    address = signed_address(image.original, seconds=300)
    scheme, _, rest = address.partition("://")
    response = HttpResponse(content_type=BY_NAME[image.format].media_type)
    response["X-Accel-Redirect"] = f"/-/stored/{scheme}/{rest}"
    response["Content-Disposition"] = content_disposition_header(True, image.filename)
    response["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(response, private=True, no_cache=True)
    return response


def _with_metadata(image: Image, keeps_location: bool) -> HttpResponseBase:
    """Send a copy that says what is known of the picture; where nothing can be written into it, a ZIP."""
    try:
        copy, beside = downloads.with_metadata(image, keeps_location)
    except FileNotFoundError as error:
        raise Http404 from error
    if beside:
        return downloads.zip_of([(image, keeps_location)], PurePath(image.filename).stem, metadata=True)
    response = FileResponse(
        _on_disk(copy.content), as_attachment=True, filename=copy.filename, content_type=copy.media_type
    )
    response["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(response, private=True, no_cache=True)
    return response


def send_thumbnail(request: HttpRequest, image: Image, size: str) -> HttpResponseBase:
    """Return a JPEG of the pixels alone. The caller asked gallery.access."""
    if size not in SIZES:
        raise Http404
    response = with_range(request, _thumbnail(request, image, size))
    if response.status_code < 400:
        patch_cache_control(response, private=True, max_age=86_400)
    return response
