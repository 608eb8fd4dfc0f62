"""Originals and thumbnails, sent only to those who may see the picture."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from gallery import access
from gallery.files.downloads import wants_metadata
from gallery.files.responses import send_original, send_thumbnail


@require_safe
def original(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Download a picture."""
    images = access.with_location(access.servable_images(request.user), request.user)
    image = get_object_or_404(images, pk=pk)
    told = image.sees_location or access.may_administer_images(request.user)
    return send_original(request, image, told, wants_metadata(request.GET))


@require_safe
def thumbnail(request: HttpRequest, pk: int, size: str) -> HttpResponseBase:
    """Return a small, medium or large JPEG of a picture; browsers keep it for a day."""
    return send_thumbnail(request, get_object_or_404(access.servable_images(request.user), pk=pk), size)
