"""The search for like moments, compiled. Imported only while scoring."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from ml.types import FloatArray


def add_like_moments(
    shown: tuple[NDArray[np.int64], NDArray[np.int32]],
    found: tuple[NDArray[np.int64], NDArray[np.int32]],
    sequence: tuple[NDArray[np.int32], NDArray[np.int64]],
    weight: NDArray[np.float32],
    film_weight: NDArray[np.float32],
    after: NDArray[np.float32],
    power: float,
    scores: FloatArray,
) -> None:
    """Add to ``scores`` float32[n, n_items] what came after the moments like each row's last one.

    ``shown`` (indptr, films) are the histories, ``found`` (indptr, places) where in ``sequence``
    each film is; ``sequence`` (films, end of the person's events) are all events, person by person.
    ``weight`` by age of the events that make a moment, ``after`` by distance of what follows it.
    """
    # A whole power is a product: libm's takes most of the time otherwise.
    whole = int(power) if power == int(power) else 0
    n_parts = max(1, min(numba.get_num_threads(), len(scores)))
    _add(*shown, *found, *sequence, weight, film_weight, after, power, whole, n_parts, scores)


@numba.njit(parallel=True, cache=True, fastmath=True)
def _add(  # type: ignore[no-untyped-def]  # numba infers
    indptr,
    films,
    found_indptr,
    found,
    items,
    ends,
    weight,
    film_weight,
    after,
    power,
    whole,
    n_parts,
    scores,
):
    reach = len(weight)
    for part in numba.prange(n_parts):
        likeness = np.zeros(len(items), dtype=np.float32)
        touched = np.empty(len(items), dtype=np.int32)
        for row in range(part, len(indptr) - 1, n_parts):
            n = 0
            stop = indptr[row + 1]
            for at in range(max(indptr[row], stop - reach), stop):
                film = films[at]
                own = weight[stop - 1 - at] * film_weight[film]
                for f in range(found_indptr[film], found_indptr[film + 1]):
                    place = found[f]
                    # The moment after event t has its newest film at t; there must be a next one.
                    for t in range(place, min(place + reach, ends[place] - 1)):
                        if likeness[t] == 0:
                            touched[n] = t
                            n += 1
                        likeness[t] += own * weight[t - place]
            for i in range(n):
                t = touched[i]
                value = likeness[t]
                if whole:
                    like = value
                    for _ in range(whole - 1):
                        value *= like
                else:
                    value = np.float32(value**power)
                likeness[t] = 0
                for m in range(min(len(after), ends[t] - 1 - t)):
                    scores[row, items[t + 1 + m]] += value * after[m]
