"""Searching by a part of a picture."""

import dataclasses
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from gallery import access
from gallery.access import AnyUser
from gallery.refusal import RefusedError
from gallery.views.requests import SignedInRequest
from search.models import QueryPicture
from search.query import query_pictures
from search.query.address import from_address, to_address
from search.query.errors import QueryError
from search.query.query import Query, parse_id


@require_http_methods(["GET", "HEAD", "POST"])
def region(request: SignedInRequest) -> HttpResponse:
    """Choose a rectangle of one of the query's pictures, `of` an image's number or an uploaded picture's key.

    The query then goes on with that part in the picture's place.
    """
    parameters = request.POST if request.method == "POST" else request.GET
    try:
        query, of = from_address(parameters), parameters.get("of", "")
        image, picture = _named(request.user, query, of)
        if request.method == "POST":
            part = query_pictures.add_part(image or picture, query_pictures.box(request.POST), request.user)
            return redirect(f"{reverse('search')}?{urlencode(to_address(_instead(query, of, part.key)))}")
    except (QueryError, RefusedError) as error:
        raise BadRequest(str(error)) from error
    context = {"image": image, "picture": picture, "of": of, "address": to_address(query)}
    return render(request, "search/region.html", context)


def _named(user: AnyUser, query: Query, of: str) -> Any:
    """Find the (gallery image, uploaded picture) that is named, of which one is None.

    404 unless it is in the query and visible.
    """
    if of in query.picture_keys:
        image, picture = None, QueryPicture.objects.alive().filter(key=of).first()
    else:
        pk = parse_id("of", of)
        image = access.visible_images(user).filter(pk=pk).first() if pk in query.image_ids else None
        picture = None
    if image is None and picture is None:
        raise Http404
    return image, picture


def _instead(query: Query, of: str, key: str) -> Query:
    """Return the query with the uploaded picture `key` in the place of `of`."""
    if of in query.picture_keys:
        keys = tuple(key if own == of else own for own in query.picture_keys)
        return dataclasses.replace(query, picture_keys=keys)
    ids = tuple(pk for pk in query.image_ids if pk != int(of))
    return dataclasses.replace(query, image_ids=ids, picture_keys=(*query.picture_keys, key))
