"""What a share link shows to anyone who has its address.

Pictures, one picture, a slideshow, files where allowed.

Nothing else of the site is told: no names, tags, dates or places.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import access, guests, ingest, throttle
from gallery.files import downloads
from gallery.files.responses import send_original, send_thumbnail
from gallery.forms.sign_in import too_many
from gallery.imaging import formats
from gallery.models import Image, ShareLink
from gallery.numbers import whole_number
from gallery.refusal import RefusedError
from gallery.views.paging import page_of

PER_PAGE = 60
SENT = "sent-by-guest"
# What people open by itself: they are asked for the password.
OPENED = {"shared_image", "shared_original", "shared_download"}
SECONDS = 5  # that a slideshow stays on a picture


class LockedError(Exception):
    """The link has a password that this browser has not given yet."""


class NotAllowedError(Exception):
    """The link shows pictures, but gives no files."""


def for_guests(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Open a view to people without an account, and tell them of a link that is over without a sign-in."""

    @login_not_required
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (Http404, LockedError, NotAllowedError) as reason:
            token = kwargs["token"]
            if isinstance(reason, LockedError) and view.__name__ in OPENED:
                wanted = f"?picture={kwargs['pk']}" if view.__name__ == "shared_image" else ""
                return _private(redirect(reverse("shared", args=[token]) + wanted))
            context = {"token": token, "gives_no_files": isinstance(reason, NotAllowedError)}
            return _private(render(request, "gallery/shared_gone.html", context, status=404))

    return answered


@for_guests
@require_http_methods(["GET", "HEAD", "POST"])
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """Return the link's pictures; before them, where it has one, the question for its password."""
    link = _link(token)
    if not _is_open(request, link):
        return _ask(request, link, token)
    if request.method == "POST":
        return redirect("shared", token)
    _count_view(request, link)
    page = page_of(request, access.linked_images(link), PER_PAGE)
    context = {"link": link, "token": token, "page": page, "accept": formats.ACCEPT}
    if link.has_preview and not link.password:  # whom a messenger asks for it, it shows everybody there
        context["preview"] = access.linked_images(link).first()
    context["sent"] = request.session.pop(SENT, None)
    return _private(render(request, "gallery/shared.html", context))


@for_guests
@require_POST
def shared_add(request: HttpRequest, token: str) -> HttpResponse:
    """Take pictures that a guest adds, where the link allows that; they wait for its owner."""
    link = _opened(request, token)
    if not link.allow_uploads or link.album is None:
        raise Http404
    files = request.FILES.getlist("files")
    if not 1 <= len(files) <= guests.AT_ONCE:
        raise BadRequest(_("Choose 1 to %(most)s pictures.") % {"most": guests.AT_ONCE})
    guards = throttle.guest_guards(request, link.pk)
    if seconds := throttle.wait(guards):
        response = HttpResponse(too_many(seconds).messages[0], status=429, content_type="text/plain")
        response["Retry-After"] = str(seconds)
        return response
    name = " ".join(request.POST.get("name", "").split())
    refused: list[str] = []
    taken: set[int] = set()  # a file that came twice is one picture
    for file in files:
        throttle.counted(guards)
        try:
            taken.add(guests.receive(link, file, name))
        except RefusedError as error:
            refused.append(f"{ingest.clean_filename(file.name or '')}: {error}")
    thanks = ngettext(
        "Thank you. %(number)s picture waits for %(title)s’s owner to accept it.",
        "Thank you. %(number)s pictures wait for %(title)s’s owner to accept them.",
        len(taken),
    )
    said = thanks % {"number": len(taken), "title": link.title} if taken else ""
    request.session[SENT] = {"thanks": said, "refused": refused}
    return redirect("shared", token)


@for_guests
@require_safe
def shared_image(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """One of the link's pictures, with the ones before and after it.

    With `play`, the next one comes by itself.
    """
    link = _opened(request, token)
    image = _image(link, pk)
    ids = list(access.linked_images(link).values_list("pk", flat=True))
    at = ids.index(pk)
    context = {
        "link": link,
        "token": token,
        "image": image,
        "number": at + 1,
        "count": len(ids),
        "previous": ids[at - 1] if at else None,
        "next": ids[at + 1] if at + 1 < len(ids) else None,
        "back": f"{reverse('shared', args=[token])}?page={at // PER_PAGE + 1}",
        "playing": "play" in request.GET,
        "seconds": SECONDS,
    }
    return _private(render(request, "gallery/shared_image.html", context))


@for_guests
@require_safe
def shared_thumbnail(request: HttpRequest, token: str, pk: int, size: str) -> HttpResponseBase:
    """Return a JPEG of one of the link's pictures."""
    return send_thumbnail(request, _image(_opened(request, token), pk), size)


@for_guests
@require_safe
def shared_original(request: HttpRequest, token: str, pk: int) -> HttpResponseBase:
    """Send the original of one of the link's pictures, where it allows that.

    Without its location unless the link says otherwise.
    """
    image = _image(_downloadable(request, token), pk)
    return send_original(request, image, image.keeps_location)


@for_guests
@require_safe
def shared_download(request: HttpRequest, token: str) -> HttpResponseBase:
    """All of the link's files as a ZIP, where it allows that."""
    link = _downloadable(request, token)
    images = access.linked_images(link)
    return downloads.zip_of([(image, image.keeps_location) for image in images], link.title)


def _link(token: str) -> ShareLink:
    link = access.link_of(token)
    if link is None:
        raise Http404
    return link


def _opened(request: HttpRequest, token: str) -> ShareLink:
    """Return the link; LockedError where its password was not given."""
    link = _link(token)
    if not _is_open(request, link):
        raise LockedError
    return link


def _downloadable(request: HttpRequest, token: str) -> ShareLink:
    link = _opened(request, token)
    if not link.allow_download:
        raise NotAllowedError
    return link


def _image(link: ShareLink, pk: int) -> Image:
    return get_object_or_404(access.linked_images(link), pk=pk)


def _is_open(request: HttpRequest, link: ShareLink) -> bool:
    """Whether there is no password, or this browser gave the present one."""
    return not link.password or constant_time_compare(
        request.session.get(_proof_name(link), ""), _proof(link)
    )


def _proof_name(link: ShareLink) -> str:
    return f"share-link-{link.pk}"


def _proof(link: ShareLink) -> str:
    """Return what a browser keeps once it gave the password: it changes with it, and does not tell it."""
    return salted_hmac("share-link", link.password).hexdigest()


def _ask(request: HttpRequest, link: ShareLink, token: str) -> HttpResponse:
    """Ask for the password, or take it; guessing is slowed down for each visitor."""
    context: dict[str, Any] = {"token": token}
    status, seconds = 200, 0
    if request.method == "POST":
        guards = throttle.link_guards(request, link.pk)
        if seconds := throttle.attempt(guards):
            context["error"], status = too_many(seconds).messages[0], 429
        elif link.check_password(request.POST.get("password", "")):
            throttle.succeeded(guards)
            request.session[_proof_name(link)] = _proof(link)
            return _to_what_was_wanted(request, link, token)
        else:
            throttle.failed("share-link password", request)
            context["error"], status = _("Wrong password."), 400
    response = _private(render(request, "gallery/shared_password.html", context, status=status))
    if seconds:
        response["Retry-After"] = str(seconds)
    return response


def _to_what_was_wanted(request: HttpRequest, link: ShareLink, token: str) -> HttpResponse:
    """Go on to the picture whose address was opened first, or to all of them."""
    wanted = whole_number(request.GET.get("picture", ""))
    if wanted and access.linked_images(link).filter(pk=wanted).exists():
        return redirect("shared-image", token, wanted)
    return redirect("shared", token)


def _count_view(request: HttpRequest, link: ShareLink) -> None:
    """Once for each browser."""
    key = f"share-link-seen-{link.pk}"
    if not request.session.get(key):
        request.session[key] = True
        ShareLink.objects.filter(pk=link.pk).update(views=F("views") + 1)


def _private(response: HttpResponse) -> HttpResponse:
    """Not for search engines and caches on the way.

    Other sites are not told the address by the whole site's Referrer-Policy, same-origin; a stricter one
    would have browsers hide where the password's form comes from.
    """
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "private, no-cache"
    return response
