"""What a person does with one picture: tag it, delete it. Its page is search.views.image."""

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gallery import access, tagging, trash
from gallery.models import Image
from gallery.views.requests import back


@require_POST
def tag(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a tag, confirm one that the extractor gave, or remove one permanently."""
    picture = get_object_or_404(access.taggable_images(request.user), pk=pk)
    change = {"add": tagging.add, "remove": tagging.remove}.get(request.POST.get("action", ""))
    if change is None:
        raise BadRequest(_("The action must be add or remove."))
    try:
        change(picture, request.POST.get("tag", ""))
    except ValidationError as error:
        raise BadRequest(error.messages[0]) from error
    return redirect(back(request, picture.get_absolute_url()))


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Move your own picture to the trash."""
    picture = get_object_or_404(access.deletable_images(request.user), pk=pk)
    trash.move(Image.objects.filter(pk=pk))
    message = _("%(name)s was moved to the trash, where it stays for 30 days.") % {"name": picture.filename}
    messages.success(request, message, extra_tags="trash")
    return redirect("browse")
