"""The page of one picture."""

from fractions import Fraction

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from gallery import access, corrections, extractor_switch
from gallery.models import Image
from search import engine, neighbours


@require_GET
def image(request: HttpRequest, pk: int) -> HttpResponse:
    """One picture: its tags, details and look-alikes."""
    seen = access.visible_images(request.user).select_related("owner", "text_in_image")
    images = access.as_seen_by(seen, request.user)
    picture = get_object_or_404(images, pk=pk)
    context = {
        "image": picture,
        "image_tags": picture.image_tags.shown(extractor_switch.current().key).select_related("tag"),
        "may_delete": access.deletable_images(request.user).filter(pk=pk).exists(),
        "may_correct": access.correctable_images(request.user).filter(pk=pk).exists(),
        "may_place": access.placeable_images(request.user).filter(pk=pk).exists(),
        "taken": corrections.local_text(picture.clock, picture.taken_precision),
        "may_tag": access.taggable_images(request.user).filter(pk=pk).exists(),
        "may_share": access.shareable_images(request.user).filter(pk=pk).exists(),
        "albums": access.visible_albums(request.user).filter(images=picture),
        "fillable": access.fillable_albums(request.user)
        if access.addable_images(request.user).filter(pk=pk)
        else (),
        "may_see_error": access.may_see_error(request.user, picture),
        "camera": _camera_facts(picture),
        "around": neighbours.around(picture, request.user, request.GET),
        "similar": engine.similar(picture, request.user),
    }
    return render(request, "search/image.html", context)


def _camera_facts(image: Image) -> list[tuple[str, str]]:
    """(label, value) of what the camera wrote; what it did not say is left out."""
    facts = [
        (_("Camera"), image.camera),
        (_("Lens"), image.lens),
        (_("Exposure"), image.exposure and _exposure(image.exposure)),
        (_("Aperture"), image.aperture and f"f/{image.aperture:g}"),
        (_("Focal length"), image.focal_length and f"{image.focal_length:g} mm"),
        ("ISO", image.iso and f"{image.iso:g}"),
    ]
    return [(label, value) for label, value in facts if value]


def _exposure(seconds: float) -> str:
    """1/250 s below a second."""
    if seconds >= 1:
        return f"{seconds:g} s"
    return f"{Fraction(1, max(round(1 / seconds), 1))} s"
