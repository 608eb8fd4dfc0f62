"""Saved searches: a list of them as of albums, and each run again when it is opened."""

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gallery import access
from gallery.views.paging import page_of
from gallery.views.requests import SignedInRequest, posted
from search import engine
from search.forms import SavedSearchForm
from search.models import SavedSearch
from search.query.address import from_address
from search.query.errors import QueryError

PER_PAGE = 60


@require_http_methods(["GET", "HEAD", "POST"])
def searches(request: SignedInRequest) -> HttpResponse:
    """Return the person's saved searches; a form that is posted here saves another one."""
    form = SavedSearchForm(posted(request), instance=SavedSearch(owner=request.user))
    if form.is_valid():
        return redirect(_address(form.save()))
    found = access.owned(SavedSearch.objects, request.user)
    context = {"page": page_of(request, found, PER_PAGE), "form": form}
    return render(request, "search/searches.html", context, status=400 if request.method == "POST" else 200)


@require_GET
def saved(request: SignedInRequest, pk: int) -> HttpResponse:
    """Run a saved search again: the results as of now."""
    return redirect(_address(get_object_or_404(access.owned(SavedSearch.objects, request.user), pk=pk)))


@require_GET
def cover(request: SignedInRequest, pk: int) -> HttpResponse:
    """Return the thumbnail of the best result, which the list shows as its cover.

    The site's icon while nothing is found.
    """
    search = get_object_or_404(access.owned(SavedSearch.objects, request.user), pk=pk)
    try:
        results = engine.search(from_address(QueryDict(search.address)), request.user, limit=1).results
    except QueryError:  # a picture or an album that it names is gone
        results = []
    return (
        redirect("image-thumbnail", results[0].image.pk, "small") if results else redirect(static("icon.svg"))
    )


@require_POST
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give a saved search another name, and the query that was being looked at."""
    search = get_object_or_404(access.owned(SavedSearch.objects, request.user), pk=pk)
    form = SavedSearchForm(request.POST, instance=search)
    if not form.is_valid():
        raise BadRequest(next(iter(form.errors.values()))[0])
    return redirect(_address(form.save()))


@require_POST
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Forget the search; the pictures it finds stay."""
    get_object_or_404(access.owned(SavedSearch.objects, request.user), pk=pk).delete()
    return redirect("searches")


def _address(search: SavedSearch) -> str:
    return f"{reverse('search')}?{search.address}&saved={search.pk}"
