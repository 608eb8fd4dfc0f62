"""Pages of the API's lists."""

from rest_framework import pagination
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from gallery.numbers import whole_number


class LimitOffsetPagination(pagination.LimitOffsetPagination):
    """Page by `limit` and `offset`.

    A wrong value is a 400 that names the field instead of being passed over.
    """

    default_limit = 50
    max_limit = 500

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
