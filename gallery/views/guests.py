"""What guests sent by a share link, for the person who accepts it or not."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from gallery import access, guests
from gallery.numbers import whole_numbers
from gallery.views.paging import PICTURES, page_of
from gallery.views.requests import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def waiting_room(request: SignedInRequest) -> HttpResponse:
    """Show the pictures from guests; a form accepts or declines some of them, or all."""
    found = access.guest_pictures(request.user).select_related("image__owner", "album")
    if request.method != "POST":
        return render(request, "gallery/guests.html", {"page": page_of(request, found, PICTURES)})
    ids = whole_numbers(request.POST.getlist("picture"), PICTURES)
    if ids is None:
        raise BadRequest(_("Choose pictures."))
    match request.POST.get("action"):
        case "accept":
            count = guests.accept(found.filter(pk__in=ids))
            said = ngettext("%(number)s picture accepted.", "%(number)s pictures accepted.", count)
        case "decline":
            count = guests.decline(found.filter(pk__in=ids))
            said = ngettext(
                "%(number)s picture moved to the trash.", "%(number)s pictures moved to the trash.", count
            )
        case _other:
            raise BadRequest(_("The action must be accept or decline."))
    messages.success(request, said % {"number": count})
    return redirect("guests")
