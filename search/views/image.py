"""The page of one picture."""

from fractions import Fraction

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from gallery import access, corrections, extractor_switch, talk
from gallery.access import AnyUser
from gallery.alternative_texts import describe
from gallery.models import Album, Image
from gallery.numbers import whole_number
from search import engine, neighbours


@require_GET
def image(request: HttpRequest, pk: int) -> HttpResponse:
    """One picture: its tags, details and look-alikes."""
    seen = access.visible_images(request.user).select_related("owner", "text_in_image")
    images = access.as_seen_by(seen, request.user)
    picture = get_object_or_404(images, pk=pk)
    albums = list(access.visible_albums(request.user).filter(images=picture))
    similar = engine.similar(picture, request.user)
    describe([picture, *(result.image for result in similar)])
    image_tags = picture.image_tags.shown(extractor_switch.current().key).select_related("tag")
    within = whole_number(request.GET.get("album", ""))
    rights = access.rights(request.user, picture)
    context = {
        "image": picture,
        "image_tags": image_tags,
        "may_delete": rights.is_own,
        "may_place": rights.is_own,
        "may_share": rights.is_own,
        "may_add": rights.is_own,
        "may_tag": rights.may_tag,
        "may_correct": rights.may_tag,
        "taken": corrections.local_text(picture.clock, picture.taken_precision),
        "albums": albums,
        "covering": _covering(request.user, albums),
        "removable": access.removable_from(request.user, picture) if albums else set(),
        "fillable": access.fillable_albums(request.user) if rights.is_own else (),
        "may_see_error": access.may_see_error(request.user, picture),
        "camera": _camera_facts(picture),
        "talks": talk.under(picture, request.user, albums, within),
        "around": neighbours.around(picture, request.user, request.GET),
        "similar": similar,
    }
    return render(request, "search/image.html", context)


def _covering(user: AnyUser, albums: list[Album]) -> set[int]:
    """Return the numbers of those of the albums of which the person chooses the cover."""
    if not albums:
        return set()
    editable = access.editable_albums(user).filter(pk__in=[album.pk for album in albums])
    return set(editable.values_list("pk", flat=True))


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
