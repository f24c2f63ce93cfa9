"""SLIT's sums over ordered histories, compiled. Imported only while fitting."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


def add_people(
    bounds: NDArray[np.int64],
    items: NDArray[np.int32],
    weight: NDArray[np.float64],
    row_power: float,
    gram: NDArray[np.float32],
    moment: NDArray[np.float32],
) -> None:
    """Add X'X to ``gram`` (both triangles) and X'Y to ``moment``, each [n_items, n_items].

    Person u's films in order are ``items[bounds[u]:bounds[u + 1]]``, of which the last
    ``len(weight)`` count. With w the weight by age, films at places j <= k of n share
    ``sum_{a=0}^{n-2-k} w[a] w[a + k - j]``, which grows by one term as k falls: all pairs at one
    distance in one pass.
    """
    _add_people(bounds, items, weight, row_power, gram, moment)


@numba.njit(cache=True)
def _add_people(bounds, items, weight, row_power, gram, moment):  # type: ignore[no-untyped-def]  # numba infers
    for u in range(len(bounds) - 1):
        stop = bounds[u + 1]
        start = max(bounds[u], stop - len(weight))
        n = stop - start
        if n < 2:
            continue
        scale = n ** (-row_power)
        own = items[start:stop]
        for distance in range(n - 1):
            total = 0.0
            for k in range(n - 2, distance - 1, -1):
                age = n - 2 - k
                total += weight[age] * weight[age + distance]
                value = np.float32(scale * total)
                gram[own[k], own[k - distance]] += value
                if distance:
                    gram[own[k - distance], own[k]] += value
        for k in range(1, n):
            for j in range(k):
                moment[own[j], own[k]] += np.float32(scale * weight[k - 1 - j])
