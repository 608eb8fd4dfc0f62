"""Good matches and the rest: whether a library has what is asked for in words.

The extractor names the tags that mean what the words do (`Extractor.near`): "sparrows" means "sparrow", and
"dogs" means "dog", be it that of a picture of a poodle. Pictures that carry one of them are good matches.
docs/search.md has the measurements.
"""

from enum import StrEnum

import numpy as np

from search.index.index import Index

CLOSEST = 30  # pictures that are shown where none is a good match


class Verdict(StrEnum):
    """What a search can say of its answer."""

    GOOD = "good"  # there are good matches
    WEAK = "weak"  # nothing matches well: the closest follow
    UNKNOWN = "unknown"  # it does not know these words


def count(index: Index, visible: np.ndarray, near_tag_ids: list[int] | None) -> int | None:
    """Count the visible rows (bool (size,)) that are good matches; None where that cannot be told."""
    if near_tag_ids is None:
        return None
    return int(np.count_nonzero(visible & index.with_any_tag(near_tag_ids)))


def verdict(good: int | None, unknown_words: list[str]) -> Verdict | None:
    """Say what the answer is worth; None where that cannot be told, with pictures and tags in the query."""
    if good is None:
        return None
    if good:
        return Verdict.GOOD
    return Verdict.UNKNOWN if unknown_words else Verdict.WEAK
