"""Pages of the API's lists."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import pagination
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from gallery.api.keyset import CursorError, Keyset
from gallery.api.strict import refuse_unknown
from gallery.numbers import whole_number

MOST = 500  # rows of a page
FURTHEST = 2**53
PAGES = [
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST}, description="Rows a page."),
    OpenApiParameter(
        "offset", {"type": "integer", "minimum": 0, "maximum": FURTHEST}, description="Rows to pass over."
    ),
    OpenApiParameter("cursor", str, description="From `next` of the answer before: where the list goes on."),
]


def orders_of(view: Any) -> dict[str, str]:
    """Return what `ordering` can be in a view's list, either way round: its own `orderings` -> columns."""
    own: dict[str, str] = getattr(view, "orderings", {}) if getattr(view, "action", "list") == "list" else {}
    return own | {f"-{name}": f"-{column}" for name, column in own.items()}


class Pagination(pagination.LimitOffsetPagination):
    """Page by `limit`, and by `cursor`, as `next` does, or by `offset`.

    By cursor what arrives or goes meanwhile neither repeats nor hides anything. A wrong value is a 400 that
    names the field instead of being passed over.
    """

    default_limit = 50
    max_limit = MOST
    _next: str | None = None  # the cursor behind this page, "" at the end; None where pages go by offset

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """Return the page; a parameter that neither the pages nor the view's filters know is refused."""
        filters = getattr(view, "filterset_class", None)
        has_cursors = isinstance(queryset, QuerySet)
        orders = orders_of(view)
        known = {
            "limit",
            "offset",
            *(["cursor"] if has_cursors else ()),
            *(["ordering"] if orders else ()),
            *(filters.base_filters if filters else ()),
        }
        refuse_unknown(request, known)
        if orders and (order := request.query_params.get("ordering")) is not None:
            if order not in orders:
                raise ValidationError({"ordering": [f"Choose one of: {', '.join(orders)}."]})
            queryset = queryset.order_by(orders[order])
        if not has_cursors or "offset" in request.query_params:
            if "cursor" in request.query_params:
                raise ValidationError({"cursor": ["Give a cursor or an offset: one of both."]})
            return super().paginate_queryset(queryset, request, view)
        return self._piece(queryset, request)

    def _piece(self, rows: QuerySet, request: Request) -> list[Any]:
        self.request, self.limit, self.offset = request, self.get_limit(request), 0
        self.count = self.get_count(rows)
        keyset = Keyset(rows)
        try:
            page = list(keyset.behind(request.query_params.get("cursor", ""))[: self.limit + 1])
        except CursorError as error:
            raise ValidationError(
                {"cursor": ["This is no cursor of this list in its present order."]}
            ) from error
        has_more, page = len(page) > self.limit, page[: self.limit]
        self._next = keyset.cursor(page[-1]) if has_more else ""
        return page

    def get_next_link(self) -> str | None:
        if self._next is None:
            return super().get_next_link()
        if not self._next or self.request is None:
            return None
        return replace_query_param(self.request.build_absolute_uri(), "cursor", self._next)

    def get_previous_link(self) -> str | None:
        return super().get_previous_link() if self._next is None else None

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe what pages can be asked for."""
        pages = [
            {"name": own.name, "in": "query", "required": False, "description": own.description}
            | {"schema": own.type if isinstance(own.type, dict) else {"type": "string"}}
            for own in PAGES
            if own.name != "cursor" or getattr(view, "has_cursors", True)
        ]
        if not (orders := orders_of(view)):
            return pages
        told = "By what the list is ordered; with a minus the last first."
        schema = {"type": "string", "enum": list(orders)}
        ordering = {"name": "ordering", "in": "query", "required": False, "description": told}
        return [*pages, ordering | {"schema": schema}]

    def get_limit(self, request: Request) -> int:
        return self._number(request, "limit", 1, self.max_limit, self.default_limit)

    def get_offset(self, request: Request) -> int:
        return self._number(request, "offset", 0, FURTHEST, 0)

    @staticmethod
    def _number(request: Request, field: str, least: int, most: int, default: int) -> int:
        text = request.query_params.get(field)
        if text is None:
            return default
        number = whole_number(text, least, most)
        if number is None:
            raise ValidationError({field: [f"This must be a whole number from {least} to {most}."]})
        return number
