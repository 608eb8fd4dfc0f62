"""Tags that a person's pictures carry."""

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gallery import access, serving
from gallery.models import ImageTag, Tag
from gallery.pagination import page_of

PER_PAGE = 300


@require_GET
def tags(request: HttpRequest) -> HttpResponse:
    """The tags on pictures that the person sees, most frequent first."""
    found = visible_tags(request.user)
    return render(request, "gallery/tags.html", {"page": page_of(request, found, PER_PAGE)})


def visible_tags(user):
    """Tags that occur on pictures that `user` may see, with `count`, most frequent first."""
    images = access.visible_images(user).values("pk")
    carried = ImageTag.objects.shown(serving.current().key).filter(image__in=images)
    return Tag.objects.filter(image_tags__in=carried).annotate(count=Count("id")).order_by("-count", "name")
