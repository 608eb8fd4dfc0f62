"""Browse, one picture, upload, delete."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gallery import access, ingest, quota, serving, trash
from gallery.models import Image
from gallery.pagination import page_of
from gallery.views import selection

PER_PAGE = 60


@require_GET
def browse(request: HttpRequest) -> HttpResponse:
    """Every picture that the person may see, newest first."""
    page = page_of(request, access.visible_images(request.user), PER_PAGE)
    return render(request, "gallery/browse.html", {"page": page, **selection.context(request.user)})


@require_GET
def image(request: HttpRequest, pk: int) -> HttpResponse:
    """One picture: its tags, details and look-alikes."""
    images = access.with_location(access.visible_images(request.user).select_related("owner"), request.user)
    picture = get_object_or_404(images, pk=pk)
    context = {
        "image": picture,
        "image_tags": picture.image_tags.shown(serving.current().key).select_related("tag"),
        "may_delete": access.deletable_images(request.user).filter(pk=pk).exists(),
        "albums": access.visible_albums(request.user).filter(images=picture),
        "fillable": access.fillable_albums(request.user) if access.addable_images(request.user).filter(pk=pk) else (),
        "may_see_error": access.may_see_error(request.user, picture),
    }
    return render(request, "gallery/image.html", context)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a picture of one's own to the trash."""
    picture = get_object_or_404(access.deletable_images(request.user), pk=pk)
    trash.move(Image.objects.filter(pk=pk))
    messages.success(request, f"{picture.filename} is in the trash for thirty days.", extra_tags="trash")
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
        return render(request, "gallery/upload.html", {"usage": quota.usage(request.user)})
    files = request.FILES.getlist("files")
    if not files:
        return render(request, "gallery/upload.html", {"error": "files: choose at least one picture."}, status=400)
    outcomes = [take(request.user, file) for file in files]
    accepted = any(outcome["image"] for outcome in outcomes)
    return render(request, "gallery/upload.html", {"outcomes": outcomes}, status=200 if accepted else 400)


def take(user, file) -> dict:
    """Ingest one uploaded file for a page: its name, its image if it was taken, and what to say."""
    name = ingest.clean_filename(file.name)
    try:
        added = ingest.add(user, file)
    except ingest.Refused as refusal:
        return {"name": name, "image": None, "verdict": "refused", "message": str(refusal)}
    if added.created:
        return {"name": name, "image": added.image, "verdict": "added", "message": "Added; searchable in a moment."}
    return {"name": name, "image": added.image, "verdict": "there", "message": "You have this picture already."}


def pending_count(user) -> int:
    """How many of the person's own pictures are not searchable yet."""
    waiting = [Image.Status.PENDING, Image.Status.PROCESSING]
    return access.deletable_images(user).filter(status__in=waiting).count()
