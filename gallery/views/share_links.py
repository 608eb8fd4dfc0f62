"""Share links, for the people who make them."""

from collections.abc import Sequence
from typing import Any

import segno
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gallery import access
from gallery.forms.share_links import ShareLinkForm
from gallery.models import Album, Image, ShareLink
from gallery.models.share_link import MOST_IMAGES
from gallery.numbers import whole_numbers
from gallery.views.paging import page_of
from gallery.views.requests import SignedInRequest, posted

PER_PAGE = 60
NEW = "new-share-link"


@require_http_methods(["GET", "HEAD", "POST"])
def links(request: SignedInRequest) -> HttpResponse:
    """Return the person's share links; a form that is posted here makes another one."""
    if request.method == "POST":
        return _make(request)
    own = access.owned(ShareLink.objects, request.user).select_related("album")
    alive = access.owned(ShareLink.objects.alive(), request.user).values("pk")
    own = own.annotate(number=Count("images")).order_by("-pk")
    over = own.exclude(pk__in=alive)
    # The address is known now and never again: it is shown once.
    address = request.session.pop(NEW, "")
    context = {
        "page": page_of(request, own.filter(pk__in=alive), PER_PAGE),
        "over": over[:PER_PAGE],
        "address": address,
    }
    if address:
        context["code"] = segno.make(address, micro=False)
    return render(request, "gallery/links.html", context)


@require_GET
def new(request: SignedInRequest) -> HttpResponse:
    """Return the form for a link to the album or the pictures that the address names."""
    album, images = _target(request, request.GET)
    return form_page(request, album, images)


def form_page(
    request: SignedInRequest, album: Album | None = None, images: Sequence[Image] = (), form: Any = None
) -> HttpResponse:
    """Return the form for a link to this album or these pictures, which came from gallery.access."""
    if form is None:
        title = album.title if album else images[0].filename if len(images) == 1 else _("Pictures")
        form = ShareLinkForm(initial={"title": title}, instance=ShareLink(album=album))
    context = {"form": form, "album": album, "images": images}
    return render(request, "gallery/link.html", context, status=400 if form.errors else 200)


def _make(request: SignedInRequest) -> HttpResponse:
    album, images = _target(request, request.POST)
    form = ShareLinkForm(request.POST, instance=ShareLink(owner=request.user, album=album))
    if not form.is_valid():
        return form_page(request, album, images, form)
    token = form.instance.new_token()
    link = form.save()
    link.images.set(images)
    request.session[NEW] = request.build_absolute_uri(reverse("shared", args=[token]))
    return redirect("links")


def _target(request: SignedInRequest, parameters: Any) -> tuple[Album | None, list[Image]]:
    """Return the album or else the pictures that the parameters name; 404 where they may not be shared."""
    ids = whole_numbers(parameters.getlist("album") or parameters.getlist("image"), MOST_IMAGES)
    if ids is None:
        raise BadRequest(_("Choose an album, or up to %(most)s pictures.") % {"most": MOST_IMAGES})
    if "album" in parameters:
        return get_object_or_404(access.shareable_albums(request.user), pk=max(ids)), []
    images = list(access.shareable_images(request.user).filter(pk__in=ids))
    if len(images) < len(ids):
        raise Http404
    return None, images


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change what a link is called and allows; its address stays."""
    link = get_object_or_404(access.owned(ShareLink.objects.alive(), request.user), pk=pk)
    form = ShareLinkForm(posted(request), instance=link)
    if form.is_valid():
        form.instance.save_terms()
        messages.success(request, _("Saved."))
        return redirect("links")
    context = {"form": form, "link": link}
    return render(request, "gallery/link.html", context, status=400 if form.errors else 200)


@require_POST
def revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke the link: it shows nothing any more, from this moment on."""
    get_object_or_404(access.owned(ShareLink.objects.alive(), request.user), pk=pk).end()
    return redirect("links")
