"""The search page, which is the home page."""

import dataclasses
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_http_methods

from gallery import access, ingest
from gallery.views.pages import pending_count
from search import engine, pictures
from search.bar import from_address, to_address
from search.models import QueryPicture
from search.query import Query, QueryError

PER_PAGE = 48
RECENT = 24


@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """The bar, and below it the results of the query in the address, or the newest pictures when there is none.

    The bar's form is posted, for it may carry a picture; the answer is a redirect to the query's own address.
    """
    if request.method == "POST":
        return _accept(request)
    try:
        query = from_address(request.GET)
        number = _page_number(request)
        page = engine.search(query, request.user, (number - 1) * PER_PAGE, PER_PAGE) if query else None
    except QueryError as error:
        return _render(request, Query(), {"error": str(error), "line": request.GET.get("q", "")[:1000]}, status=400)
    if page is None:
        context = {"recent": access.visible_images(request.user)[:RECENT], "pending": pending_count(request.user)}
        return _render(request, query, context)
    pages = Paginator(range(page.count), PER_PAGE)
    if number > pages.num_pages:
        raise BadRequest("page: there is no such page.")
    return _render(
        request, query, {"results": page, "page": pages.page(number), "query_string": _without_page(request)}
    )


def _accept(request: HttpRequest) -> HttpResponse:
    """Read the uploaded pictures of the form and go to the query's address."""
    line = request.POST.get("q", "")
    try:
        given = from_address(request.POST)
        uploaded = [pictures.add(file).key for file in request.FILES.getlist("file")]
        query = dataclasses.replace(given, picture_keys=(*given.picture_keys, *uploaded))
    except (QueryError, ingest.Refused) as error:
        message = str(error) if isinstance(error, QueryError) else f"file: {error}"
        return _render(request, Query(), {"error": message, "line": line[:1000]}, status=400)
    parts = to_address(query, line)
    return redirect(f"{reverse('search')}?{urlencode(parts)}" if parts else reverse("search"))


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page") or "1"
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        raise QueryError("page", "must be a whole number from 1 on.")
    return int(text)


def _without_page(request: HttpRequest) -> str:
    parameters = request.GET.copy()
    parameters.pop("page", None)
    return parameters.urlencode()


def _render(request: HttpRequest, query: Query, context: dict, status: int = 200) -> HttpResponse:
    """The page with the bar filled in: its line, and a chip for each picture that is searched by."""
    uploaded = QueryPicture.objects.alive().filter(key__in=query.picture_keys).defer("vector", "thumbnail")
    ids = [*query.image_ids, *query.exclude_image_ids]
    named = access.visible_images(request.user).in_bulk(ids) if ids else {}
    chips = {
        field: [named[pk] for pk in ids if pk in named]
        for field, ids in (("image", query.image_ids), ("exclude_image", query.exclude_image_ids))
    }
    number = query.filters.album if isinstance(query.filters.album, int) else None
    album = access.visible_albums(request.user).filter(pk=number).first() if number else None
    base = {
        "album": album,
        "line": request.GET.get("q", ""),
        "chips": chips,
        "uploaded": [*uploaded] if query.picture_keys else [],
    }
    return render(request, "search/home.html", base | context, status=status)


@require_GET
def query_picture(request: HttpRequest, key: str) -> HttpResponse:
    """The small JPEG of an uploaded query picture, for anyone signed in who knows its key."""
    picture = get_object_or_404(QueryPicture.objects.alive(), key=key)
    response = HttpResponse(bytes(picture.thumbnail), content_type="image/jpeg")
    patch_cache_control(response, private=True, max_age=3600)
    return response
