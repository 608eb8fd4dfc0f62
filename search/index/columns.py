"""What the index holds of a picture: facts in columns, a vector, tags and albums."""

from dataclasses import dataclass

import numpy as np

# One number a picture each. Times are in seconds since 1970; UNKNOWN stands for a picture that does not say.
COLUMNS: dict[str, np.dtype] = {
    "ids": np.dtype("<i8"),
    "owners": np.dtype("<i8"),
    "taken": np.dtype("<i8"),
    "added": np.dtype("<i8"),
    "hashes": np.dtype("<u8"),  # of what the picture looks like; 0 where there is none
    "sides": np.dtype("<u4"),  # the longer side, in pixels
    "formats": np.dtype("u1"),
    "tagged": np.dtype("u1"),  # 1 where it carries any tag
}
UNKNOWN = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Rows:
    """n pictures to add.

    A column for each of COLUMNS, and which row carries which tag and is in which album.
    """

    columns: dict[str, np.ndarray]  # (n,) each
    vectors: np.ndarray  # float32 (n, dim), unit length
    tags: np.ndarray  # int64 (m, 2): row number from 0 to n-1, tag id; sorted by row
    albums: np.ndarray  # int64 (k, 2): row number from 0 to n-1, album id; sorted by row

    def __len__(self) -> int:
        return len(self.vectors)
