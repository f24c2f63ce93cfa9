"""A blend's mean and deviation of one person's scores, compiled (ml.compiled)."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

LANES = 64  # running sums beside each other: order and number are the same in numpy and here
_LARGEST = np.finfo(np.float32).max


@numba.njit
def _folded(lanes):  # type: ignore[no-untyped-def]  # numba infers
    """The sum of the lanes, the second half added to the first until one is left."""
    width = LANES // 2
    while width:
        for j in range(width):
            lanes[j] += lanes[j + width]
        width //= 2
    return lanes[0]


@numba.njit(nogil=True, cache=True)
def moments(row: NDArray[np.float32]) -> tuple[float, float]:
    """(mean, deviation) of the finite ``row`` [n_items]; (0, 0) if there are none."""
    lanes, n = np.zeros(LANES), 0
    for start in range(0, len(row), LANES):
        part = row[start : start + LANES]
        for j in range(len(part)):
            is_finite = abs(part[j]) <= _LARGEST
            lanes[j] += np.float64(part[j]) if is_finite else 0.0
            n += is_finite
    if n == 0:
        return 0.0, 0.0
    mean = _folded(lanes) / n
    lanes[:] = 0.0
    for start in range(0, len(row), LANES):
        part = row[start : start + LANES]
        for j in range(len(part)):
            off = np.float64(part[j]) - mean if abs(part[j]) <= _LARGEST else 0.0
            lanes[j] += off * off
    return mean, np.sqrt(_folded(lanes) / n)
