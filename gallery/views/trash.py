"""The trash."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gallery import access, trash
from gallery.views.paging import page_of

PER_PAGE = 60


@require_GET
def trashed(request: HttpRequest) -> HttpResponse:
    """Return the person's trash, latest first."""
    images = access.trashed_images(request.user).order_by("-trashed_at", "-pk")
    context = {"page": page_of(request, images, PER_PAGE), "days": trash.KEPT.days, "selectable": True}
    return render(request, "gallery/trash.html", context)
