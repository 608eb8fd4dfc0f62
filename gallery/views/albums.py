"""Albums: make, fill, share, rename, delete. Who may do what is asked of gallery.access at every step."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gallery import access, album_filling, album_order, memberships
from gallery.alternative_texts import describe
from gallery.files import downloads
from gallery.forms.albums import AlbumForm, MemberForm
from gallery.models import Album, Image
from gallery.numbers import whole_number, whole_numbers
from gallery.views import selection
from gallery.views.paging import PICTURES, page_of
from gallery.views.requests import SignedInRequest, back, posted

ALBUMS = 60  # on a page of the list
MOST_PEOPLE = 500  # that are offered to pick from


@require_http_methods(["GET", "HEAD", "POST"])
def albums(request: SignedInRequest) -> HttpResponse:
    """Return the albums that the person sees, and a form for a new one."""
    form = AlbumForm(posted(request), instance=Album(owner=request.user), person=request.user)
    if form.is_valid():
        return redirect("album", form.save().pk)
    found = access.visible_albums(request.user).select_related("owner").order_by("title", "pk")
    page = page_of(request, access.with_pictures(found), ALBUMS)
    context = {"page": page, "form": form}
    return render(request, "gallery/albums.html", context, status=400 if form.errors else 200)


@require_GET
def album(request: SignedInRequest, pk: int) -> HttpResponse:
    """One album: its pictures in its order, and what the person may do with it.

    With `arrange`, the means to change the order and the cover.
    """
    found = get_object_or_404(access.visible_albums(request.user).select_related("owner"), pk=pk)
    access.news(request.user).filter(album=found).update(seen_at=timezone.now())
    return _show(request, found)


def _show(
    request: SignedInRequest,
    found: Album,
    form: AlbumForm | None = None,
    member_form: MemberForm | None = None,
) -> HttpResponse:
    links = access.album_images(found).select_related("image").order_by(*found.order_of())
    page = page_of(request, links, PICTURES)
    page.object_list = list(page.object_list)
    describe(link.image for link in page.object_list)
    may_own = access.owned_albums(request.user).filter(pk=found.pk).exists()
    removable = access.removable_album_images(request.user, found).filter(pk__in=[link.pk for link in page])
    may_edit = may_own or access.editable_albums(request.user).filter(pk=found.pk).exists()
    context = {
        "album": found,
        "page": page,
        "may_edit": may_edit,
        "arranging": may_edit and "arrange" in request.GET,
        "removable": set(removable.values_list("pk", flat=True)),
        "may_own": may_own,
        "may_add": access.fillable_albums(request.user).filter(pk=found.pk).exists(),
        "invitable": access.invitable_people(request.user, found)[:MOST_PEOPLE] if may_own else [],
        "members": found.memberships.select_related("user").order_by("user__username"),
        "form": form or AlbumForm(instance=found, person=request.user),
        "member_form": member_form or MemberForm(album=found),
    }
    context |= selection.context(request.user, found) | {"within": f"in=album&album={found.pk}"}
    wrong = any(given is not None and given.errors for given in (form, member_form))
    return render(request, "gallery/album.html", context, status=400 if wrong else 200)


@require_GET
def download(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Return the album's originals as a ZIP, in the order they came here."""
    found = get_object_or_404(access.visible_albums(request.user), pk=pk)
    inside = Image.objects.filter(pk__in=access.album_images(found).values("image_id"))
    images = access.with_location(inside, request.user).order_by("pk")
    return downloads.zip_of(
        [(image, image.sees_location) for image in images], found.title, request.GET.get("with") == "metadata"
    )


@require_POST
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Rename or describe an album."""
    found = get_object_or_404(access.editable_albums(request.user), pk=pk)
    form = AlbumForm(request.POST, instance=found, person=request.user)
    if not form.is_valid():
        return _show(request, Album.objects.get(pk=pk), form=form)
    form.save()
    return redirect("album", pk)


@require_POST
def arrange(request: SignedInRequest, pk: int) -> HttpResponse:
    """Move the pictures `image` to another `place` in the album.

    First, earlier, later or last, or before the picture of that number.
    """
    found = get_object_or_404(access.editable_albums(request.user), pk=pk)
    images, where = (
        whole_numbers(request.POST.getlist("image"), selection.MOST),
        request.POST.get("place", ""),
    )
    place = where if where in album_order.PLACES else whole_number(where)
    if images is None or place is None:
        raise BadRequest(
            _("Choose pictures, and where to move them: %(places)s, or the number of a picture.")
            % {"places": ", ".join(album_order.PLACES)}
        )
    try:
        album_order.place(found, images, place)
    except ValueError as error:
        raise BadRequest(str(error)) from error
    return redirect(back(request, reverse("album", args=[pk])))


@require_POST
def set_cover(request: SignedInRequest, pk: int) -> HttpResponse:
    """Have the album show one of its pictures in lists."""
    found = get_object_or_404(access.editable_albums(request.user), pk=pk)
    chosen = whole_number(request.POST.get("image", ""))
    if chosen is None:
        raise BadRequest(_("Choose a picture of the album."))
    link = get_object_or_404(access.album_images(found), image_id=chosen)
    Album.objects.filter(pk=pk).update(cover=link.image_id)
    messages.success(request, _("Album cover changed."))
    return redirect(back(request, reverse("album", args=[pk])))


@require_POST
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete an album; its pictures stay."""
    found = get_object_or_404(access.owned_albums(request.user), pk=pk)
    found.delete()
    message = _("The album %(title)s was deleted. Its pictures were kept.") % {"title": found.title}
    messages.success(request, message)
    return redirect("albums")


@require_POST
def set_member(request: SignedInRequest, pk: int) -> HttpResponse:
    """Invite someone into an album, or change their role."""
    found = get_object_or_404(access.owned_albums(request.user), pk=pk)
    form = MemberForm(request.POST, album=found)
    if not form.is_valid():
        return _show(request, found, member_form=form)
    address = request.build_absolute_uri(found.get_absolute_url())
    _member, is_new = memberships.invite(found, form.person, form.cleaned_data["role"], address)
    said = _("%(name)s can see this album now.") if is_new else _("%(name)s has another role now.")
    messages.success(request, said % {"name": form.person.get_username()})
    return redirect("album", pk)


@require_POST
def remove_member(request: SignedInRequest, pk: int, member: int) -> HttpResponse:
    """End a membership: as the album's owner anyone's, otherwise one's own."""
    found = get_object_or_404(access.visible_albums(request.user), pk=pk)
    get_object_or_404(access.removable_memberships(request.user, found), pk=member).delete()
    still_seen = access.visible_albums(request.user).filter(pk=pk).exists()
    return redirect("album", pk) if still_seen else redirect("albums")


@require_http_methods(["GET", "HEAD", "POST"])
def add_image(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put your own picture into the album that the form names, or ask for one."""
    image = get_object_or_404(access.addable_images(request.user), pk=pk)
    if request.method != "POST":
        context = {"image": image, "fillable": access.fillable_albums(request.user)}
        return render(request, "gallery/image_albums.html", context)
    found = selection.chosen_album(request)
    album_filling.put(found, [image.pk], request.user)
    messages.success(
        request, _("Added %(name)s to %(album)s.") % {"name": image.filename, "album": found.title}
    )
    return redirect(back(request, image.get_absolute_url()))


@require_POST
def remove_image(request: SignedInRequest, pk: int, image: int) -> HttpResponse:
    """Take a picture out of an album."""
    found = get_object_or_404(access.visible_albums(request.user), pk=pk)
    get_object_or_404(access.removable_album_images(request.user, found), image_id=image).delete()
    return redirect("album", pk)
