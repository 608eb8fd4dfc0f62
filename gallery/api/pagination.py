"""Pages of the API's lists."""

from typing import Any

from rest_framework import pagination
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from gallery.api.strict import refuse_unknown
from gallery.numbers import whole_number


class LimitOffsetPagination(pagination.LimitOffsetPagination):
    """Page by `limit` and `offset`.

    A wrong value is a 400 that names the field instead of being passed over.
    """

    default_limit = 50
    max_limit = 500

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """Return the page; a parameter that neither the pages nor the view's filters know is refused."""
        filters = getattr(view, "filterset_class", None)
        refuse_unknown(request, {"limit", "offset", *(filters.base_filters if filters else ())})
        return super().paginate_queryset(queryset, request, view)

    def get_limit(self, request: Request) -> int:
        return self._number(request, "limit", 1, self.max_limit, self.default_limit)

    def get_offset(self, request: Request) -> int:
        return self._number(request, "offset", 0, 2**53, 0)

    @staticmethod
    def _number(request: Request, field: str, least: int, most: int, default: int) -> int:
        text = request.query_params.get(field)
        if text is None:
            return default
        number = whole_number(text, least, most)
        if number is None:
            raise ValidationError({field: [f"This must be a whole number from {least} to {most}."]})
        return number
