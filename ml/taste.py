"""Groups within one person's taste."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.kmeans import by_size, silhouette, spherical_kmeans
from ml.text import unit_rows
from ml.types import FloatArray

MAX_GROUPS = 4
MIN_GROUP = 3  # fewer films are no taste


def taste_groups(
    vectors: FloatArray, *, max_groups: int = MAX_GROUPS, seed: int = 0
) -> NDArray[np.intp]:
    """int[n]: the group of each film, 0 the largest; all 0 where no cut is better than none.

    Spherical k-means for 2 to ``max_groups`` groups; the number with the best mean silhouette
    counts, if every group holds MIN_GROUP films and the silhouette is above 0.1, below which a cut
    is as good as any other.
    """
    unit = unit_rows(np.asarray(vectors, dtype=np.float32))
    n = len(unit)
    best, best_width = np.zeros(n, dtype=np.intp), 0.1
    rng = np.random.default_rng(seed)
    for k in range(2, min(max_groups, n // MIN_GROUP) + 1):
        label, _centres = spherical_kmeans(unit, k, rng)
        if np.bincount(label, minlength=k).min() < MIN_GROUP:
            continue
        width = silhouette(unit, label)
        if width > best_width:
            best, best_width = label, width
    order = by_size(best, int(best.max(initial=0)) + 1)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[best]
