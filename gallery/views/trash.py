"""The trash."""

import math
from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from gallery import access, trash
from gallery.alternative_texts import describe
from gallery.models import Image
from gallery.views.paging import PICTURES, page_of


@require_GET
def trashed(request: HttpRequest) -> HttpResponse:
    """Return the person's trash, latest first, with the days that each picture has left."""
    images = access.trashed_images(request.user).order_by("-trashed_at", "-pk")
    page = page_of(request, images, PICTURES)
    page.object_list = describe(page.object_list)
    for image in page.object_list:
        image.days_left = _days_left(image)
    context = {"page": page, "days": trash.KEPT.days, "selectable": True}
    return render(request, "gallery/trash.html", context)


@require_GET
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one picture in the trash, to restore it or delete it for good."""
    image = get_object_or_404(access.trashed_images(request.user), pk=pk)
    image.days_left = _days_left(image)
    describe([image])
    return render(request, "gallery/trashed.html", {"image": image})


def _days_left(image: Image) -> int:
    left = (image.trashed_at or timezone.now()) + trash.KEPT - timezone.now()
    return max(0, math.ceil(left / timedelta(days=1)))  # of which the last is not over yet


@require_POST
def empty(request: HttpRequest) -> HttpResponse:
    """Empty the trash: delete everything in it for good."""
    count, is_going_on = trash.empty(request.user)
    if is_going_on:
        going_on = _("%(number)s pictures are being permanently deleted. This takes some minutes.")
        messages.success(request, going_on % {"number": count})
        return redirect("trash")
    done = ngettext(
        "%(number)s picture permanently deleted.", "%(number)s pictures permanently deleted.", count
    )
    messages.success(request, done % {"number": count} if count else _("The trash is empty."))
    return redirect("trash")
