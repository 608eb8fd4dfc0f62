"""Looking through pictures: by date, and by tag."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST
from django_q.tasks import async_task

from gallery import access, tagging, undo
from gallery.alternative_texts import describe
from gallery.extraction import kinds
from gallery.models import Image
from gallery.models.tag import MAX_TAG_LENGTH, fold, normalize
from gallery.views import selection
from gallery.views.paging import PICTURES, page_of, without_page
from gallery.views.requests import SignedInRequest, back
from search import browsing
from search.timeline import Month

TAGS_PER_PAGE = 120
MOST_AT_ONCE = 2000  # pictures whose tag is changed while one waits
TAG_ORDERS = {"count": gettext_lazy("Most pictures first"), "name": gettext_lazy("A to Z")}
ORDERS = {
    "newest": gettext_lazy("Newest first"),
    "oldest": gettext_lazy("Oldest first"),
    "added": gettext_lazy("Recently added first"),
    "added-oldest": gettext_lazy("First added first"),
}


@require_GET
def browse(request: SignedInRequest) -> HttpResponse:
    """Every picture that the person may see, or of it their own or what is shared, under its month.

    By when it was taken or came here, newest or oldest first. A list of months leads to each.
    """
    order, whose = request.GET.get("order") or browsing.ORDERS[0], request.GET.get("whose", "")
    if order not in browsing.ORDERS or whose not in browsing.WHOSE:
        raise BadRequest(_("We couldn't understand this address or form."))
    timeline = browsing.timeline(request.user, order, whose)
    page = page_of(request, timeline, PICTURES)
    page.object_list = describe(browsing.images_of(access.scope(request.user), list(page.object_list)))
    unread = access.unread_images(request.user)
    own = {name: value for name, value in (("order", order), ("whose", whose)) if value not in ("", "newest")}
    context = {
        "page": page,
        "years": _years(timeline.months()),
        "unread": unread[:PICTURES] if page.first == 1 and whose != "shared" else [],
        "unread_count": unread.count() if page.first == 1 and whose != "shared" else 0,
        "order": order,
        "orders": ORDERS.items(),
        "by_added": order.startswith("added"),
        "whose": whose,
        "query_string": urlencode(own),
        "within": urlencode({"in": "dates"} | own) if own else "",
    }
    return render(request, "search/browse.html", context | selection.context(request.user))


def _years(months: list[Month]) -> dict[int, list[tuple[Month, int]]]:
    """By year, in their order: each month, and the number of the page that it begins on."""
    years: dict[int, list[tuple[Month, int]]] = {}
    passed = 0
    for month in months:
        years.setdefault(month.year, []).append((month, passed // PICTURES + 1))
        passed += month.count
    return years


@require_GET
def tags(request: SignedInRequest) -> HttpResponse:
    """Return the tags on pictures that the person sees, each with its latest picture.

    Kinds of thing come before what is one of a thousand classes; by number or by name; `find` picks some.
    """
    order, find = request.GET.get("order") or "count", request.GET.get("find", "")[:MAX_TAG_LENGTH]
    if order not in TAG_ORDERS:
        raise BadRequest(_("We couldn't understand this address or form."))
    wanted = fold(find).lstrip("#")
    found = [own for own in browsing.tags(request.user) if wanted in own.name]
    if order == "name":
        found.sort(key=lambda own: own.name)
    else:
        found.sort(key=lambda own: (not kinds.is_kind(own.name), -own.count, own.name))
    context = {
        "page": page_of(request, found, TAGS_PER_PAGE),
        "order": order,
        "orders": TAG_ORDERS.items(),
        "find": find,
        "query_string": without_page(request.GET),
    }
    return render(request, "search/tags.html", context)


def _replaced(request: SignedInRequest, carrying: QuerySet[Image], name: str, instead: str) -> int:
    """Replace the tag on a person's pictures, and keep what takes it back; how many it was on."""
    before = undo.together([undo.of_tags(carrying, own) for own in (name, instead) if own])
    count = tagging.replace(request.user.pk, name, instead)
    if count:
        undo.remember(request, before)
    return count


@require_POST
def change_tag(request: SignedInRequest) -> HttpResponse:
    """Rename a tag on all of your own pictures, which may merge it with another, or remove it from them."""
    name = request.POST.get("tag", "")
    instead = request.POST.get("instead", "") if request.POST.get("action") == "rename" else ""
    if request.POST.get("action") not in ("rename", "remove"):
        raise BadRequest(_("The action must be rename or remove."))
    try:
        name, instead = normalize(name), normalize(instead) if request.POST["action"] == "rename" else ""
    except ValidationError as error:
        raise BadRequest(error.messages[0]) from error
    carrying = access.own_images(request.user).filter(image_tags__tag__name=name)
    if carrying.count() > MOST_AT_ONCE:
        async_task("gallery.tagging.replace", request.user.pk, name, instead, group="tags")
        messages.success(request, _("These are many pictures: it takes a few minutes."))
    elif count := _replaced(request, carrying, name, instead):
        done = ngettext("%(number)s picture changed.", "%(number)s pictures changed.", count)
        messages.success(request, done % {"number": count}, extra_tags="undo")
    else:
        messages.error(request, _("None of your own pictures carries this tag."))
    return redirect(back(request, "tags"))
