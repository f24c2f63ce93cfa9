"""The best k of a sparse item-to-item table's scores, compiled; imported only when used."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from ml.retrieval_kernels import (
    FILM,
    LOWEST,
    NO_KEY,
    RUN,
    SHELF,
    best_of_run,
    key_of,
    put,
    score_of,
    write_best,
)

# Events that weigh less than this share of the heaviest are left out where that provably changes no
# score on the list by more than ROUNDING: of a history that decays by 0.6, those before the 50th.
LIGHT = np.float32(1e-11)
ROUNDING = np.float32(2.0**-25)


@numba.njit(parallel=True, cache=True)
def best_of_table(
    indptr: NDArray[np.int64],
    rows: NDArray[np.int32],
    weights: NDArray[np.float32],
    table_indptr: NDArray[np.int64],
    columns: NDArray[np.unsignedinteger],
    entries: NDArray[np.float32],
    largest: NDArray[np.float32],
    base: NDArray[np.float32],
    carry: NDArray[np.float32],
    excluded_indptr: NDArray[np.int64],
    excluded: NDArray[np.int32],
    score: NDArray[np.float32],
    index: NDArray[np.int32],
) -> None:
    """Fill ``score`` and ``index`` [m n, k] (given as -inf and no film) with each row's best.

    Person u has m weighted histories: j is row j n + u of ``rows[indptr[r]:indptr[r + 1]]``. Scores
    are the sum of the table's rows times their weights, plus ``carry[j]`` times the scores by
    history j - 1 (0: none); whose first history is empty has no answers. ``base`` [n_items] is 0,
    or -inf for films that never appear; ``largest`` the greatest absolute entry of each row of the
    table. A thread keeps one score vector: 107 kB for 26,744 films.
    """
    m, n_items, k = len(carry), len(base), score.shape[1]
    n = (len(indptr) - 1) // m
    films = np.arange(n_items).astype(np.int32)
    n_shares = min(n, 64)
    for share in numba.prange(n_shares):
        values = np.empty(n_items, dtype=np.float32)
        shelf = np.empty(SHELF * k + RUN, dtype=np.uint64)
        for person in range(share, n, n_shares):
            if indptr[person] == indptr[person + 1]:
                continue
            hidden = excluded[excluded_indptr[person] : excluded_indptr[person + 1]]
            for j in range(m):
                row = j * n + person
                own = rows[indptr[row] : indptr[row + 1]]
                weight = weights[indptr[row] : indptr[row + 1]]
                is_carried = j + 1 < m and carry[j + 1] != 0
                least = np.float32(0.0) if is_carried else LIGHT * _size_of(weight)
                _start_from(values, base, carry[j])
                _add_rows(values, own, weight, table_indptr, columns, entries, least, np.inf)
                for film in hidden:
                    values[film] = -np.inf
                count = _best_of_all(values, films, shelf, k)
                rest = _left_out(own, weight, largest, least)
                if rest > 0 and not _is_beneath(rest, shelf[:count], k):
                    _add_rows(values, own, weight, table_indptr, columns, entries, 0.0, least)
                    count = _best_of_all(values, films, shelf, k)
                write_best(shelf, count, score[row], index[row])


@numba.njit
def _start_from(values, base, carry):  # type: ignore[no-untyped-def]  # numba infers
    """``carry`` times what the scores were, or ``base`` where nothing is carried on."""
    for i in range(len(values)):
        values[i] = base[i] if carry == 0 else carry * values[i]


@numba.njit
def _size_of(weight):  # type: ignore[no-untyped-def]
    """The greatest absolute value; 0 of none."""
    size = np.float32(0.0)
    for w in weight:
        size = max(size, abs(w))
    return size


@numba.njit
def _add_rows(values, own, weight, indptr, columns, entries, low, high):  # type: ignore[no-untyped-def]
    """Add to ``values`` the rows whose weight is in [low, high), times it."""
    for event in range(len(own)):
        row, w = own[event], weight[event]
        if low <= abs(w) < high:
            # Slices: their positions need no check for being counted from the end.
            films = columns[indptr[row] : indptr[row + 1]]
            sizes = entries[indptr[row] : indptr[row + 1]]
            for at in range(len(films)):
                values[films[at]] += w * sizes[at]


@numba.njit
def _left_out(own, weight, largest, low):  # type: ignore[no-untyped-def]
    """By how much the rows whose weight is below ``low`` change a score at most."""
    rest = np.float32(0.0)
    for event in range(len(own)):
        if abs(weight[event]) < low:
            rest += abs(weight[event]) * largest[own[event]]
    return rest


@numba.njit
def _is_beneath(rest, keys, k):  # type: ignore[no-untyped-def]
    """Whether ``rest`` is beneath the rounding of each of the k best scores."""
    if len(keys) < k:
        return False
    return rest < ROUNDING * score_of(np.partition(keys, k - 1)[k - 1])


@numba.njit
def _best_of_all(values, films, shelf, k):  # type: ignore[no-untyped-def]
    """Put the k best of all scores on the shelf; how many lie there.

    As many films as there are runs reach the k-th largest of the runs' maxima: the first edge.
    """
    edge = NO_KEY
    n_runs, count = len(values) // RUN, 0
    tops = np.empty(n_runs, dtype=np.float32)
    for i in range(n_runs):
        tops[i] = best_of_run(values, i * RUN)
    top = np.float32(LOWEST)
    if n_runs >= k:
        top = max(top, np.partition(tops, n_runs - k)[n_runs - k])
        edge = key_of(top, FILM)
    for i in range(n_runs):
        if tops[i] >= top:
            run = slice(i * RUN, (i + 1) * RUN)
            count, edge = put(values[run], films[run], shelf, count, edge, k)
    run = slice(n_runs * RUN, len(values))
    count, _ = put(values[run], films[run], shelf, count, edge, k)
    return count
