"""The original program's scoring, written plainly: Python sets, one image after the other, everything sorted.

Tests hold the engine's results against it, and benchmarks its time.
"""

import numpy as np


def rank(
    query_tags: set[str],
    query_vector: np.ndarray | None,
    image_tags: list[set[str]],
    vectors: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Every image's row, best first, and its score; of equal scores the later row comes first.

    query_vector float32 (dim,) or None, vectors float32 (n, dim). Tag score |T and I| / |T|, feature score
    the dot product, their mean where both are asked.
    """
    components = []
    if query_tags:
        components.append(np.array([len(query_tags & tags) / len(query_tags) for tags in image_tags]))
    if query_vector is not None:
        components.append(vectors @ query_vector)
    scores = sum(components) / len(components)
    order = np.argsort(scores[::-1] * -1, kind="stable")
    rows = len(scores) - 1 - order
    return rows, scores[rows]
