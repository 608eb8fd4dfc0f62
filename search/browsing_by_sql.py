"""Pictures without a question, from the database: where no process holds an index of everything.

The same as `search.browsing` tells from the index, but that names of pictures of one moment are compared as
they are written: 'img 10' comes before 'img 9'.
"""

from datetime import UTC
from typing import Any

from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce, ExtractMonth, ExtractYear, TruncSecond
from django.utils import timezone

from gallery import access, extractor_switch
from gallery.models import Embedding, Image, ImageTag
from search.index_rows import Milliseconds
from search.timeline import Month


def searchable(allowed: access.Scope) -> QuerySet[Image]:
    """Return the visible pictures that a search can find."""
    read = Embedding.objects.filter(image=OuterRef("pk"), extractor=extractor_switch.current().key)
    return access.visible_within(allowed).filter(Exists(read), status=Image.Status.READY)


class Timeline:
    """As `search.timeline.Timeline`."""

    def __init__(self, allowed: access.Scope, order: str, whose: str) -> None:
        self._by_added, self._oldest_first = order.startswith("added"), order.endswith("oldest")
        pictures = searchable(allowed)
        if whose:
            own = Q(owner_id=allowed.owner_id)
            pictures = pictures.filter(own if whose == "mine" else ~own)
        here = Milliseconds(TruncSecond("created_at", tzinfo=timezone.get_default_timezone()))
        moment = here if self._by_added else Coalesce(Milliseconds(F("taken_local")), here)
        self._pictures = pictures.annotate(moment=moment)
        self._count: int | None = None

    def __len__(self) -> int:
        if self._count is None:
            self._count = self._pictures.count()
        return self._count

    def months(self) -> list[Month]:
        """Every month that has pictures, in this order."""
        zone = timezone.get_default_timezone()
        here = ExtractYear("created_at", tzinfo=zone) * 12 + ExtractMonth("created_at", tzinfo=zone)
        there = ExtractYear("taken_local", tzinfo=UTC) * 12 + ExtractMonth("taken_local", tzinfo=UTC)
        month = here if self._by_added else Case(When(taken_local=None, then=here), default=there)
        counted = self._pictures.order_by().annotate(month=month).values("month").annotate(own=Count("pk"))
        found = sorted(counted.values_list("month", "own"), reverse=not self._oldest_first)
        return [Month((number - 1) // 12, (number - 1) % 12 + 1, count) for number, count in found]

    def __getitem__(self, wanted: slice) -> list[int]:
        """Return the ids of the pictures from `start` to `stop`."""
        return list(self._ordered(self._oldest_first).values_list("pk", flat=True)[wanted])

    def around(self, image_id: int) -> tuple[int | None, int | None]:
        """Give the ids of the pictures before and after this one; None where there is none."""
        return self.place(image_id)[1:]

    def place(self, image_id: int) -> tuple[int | None, int | None, int | None]:
        """Give a picture's place, from 0 on, and the ids of the pictures before and after it."""
        own = self._pictures.filter(pk=image_id).values_list("moment", "filename").first()
        if own is None:
            return None, None, None
        newer, older = (self._beyond(*own, image_id, way) for way in ("gt", "lt"))
        before, after = (older, newer) if self._oldest_first else (newer, older)
        first = self._ordered(not self._oldest_first, before).values_list("pk", flat=True).first()
        last = self._ordered(self._oldest_first, after).values_list("pk", flat=True).first()
        return before.count(), first, last

    def _ordered(self, oldest_first: bool, pictures: QuerySet | None = None) -> QuerySet:
        ways = ("moment", "filename", "pk") if oldest_first else ("-moment", "-filename", "-pk")
        return (self._pictures if pictures is None else pictures).order_by(*ways)

    def _beyond(self, moment: int, filename: str, pk: int, way: str) -> QuerySet:
        same = Q(moment=moment)
        names = Q(**{f"filename__{way}": filename}) | Q(filename=filename, **{f"pk__{way}": pk})
        return self._pictures.filter(Q(**{f"moment__{way}": moment}) | (same & names))


def count_tags(allowed: access.Scope, tag_ids: Any = None) -> dict[int, tuple[int, int]]:
    """Say of each tag, or of these, how many visible pictures carry it, and the number of the latest."""
    key = extractor_switch.current().key
    carried = ImageTag.objects.shown(key).filter(image__in=searchable(allowed))
    if tag_ids is not None:
        carried = carried.filter(tag_id__in=list(tag_ids))
    counted = carried.order_by().values("tag_id").annotate(own=Count("image", distinct=True))
    found = counted.annotate(latest=Max("image_id")).values_list("tag_id", "own", "latest")
    return {tag_id: (number, latest) for tag_id, number, latest in found}
