"""What a filter asks of the index."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gallery.access import Scope
from search.index.index import Index


class Condition(Protocol):
    """Something that pictures meet or not."""

    def rows(self, index: Index) -> np.ndarray:
        """Give the rows, dead ones too, that pass: bool (size,)."""


@dataclass(frozen=True)
class Limit:
    """What a column may hold, both ends included; with `outside` what it may not."""

    column: str
    least: int
    most: int
    outside: bool = False

    def rows(self, index: Index) -> np.ndarray:
        """Give the rows that pass: bool (size,)."""
        inside = index.between(self.column, self.least, self.most)
        return ~inside if self.outside else inside


@dataclass(frozen=True)
class InAlbums:
    """The albums of which a picture must be in one."""

    album_ids: tuple[int, ...]

    def rows(self, index: Index) -> np.ndarray:
        """Give the rows that pass: bool (size,)."""
        return index.in_albums(self.album_ids)


@dataclass(frozen=True)
class HasWords:
    """Words like 'name:beach' that a picture must have, all of them, each in one of its forms.

    Where a scope is given, only where that person is told where pictures were taken.
    """

    words: tuple[tuple[str, ...], ...]
    told: Scope | None = None

    def rows(self, index: Index) -> np.ndarray:
        """Give the rows that pass: bool (size,)."""
        mask = np.full(index.size, bool(self.words))
        for forms in self.words:
            has = np.zeros(index.size, bool)
            for form in forms:
                has[index.word_rows(form)] = True
            mask &= has
        if self.told:
            mask &= index.visible(self.told.owner_id, self.told.telling_album_ids)
        return mask


@dataclass(frozen=True)
class Among:
    """The pictures, by number, of which it must be one."""

    image_ids: tuple[int, ...]

    def rows(self, index: Index) -> np.ndarray:
        """Give the rows that pass: bool (size,)."""
        mask = np.zeros(index.size, bool)
        mask[index.rows_of(self.image_ids)] = True
        return mask
