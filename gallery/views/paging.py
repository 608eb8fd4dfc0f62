"""Pages of lists, for people."""

from typing import Any

from django.core.exceptions import BadRequest
from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.http import HttpRequest
from django.utils.translation import gettext as _


def page_of(request: HttpRequest, items: Any, per_page: int) -> Page:
    """Return the page of `items` that `?page=` names; BadRequest where it names none."""
    try:
        return Paginator(items, per_page).page(request.GET.get("page") or 1)
    except PageNotAnInteger as error:
        raise BadRequest(_("The page must be a whole number.")) from error
    except EmptyPage as error:
        raise BadRequest(_("There is no such page.")) from error
