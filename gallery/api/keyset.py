"""Going on behind a row of a list: the next piece is found by what the rows are ordered by, not by counting.

What arrives or goes meanwhile neither repeats nor hides a row.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core import signing
from django.db import connection
from django.db.models import DateTimeField, F, Q, QuerySet, TextField, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast


class CursorError(ValueError):
    """A cursor that this list did not give."""


@dataclass(frozen=True)
class _Key:
    """One of the things that rows are ordered by."""

    name: str  # of the annotation
    kept: str  # of the annotation with what a cursor keeps of it
    order: OrderBy

    @property
    def has_none_last(self) -> bool:
        return bool(self.order.nulls_last)

    def annotated(self) -> OrderBy:
        """Return the order by the annotation."""
        last = self.order.nulls_last
        return OrderBy(F(self.name), descending=self.order.descending, nulls_last=last)


class Keyset:
    """A list whose rows can be found by where they stand; every list's last key tells rows apart."""

    def __init__(self, rows: QuerySet) -> None:
        terms = list(rows.query.order_by or rows.model._meta.ordering)
        if not any(_is_number(term) for term in terms):
            terms.append("-pk" if str(terms[-1]).startswith("-") else "pk")
        self._keys = [_Key(f"_key{at}", f"_kept{at}", _order(term)) for at, term in enumerate(terms)]
        rows = rows.annotate(**{key.name: key.order.expression for key in self._keys})
        rows = rows.annotate(**{key.kept: _kept(rows, key) for key in self._keys})
        self._rows = rows.order_by(*(key.annotated() for key in self._keys))
        # A cursor goes with one list in one order: values of another would be compared with other columns.
        # Without the time, or a list that did not change would look as if it had.
        self._signer = signing.Signer(
            salt=f"{rows.model._meta.label} {[str(key.order) for key in self._keys]}"
        )

    def behind(self, cursor: str) -> QuerySet:
        """Return the rows behind the one of a cursor, all for ''; CursorError for one of another list."""
        if not cursor:
            return self._rows
        try:
            values = self._signer.unsign_object(cursor)
        except signing.BadSignature as error:
            raise CursorError from error
        beyond, same = Q(pk__in=[]), Q()
        for key, value in zip(self._keys, values, strict=True):
            if value is None:  # the last ones: none stands behind them
                same &= Q(**{f"{key.name}__isnull": True})
                continue
            own = self._read(key, value)
            further = Q(**{f"{key.name}__{'lt' if key.order.descending else 'gt'}": own})
            if key.has_none_last:
                further |= Q(**{f"{key.name}__isnull": True})
            beyond |= same & further
            same &= Q(**{key.name: own})
        return self._rows.filter(beyond)

    def cursor(self, row: Any) -> str:
        """Return what finds the rows behind this one, which came from `behind`."""
        values = [getattr(row, key.kept) for key in self._keys]
        values = [value.isoformat() if isinstance(value, datetime) else value for value in values]
        values = [str(value) if isinstance(value, UUID) else value for value in values]
        return str(self._signer.sign_object(values))

    def _read(self, key: _Key, value: Any) -> Any:
        if not isinstance(_field(self._rows, key), DateTimeField):
            return value
        return Value(value, TextField()) if _keeps_text() else datetime.fromisoformat(value)


def _keeps_text() -> bool:
    """Whether moments are texts to the database, of as many digits as whoever wrote them used.

    Read and written again, one would be another text, and not equal to itself.
    """
    return connection.vendor == "sqlite"


def _kept(rows: QuerySet, key: _Key) -> Any:
    is_moment = isinstance(_field(rows, key), DateTimeField)
    return Cast(F(key.name), TextField()) if is_moment and _keeps_text() else F(key.name)


def _field(rows: QuerySet, key: _Key) -> Any:
    return rows.query.annotations[key.name].output_field


def _is_number(term: Any) -> bool:
    """Whether a term is a row's number: its own, or that of its row in another table."""
    name = term.lstrip("-") if isinstance(term, str) else getattr(term.expression, "name", "")
    return name.split("__")[-1] in ("pk", "id")


def _order(term: Any) -> OrderBy:
    if isinstance(term, OrderBy):
        return term
    return F(term.removeprefix("-")).desc() if term.startswith("-") else F(term).asc()
