"""The index of this process: built from the database on first use, then kept up with its log of changes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from django.db.models import Max

from gallery import serving
from gallery.models import AlbumImage, Change, Embedding, Image, ImageTag
from search.index import Index, Rows

CHUNK = 500  # images read at a time: within SQLite's limit on parameters


class Store:
    """One index, the extractor whose embeddings it holds, and the last change it has seen."""

    def __init__(self):
        self._lock = threading.RLock()
        self._index: Index | None = None
        self._extractor = ""
        self._seen = 0

    @contextmanager
    def open(self) -> Iterator[Index]:
        """The index as of now: whatever any process has committed is in it. One thread holds it at a time."""
        with self._lock:
            yield self._refresh()

    def forget(self) -> None:
        """Build anew on the next use."""
        with self._lock:
            self._index = None

    def _refresh(self) -> Index:
        extractor = serving.current()
        last = Change.objects.aggregate(last=Max("seq"))["last"] or 0
        # A lower number than was seen before means another database: restored from a backup, say.
        if self._index is None or self._extractor != extractor.key or last < self._seen:
            self._build(extractor.key, extractor.dim, last)
        elif last > self._seen:
            self._apply(last)
        return self._index

    def _build(self, extractor: str, dim: int, last: int) -> None:
        # `last` was read before the rows, so a change in between is applied a second time, never missed.
        index = Index(dim)
        ready = Embedding.objects.filter(extractor=extractor, image__status=Image.Status.READY)
        ids = ready.order_by("image_id").values_list("image_id", flat=True)
        _add(index, extractor, list(ids))
        self._index, self._extractor, self._seen = index, extractor, last

    def _apply(self, last: int) -> None:
        index = self._index
        changed = list(Change.objects.filter(seq__gt=self._seen, seq__lte=last).values_list("image_id", flat=True))
        index.remove(changed)
        _add(index, self._extractor, changed)
        self._seen = last
        if index.dead > 1000 + len(index):
            self._build(self._extractor, index.dim, last)


def _add(index: Index, extractor: str, image_ids: list[int]) -> None:
    """Add those of the images that are READY, with their tags and albums."""
    for start in range(0, len(image_ids), CHUNK):
        chunk = image_ids[start : start + CHUNK]
        rows = _read(extractor, index.dim, chunk)
        if len(rows.image_ids):
            index.add(rows)


def _read(extractor: str, dim: int, image_ids: list[int]) -> Rows:
    embeddings = list(
        Embedding.objects.filter(image_id__in=image_ids, extractor=extractor, dim=dim, image__status=Image.Status.READY)
        .order_by("image_id")
        .values_list("image_id", "image__owner_id", "vector")
    )
    row_of = {image_id: row for row, (image_id, _, _) in enumerate(embeddings)}
    return Rows(
        image_ids=np.array([image_id for image_id, _, _ in embeddings], np.int64),
        owner_ids=np.array([owner_id for _, owner_id, _ in embeddings], np.int64),
        vectors=np.frombuffer(b"".join(vector for _, _, vector in embeddings), "<f4").reshape(-1, dim),
        tags=_pairs(
            ImageTag.objects.shown(extractor).filter(image_id__in=row_of).values_list("image_id", "tag_id"), row_of
        ),
        albums=_pairs(AlbumImage.objects.filter(image_id__in=row_of).values_list("image_id", "album_id"), row_of),
    )


def _pairs(links, row_of: dict[int, int]) -> np.ndarray:
    """(image id, key) pairs -> int64 (n, 2) of row and key."""
    return np.array([(row_of[image_id], key) for image_id, key in links], np.int64).reshape(-1, 2)


store = Store()
