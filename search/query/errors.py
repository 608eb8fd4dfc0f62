"""What is wrong with a query."""

from django.utils.translation import gettext as _


class QueryError(Exception):
    """A query that cannot be answered.

    `field` says which part of it, `message` is a sentence for people, and for the bar `position` is the
    character that it is about, counted from 0.
    """

    def __init__(self, field: str, message: str, position: int | None = None) -> None:
        place = "" if position is None else _("At character %(number)s: ") % {"number": position + 1}
        super().__init__(f"{place}{message}")
        self.field, self.message, self.position = field, f"{place}{message}", position
