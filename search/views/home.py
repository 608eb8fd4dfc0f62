"""The search page, which is the home page."""

import dataclasses
import re
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from gallery import access
from gallery.alternative_texts import describe
from gallery.imaging import formats
from gallery.numbers import whole_number
from gallery.refusal import RefusedError
from gallery.views import selection
from gallery.views.paging import RESULTS, first_page, page_of, without_page
from gallery.views.requests import SignedInRequest
from gallery.views.upload import waiting_context
from search import browsing, engine
from search.forms import FilterForm
from search.index.fusion import FUSIONS
from search.models import QueryPicture, SavedSearch
from search.query import query_pictures
from search.query.address import from_address, to_address
from search.query.bar import quoted, with_filters
from search.query.errors import QueryError
from search.query.query import Query
from search.suggestions import Correction, Suggestion

RECENT = 24
ORDER_NAMES = {
    "best": gettext_lazy("Best first"),
    "newest": gettext_lazy("Newest first"),
    "oldest": gettext_lazy("Oldest first"),
    "added": gettext_lazy("Recently added first"),
    "name": gettext_lazy("By name"),
    "size": gettext_lazy("Largest first"),
}
FUSION_NAMES = {
    "best": gettext_lazy("Best"),
    "mean": gettext_lazy("Average"),
    "calibrated": gettext_lazy("Average of equal scales"),
    "rrf": gettext_lazy("By place in each list"),
}
ASKED = ("q", "image", "exclude_image", "picture", "album", "sort", "fusion")


@require_http_methods(["GET", "HEAD", "POST"])
def home(request: SignedInRequest) -> HttpResponse:
    """Show the bar, and below it the results of the query in the address, or the newest pictures.

    The bar's form is posted, for it may carry a picture; the answer is a redirect to the query's own address.
    """
    if request.method == "POST":
        return _accept(request)
    good_only, query = "all" not in request.GET, Query()
    try:
        query = from_address(request.GET)
        number, first = _window(request)
        offset, limit = (first - 1) * RESULTS, (number - first + 1) * RESULTS
        found = engine.search(query, request.user, offset, limit, good_only) if query else None
    except QueryError as error:
        return _refuse(request, error, request.GET.get("q", ""), query)
    if found is None:
        context = {"recent": describe(browsing.latest(request.user, RECENT)), **waiting_context(request)}
        context["news"] = access.news(request.user)
        context["from_guests"] = access.guest_pictures(request.user).count()
        context["offers_of_accounts"] = access.offers(request.user)
        return _render(request, query, context)
    shown = found.shown(good_only)
    page = page_of(request, range(shown), RESULTS)
    query_string = without_page(request.GET)
    context = {"results": found, "shown": shown, "page": page, "query_string": query_string}
    describe(result.image for result in found.results)
    context["within"] = f"in=search&{context['query_string']}"
    context |= selection.context(request.user)
    context["offers"] = [(offer, _with_tag(request, offer)) for offer in found.offers]
    context["corrections"] = [(own, _corrected(request, own)) for own in found.corrections]
    context["has_none"] = not found.count and not access.visible_images(request.user).exists()
    return _render(request, query, context | {"rest": query_string + "&all=1"})


def _accept(request: SignedInRequest) -> HttpResponse:
    """Read the uploaded pictures of the form and go to the query's address."""
    line = request.POST.get("q", "")
    form = request.POST.copy()
    try:
        chosen = FilterForm.chosen(request)
    except QueryError as error:
        return _refuse(request, error, line)
    try:
        form["q"] = line = with_filters(line, chosen)
        given = from_address(form)
        uploaded = [query_pictures.add(file, request.user).key for file in request.FILES.getlist("file")]
        query = dataclasses.replace(given, picture_keys=(*given.picture_keys, *uploaded))
    except QueryError:  # its page says what is wrong, and has it in its address
        kept = {name: form.getlist(name) for name in form if name in ASKED and form[name]}
        return redirect(f"{reverse('search')}?{urlencode(kept, doseq=True)}")
    except RefusedError as refusal:
        return _refuse(request, QueryError("file", str(refusal)), line)
    parts = to_address(query, line)
    if (saved := whole_number(request.POST.get("saved", ""))) and parts:
        parts.append(("saved", saved))
    return redirect(f"{reverse('search')}?{urlencode(parts)}" if parts else reverse("search"))


def _refuse(
    request: SignedInRequest, error: QueryError, line: str, query: Query | None = None
) -> HttpResponse:
    """Show the page with what is wrong, and for the bar a mark under the character in question.

    A query that could be read stays in the form: what is wrong is mended there.
    """
    line = line[:1000]
    context = {"error": str(error), "line": line}
    if error.position is not None:
        context |= {"before": line[: error.position], "at": line[error.position :]}
    return _render(request, query or Query(), context, status=400)


def _window(request: SignedInRequest) -> tuple[int, int]:
    """Return the last and the first page of results that the answer shows."""
    number = whole_number(request.GET.get("page") or "1", least=1)
    if number is None:
        raise QueryError("page", _("There is no such page."))
    return number, first_page(request.GET, number)


def _with_tag(request: SignedInRequest, offer: Suggestion) -> str:
    """Return the page's address with a tag in the place of the words that name it."""
    words = r"\s+".join(map(re.escape, offer.words.split()))
    tag = f"#{quoted(offer.name)}"
    parameters = QueryDict(without_page(request.GET), mutable=True)
    parameters["q"] = re.sub(
        rf"(?<!\S){words}(?!\S)", lambda _: tag, request.GET["q"], count=1, flags=re.IGNORECASE
    )
    return parameters.urlencode()


def _corrected(request: SignedInRequest, correction: Correction) -> str:
    """Return the page's address with a word of the line, be it a tag's, in the place of a misspelt one."""
    parameters = QueryDict(without_page(request.GET), mutable=True)
    line = request.GET.get("q", "")
    wrong = re.escape(correction.word)
    instead = correction.instead
    parameters["q"] = re.sub(
        rf"(?P<tag>[#-]+)(?:\"{wrong}\"|{wrong}(?!\w))|(?<!\w){wrong}(?!\w)",
        lambda found: found["tag"] + quoted(instead) if found["tag"] else instead,
        line,
        count=1,
        flags=re.IGNORECASE,
    )
    return parameters.urlencode()


def _render(request: SignedInRequest, query: Query, context: dict, status: int = 200) -> HttpResponse:
    """Return the page with the bar filled in: its line, and a chip for each picture that is searched by."""
    uploaded = QueryPicture.objects.alive().filter(key__in=query.picture_keys).defer("vector", "thumbnail")
    ids = [*query.image_ids, *query.exclude_image_ids]
    named = access.visible_images(request.user).in_bulk(ids) if ids else {}
    chips = {
        field: [named[pk] for pk in ids if pk in named]
        for field, ids in (("image", query.image_ids), ("exclude_image", query.exclude_image_ids))
    }
    number = query.filters.album_id
    album = access.visible_albums(request.user).filter(pk=number).first() if number else None
    saved = whole_number(request.GET.get("saved", ""))
    base = {
        "album": album,
        "query": query,
        "fusions": [(name, FUSION_NAMES[name]) for name in FUSIONS],
        "filter_form": FilterForm(person=request.user, query=query),
        "orders": ORDER_NAMES.items(),
        "accept": formats.ACCEPT,
        "saved": access.owned(SavedSearch.objects, request.user).filter(pk=saved).first() if saved else None,
        "line": request.GET.get("q", ""),
        "chips": chips,
        "uploaded": [*uploaded] if query.picture_keys else [],
        "address": urlencode(to_address(query)),
    }
    return render(request, "search/home.html", base | context, status=status)


@require_GET
def query_picture(request: SignedInRequest, key: str) -> HttpResponse:
    """Return the small JPEG of an uploaded query picture, for anyone signed in who knows its key."""
    picture = get_object_or_404(QueryPicture.objects.alive(), key=key)
    response = HttpResponse(bytes(picture.thumbnail), content_type="image/jpeg")
    patch_cache_control(response, private=True, max_age=3600)
    return response
