"""SLIT's sums over ordered histories, compiled. Imported only while fitting."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


def add_people(
    bounds: NDArray[np.int64],
    items: NDArray[np.int64],
    weight: NDArray[np.float64],
    row_power: float,
    gram: NDArray[np.float32],
    moment: NDArray[np.float32],
) -> None:
    """Add X'X to the upper triangle of ``gram`` and X'Y to ``moment``.

    ``weight`` [n_memories, max_events] by age; memory a of film i is row ``a n_items + i`` of both,
    n_items being ``moment``'s columns. Person u's films in order are ``items[bounds[u]:bounds[u +
    1]]``, of which the last max_events count. The films at places j and k = j + distance share
    ``sum_age w_a[age + distance] w_b[age]``, which grows by one term per step towards the past: all
    pairs at one distance take one pass.
    """
    _add_people(bounds, items, weight, row_power, gram, moment)


@numba.njit(cache=True)
def _add_people(bounds, items, weight, row_power, gram, moment):  # type: ignore[no-untyped-def]  # numba infers
    n_memories = weight.shape[0]
    n_items = moment.shape[1]
    for u in range(len(bounds) - 1):
        stop = bounds[u + 1]
        start = max(bounds[u], stop - weight.shape[1])
        n = stop - start
        if n < 2:
            continue
        scale = n ** (-row_power)
        own = items[start:stop]
        for a in range(n_memories):
            for b in range(n_memories):
                for distance in range(n - 1):
                    if distance == 0 and a > b:
                        continue
                    total = 0.0
                    for k in range(n - 2, distance - 1, -1):
                        age = n - 2 - k
                        total += weight[a, age + distance] * weight[b, age]
                        row, column = a * n_items + own[k - distance], b * n_items + own[k]
                        if row > column:
                            row, column = column, row
                        gram[row, column] += np.float32(scale * total)
        for k in range(1, n):
            for j in range(k):
                for a in range(n_memories):
                    moment[a * n_items + own[j], own[k]] += np.float32(scale * weight[a, k - 1 - j])
