"""Co-ratings weighed by how close together they were made, compiled for fitting."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

FARTHEST = 16.0  # in units of the reach: e^-16 is nothing to a float32 sum


def add_near_pairs(
    bounds: NDArray[np.int64],
    items: NDArray[np.int32],
    weight: NDArray[np.float32],
    reach: float,
    gram: NDArray[np.float32],
) -> None:
    """Add ``w_a w_b exp(-|a - b| / reach)`` to ``gram[items[a], items[b]]`` for all pairs of places
    a, b of one person, the pairs a = b included.

    Person u's films in order are ``items[bounds[u]:bounds[u + 1]]``, with their weights beside.
    """
    longest = int(np.diff(bounds).max(initial=0))
    n_near = min(longest, int(FARTHEST * reach) + 1)
    _add_near_pairs(
        bounds, items, weight, np.exp(-np.arange(n_near) / reach).astype(np.float32), gram
    )


@numba.njit(cache=True)
def _add_near_pairs(bounds, items, weight, by_distance, gram):  # type: ignore[no-untyped-def]  # numba infers
    for u in range(len(bounds) - 1):
        for a in range(bounds[u], bounds[u + 1]):
            row = gram[items[a]]
            row[items[a]] += weight[a] * weight[a]
            for b in range(a + 1, min(bounds[u + 1], a + len(by_distance))):
                worth = weight[a] * weight[b] * by_distance[b - a]
                row[items[b]] += worth
                gram[items[b], items[a]] += worth
