"""One picture, upload, trash."""

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gallery import access, camera, ingest, quota, serving, tagging, trash
from gallery.models import Image
from gallery.pagination import page_of
from gallery.views.posting import back, number

PER_PAGE = 60


@require_GET
def image(request: HttpRequest, pk: int) -> HttpResponse:
    """One picture: its tags, details and look-alikes."""
    images = access.with_location(access.visible_images(request.user).select_related("owner"), request.user)
    picture = get_object_or_404(images, pk=pk)
    context = {
        "image": picture,
        "image_tags": picture.image_tags.shown(serving.current().key).select_related("tag"),
        "may_delete": access.deletable_images(request.user).filter(pk=pk).exists(),
        "may_tag": access.taggable_images(request.user).filter(pk=pk).exists(),
        "may_share": access.shareable_images(request.user).filter(pk=pk).exists(),
        "albums": access.visible_albums(request.user).filter(images=picture),
        "fillable": access.fillable_albums(request.user) if access.addable_images(request.user).filter(pk=pk) else (),
        "may_see_error": access.may_see_error(request.user, picture),
        "camera": camera.read(picture.original),
    }
    return render(request, "gallery/image.html", context)


@require_POST
def tag(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the picture a tag, accept one that the extractor gave (it is a person's then), or take one away for good."""
    picture = get_object_or_404(access.taggable_images(request.user), pk=pk)
    change = {"add": tagging.add, "remove": tagging.remove}.get(request.POST.get("action", ""))
    if change is None:
        raise BadRequest(_("action: must be add or remove."))
    try:
        change(picture, request.POST.get("tag", ""))
    except ValidationError as error:
        raise BadRequest(f"tag: {error.messages[0]}") from error
    return redirect(back(request, picture.get_absolute_url()))


@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """How many of the person's `of` pictures are searchable by now, as a line that renews itself until all are."""
    of = number(request.GET.get("of", ""))
    return render(request, "parts/waiting.html", waiting_context(request.user, of or 0))


def waiting_context(user, of: int = 0) -> dict:
    """What the line needs that says how many of the person's `of` pictures, or of the unread ones, are searchable."""
    count = access.unread_images(user).exclude(status=Image.Status.FAILED).count()
    of = max(of, count)
    return {"waiting": count, "of": of, "ready": of - count}


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a picture of one's own to the trash."""
    picture = get_object_or_404(access.deletable_images(request.user), pk=pk)
    trash.move(Image.objects.filter(pk=pk))
    message = _("%(name)s is in the trash for thirty days.") % {"name": picture.filename}
    messages.success(request, message, extra_tags="trash")
    return redirect("browse")


@require_GET
def trashed(request: HttpRequest) -> HttpResponse:
    """The person's trash, latest first."""
    images = access.trashed_images(request.user).order_by("-trashed_at", "-pk")
    context = {"page": page_of(request, images, PER_PAGE), "days": trash.KEPT.days, "selectable": True}
    return render(request, "gallery/trash.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Take several files, and say of each what became of it."""
    if request.method != "POST":
        context = {"usage": quota.usage(request.user), **waiting_context(request.user)}
        return render(request, "gallery/upload.html", context)
    files = request.FILES.getlist("files")
    if not files:
        return render(request, "gallery/upload.html", {"error": _("files: choose at least one picture.")}, status=400)
    outcomes = [take(request.user, file) for file in files]
    accepted = any(outcome["image"] for outcome in outcomes)
    context = {"outcomes": outcomes, **waiting_context(request.user)}
    return render(request, "gallery/upload.html", context, status=200 if accepted else 400)


def take(user, file) -> dict:
    """Ingest one uploaded file for a page: its name, its image if it was taken, and what to say."""
    name = ingest.clean_filename(file.name)
    try:
        added = ingest.add(user, file)
    except ingest.Refused as refusal:
        return {"name": name, "image": None, "verdict": "refused", "message": str(refusal)}
    if added.created:
        return {"name": name, "image": added.image, "verdict": "added", "message": _("Added; searchable in a moment.")}
    return {"name": name, "image": added.image, "verdict": "there", "message": _("You have this picture already.")}
