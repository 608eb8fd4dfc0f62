"""Pages of lists, for the API and for people."""

from django.core.exceptions import BadRequest
from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import pagination
from rest_framework.exceptions import ValidationError


class LimitOffsetPagination(pagination.LimitOffsetPagination):
    """`limit` and `offset`, where a wrong value is a 400 that names the field instead of being passed over."""

    default_limit = 50
    max_limit = 500

    def get_limit(self, request):
        return self._number(request, "limit", 1, self.max_limit, self.default_limit)

    def get_offset(self, request):
        return self._number(request, "offset", 0, 2**53, 0)

    @staticmethod
    def _number(request, field: str, least: int, most: int, default: int) -> int:
        text = request.query_params.get(field)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
            raise ValidationError({field: f"must be a whole number from {least} to {most}."})
        return int(text)


def page_of(request: HttpRequest, items, per_page: int) -> Page:
    """The page of `items` that `?page=` names; BadRequest where it names none."""
    try:
        return Paginator(items, per_page).page(request.GET.get("page") or 1)
    except PageNotAnInteger as error:
        raise BadRequest(_("page: must be a whole number.")) from error
    except EmptyPage as error:
        raise BadRequest(_("page: there is no such page.")) from error
