"""Sums over lists of the search index, compiled (ml.compiled)."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(nogil=True, cache=True)
def add_impacts(
    scores: NDArray[np.float32],
    movie_ids: NDArray[np.int32],
    halves: NDArray[np.uint16],
    as_float: NDArray[np.float32],
) -> None:
    """``scores[movie_ids[j]] += as_float[halves[j]]`` for each j, one after the other.

    ``halves`` are the bits of float16 numbers, which numba does not know, and ``as_float`` what
    each of the 65,536 stands for.
    """
    for j in range(len(movie_ids)):
        scores[movie_ids[j]] += as_float[halves[j]]
