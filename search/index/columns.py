"""What the index holds of a picture: facts in columns, a vector, tags, albums and words."""

from dataclasses import dataclass, field

import numpy as np

# One number a picture each. UNKNOWN stands for a picture that does not say.
COLUMNS: dict[str, np.dtype] = {
    "ids": np.dtype("<i8"),
    "owners": np.dtype("<i8"),
    "taken": np.dtype("<i8"),  # by the clock of the place, as if that were UTC: milliseconds since 1970
    "added": np.dtype("<i8"),  # seconds since 1970
    "hashes": np.dtype("<u8"),  # of what the picture looks like; 0 where there is none
    "sides": np.dtype("<u4"),  # the longer side, in pixels
    "formats": np.dtype("u1"),
    "log_sums": np.dtype("<f4"),  # from Extractor.log_sums; infinite where there is none
    "tagged": np.dtype("u1"),  # 1 where it carries any tag
}
UNKNOWN = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Written:
    """Which row has which words, as search.index.words names them: 'name:beach'."""

    vocabulary: list[str] = field(default_factory=list)  # each word once
    pairs: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    # int64 (m, 2): row number from 0 to n-1, place in the vocabulary; sorted by row


@dataclass(frozen=True)
class Rows:
    """n pictures to add.

    A column for each of COLUMNS, and which row carries which tag, is in which album and has which words.
    """

    columns: dict[str, np.ndarray]  # (n,) each
    vectors: np.ndarray  # float32 (n, dim), unit length
    tags: np.ndarray  # int64 (m, 2): row number from 0 to n-1, tag id; sorted by row
    albums: np.ndarray  # int64 (k, 2): row number from 0 to n-1, album id; sorted by row
    words: Written = field(default_factory=Written)

    def __len__(self) -> int:
        return len(self.vectors)
