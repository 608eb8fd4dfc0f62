"""What a person does with one picture: tag it, caption it, delete it. Its page is search.views.image."""

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gallery import access, corrections, favourites, tagging, trash, undo
from gallery.access import AnyUser
from gallery.forms.images import CaptionForm
from gallery.models import Image
from gallery.views.requests import SignedInRequest, back


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
def caption(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the picture's caption, or take it away."""
    picture = get_object_or_404(access.correctable_images(request.user), pk=pk)
    form = CaptionForm(request.POST, instance=picture)
    if not form.is_valid():
        raise BadRequest(form.errors["caption"][0])
    form.save()
    return redirect(back(request, picture.get_absolute_url()))


@require_POST
def correct(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say when or where the picture was taken, or turn it by a quarter."""
    get_object_or_404(access.correctable_images(request.user), pk=pk)
    if not correct_all(request.user, {pk}, request.POST):
        raise Http404
    return redirect(back(request, reverse("image", args=[pk])))


def correct_all(user: AnyUser, ids: set[int], form: QueryDict) -> int:
    """Do what a form says with those of the pictures that the person may correct; how many those are.

    BadRequest where it says nothing that can be done.
    """
    correctable = Image.objects.filter(pk__in=access.correctable_images(user).filter(pk__in=ids).values("pk"))
    try:
        match form.get("action"):
            case "date":
                return corrections.set_date(correctable, corrections.parse_date(form.get("taken", "")))
            case "place":
                own = access.placeable_images(user).filter(pk__in=ids)
                return corrections.set_place(own, *corrections.parse_place(form.get("place", "")))
            case "turn-left":
                return corrections.turn(correctable, -1)
            case "turn-right":
                return corrections.turn(correctable, 1)
    except ValidationError as error:
        raise BadRequest(error.messages[0]) from error
    raise BadRequest(_("The action must be date, place, turn-left or turn-right."))


@require_POST
def favourite(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give the picture a heart, or take it away."""
    picture = get_object_or_404(access.visible_images(request.user), pk=pk)
    change = {"add": favourites.add, "remove": favourites.remove}.get(request.POST.get("action", ""))
    if change is None:
        raise BadRequest(_("The action must be add or remove."))
    change(request.user, picture)
    return redirect(back(request, picture.get_absolute_url()))


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Move your own picture to the trash."""
    picture = get_object_or_404(access.deletable_images(request.user), pk=pk)
    trash.move(Image.objects.filter(pk=pk))
    undo.remember(request, undo.of_ids("restore", [pk]))
    message = _("%(name)s was moved to the trash, where it stays for 30 days.") % {"name": picture.filename}
    message = format_html('{} <a href="{}">{}</a>', message, reverse("trash"), _("Open the trash"))
    messages.success(request, message, extra_tags="undo")
    return redirect(back(request, "browse"))
