"""Looking through pictures: by date, and by tag."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gallery import access
from gallery.views import selection
from gallery.views.paging import page_of
from gallery.views.requests import SignedInRequest
from search import browsing

PER_PAGE = 60
TAGS_PER_PAGE = 120


@require_GET
def browse(request: SignedInRequest) -> HttpResponse:
    """Every picture that the person may see, newest first, under its month.

    A list of months leads to each.
    """
    timeline = browsing.timeline(request.user)
    page = page_of(request, timeline, PER_PAGE)
    before = timeline[page.start_index() - 2 : page.start_index() - 1] if page.number > 1 else []
    page.object_list = browsing.images_of(list(page.object_list))
    context = {
        "page": page,
        "years": _years(timeline.months()),
        "unread": access.unread_images(request.user)[:PER_PAGE] if page.number == 1 else [],
        # What is added to a page that is there already does not begin with the month that stands there.
        "last": browsing.images_of(before)[0] if before and request.htmx else None,
    }
    return render(request, "search/browse.html", context | selection.context(request.user))


def _years(months: list[browsing.Month]) -> dict[int, list[tuple[browsing.Month, int]]]:
    """By year, newest first: each month, and the number of the page that it begins on."""
    years: dict[int, list[tuple[browsing.Month, int]]] = {}
    passed = 0
    for month in months:
        years.setdefault(month.year, []).append((month, passed // PER_PAGE + 1))
        passed += month.count
    return years


@require_GET
def tags(request: SignedInRequest) -> HttpResponse:
    """Return the tags on pictures that the person sees, most frequent first, each with its latest picture."""
    return render(
        request, "search/tags.html", {"page": page_of(request, browsing.tags(request.user), TAGS_PER_PAGE)}
    )
