"""The address of a results page <-> a Query."""

import re

from django.http import QueryDict
from django.utils.translation import gettext as _

from search.index.ranking import COMPONENTS
from search.query.bar import format_bar, parse_bar
from search.query.errors import QueryError
from search.query.filters import Filters
from search.query.query import DEFAULT_FUSION, Query, parse_id


def from_address(parameters: QueryDict) -> Query:
    """Return the query in a page's address.

    `q` (the bar), `album` (a number), `fusion`, `weight_image`, `weight_text`, `weight_tags`, `sort`, and
    `image`, `exclude_image` and `picture`, these repeatable. Takes a QueryDict.
    """
    fields = parse_bar(parameters.get("q", ""))
    if parameters.get("album"):
        if fields["filters"].get("album"):
            raise QueryError("album", _("The search already names an album."))
        fields["filters"] = _in_album(fields["filters"], parse_id("album", str(parameters["album"])))
    return Query(
        **fields,
        image_ids=_ids(parameters, "image"),
        exclude_image_ids=_ids(parameters, "exclude_image"),
        picture_keys=tuple(dict.fromkeys(parameters.getlist("picture"))),
        weights={part: _number(parameters, f"weight_{part}") for part in COMPONENTS},
        fusion=parameters.get("fusion") or DEFAULT_FUSION,
        order=parameters.get("sort") or "best",
    )


def _in_album(filters: Filters, album: int) -> Filters:
    return Filters(**(dict(filters) | {"album": album}))


def _ids(parameters: QueryDict, field: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(parse_id(field, value) for value in parameters.getlist(field)))


def _number(parameters: QueryDict, field: str) -> float:
    text = parameters.get(field) or "1"
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text, re.ASCII):
        raise QueryError(field, _("A weight must be a number from 0 to 100."))
    return float(text)


def to_address(query: Query, line: str | None = None) -> list[tuple[str, str | int]]:
    """Return the parameters that from_address reads as this query, those that say nothing left out.

    With the bar's line as it was typed, where there is one.
    """
    line = format_bar(query) if line is None else line.strip()
    parts: list[tuple[str, str | int]] = [("q", line)] if line else []
    parts += [("image", pk) for pk in query.image_ids] + [("picture", key) for key in query.picture_keys]
    parts += [("exclude_image", pk) for pk in query.exclude_image_ids]
    parts += [("album", query.filters.album_id)] if query.filters.album_id else []
    parts += [(f"weight_{part}", f"{weight:g}") for part, weight in query.weights.items() if weight != 1]
    parts += [("fusion", query.fusion)] if query.fusion != DEFAULT_FUSION else []
    return parts + ([("sort", query.order)] if query.order != "best" else [])
