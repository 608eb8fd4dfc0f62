"""Good matches and the rest: whether a library has what is asked for in words, and which pictures are it.

The extractor says how near to the words the classes of its vocabulary come that come nearest
(`Extractor.expected`). The best picture is held against that: "dog" scores 0.7 on dogs and 0.55 on wolves,
and the vocabulary tells that 0.7 is to be expected of dogs, as it tells that no better than 0.5 is to be had
for "landscape". docs/search.md has the measurements.
"""

import numpy as np

# Where not even the nearest classes reach this, the extractor knows nothing of the kind and cannot tell.
LEAST_EXPECTED = 0.35
# In units of what is expected: below the first the best picture is not what was asked for; where it is,
# pictures that reach the second count as good.
LEAST_STRENGTH = 1.03
GOOD = 0.8


def least_score(best: float, expected: float) -> float | None:
    """The score from which on a picture is a good match, given the best one's.

    Infinity where none is, None where that cannot be told.
    """
    if expected < LEAST_EXPECTED:
        return None
    return GOOD * expected if best >= LEAST_STRENGTH * expected else np.inf
