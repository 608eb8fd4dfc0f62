"""Look-alikes side by side, to keep or to delete."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from gallery import access, trash
from gallery.numbers import whole_numbers
from gallery.views.paging import page_of
from search.duplicates import are_compared, groups, keep_all

PER_PAGE = 20
MOST = 200  # pictures in one form


@require_GET
def duplicates(request: HttpRequest) -> HttpResponse:
    """Show groups of your own pictures that look alike."""
    context = {
        "page": page_of(request, groups(request.user), PER_PAGE),
        "are_compared": are_compared(request.user),
    }
    return render(request, "search/duplicates.html", context)


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Of the pictures `group`, delete the others than `keep` names; or, with `all`, keep them all."""
    ids = {name: _ids(request, name) for name in ("group", "keep")}
    own = access.deletable_images(request.user).in_bulk(ids["group"])
    if len(own) < len(ids["group"]) or not ids["group"]:
        raise BadRequest(_("One of these pictures is not yours, or no longer exists."))
    if "all" in request.POST:
        keep_all(list(own.values()))
        messages.success(request, _("All kept. They won't be shown as duplicates again."))
        return redirect("duplicates")
    if not ids["keep"] or not ids["keep"] <= set(own):
        raise BadRequest(_("Choose which pictures of the group to keep."))
    others = set(own) - ids["keep"]
    trash.move(access.deletable_images(request.user).filter(pk__in=others))
    done = ngettext(
        "%(number)s picture moved to the trash.", "%(number)s pictures moved to the trash.", len(others)
    )
    messages.success(request, done % {"number": len(others)})
    return redirect("duplicates")


def _ids(request: HttpRequest, name: str) -> set[int]:
    texts = request.POST.getlist(name)
    found = whole_numbers(texts, MOST)
    if texts and found is None:
        raise BadRequest(_("Choose up to %(most)s pictures.") % {"most": MOST})
    return found or set()
