"""Exact top-k of many inner products, compiled; imported only when used."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

# Scores are compared this many at a time: a run whose maximum is below the person's k-th best, and
# after the first few thousand films almost every run is, costs one vector reduction.
RUN = 64
SLACK = np.float32(1.0001)  # the bound |u| |v| must also hold for products rounded in float32


@numba.njit(inline="always")
def _worse(score_a, index_a, score_b, index_b):  # type: ignore[no-untyped-def]
    """True if a ranks behind b: lower score, or equal score and larger index."""
    return score_a < score_b or (score_a == score_b and index_a > index_b)


@numba.njit
def _sift_down(score, index, size):  # type: ignore[no-untyped-def]
    """Restore the heap (worst at 0) after its root was replaced."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            return
        other = child + 1
        if other < size and _worse(score[other], index[other], score[child], index[child]):
            child = other
        if not _worse(score[child], index[child], score[at], index[at]):
            return
        score[at], score[child] = score[child], score[at]
        index[at], index[child] = index[child], index[at]
        at = child


@numba.njit(fastmath={"nsz", "reassoc", "nnan"})
def _best_of(values):  # type: ignore[no-untyped-def]
    """The maximum, in vector registers (which is what the relaxed comparisons allow)."""
    best = values[0]
    for i in range(1, len(values)):
        best = max(best, values[i])
    return best


@numba.njit
def _push(values, films, score, index):  # type: ignore[no-untyped-def]
    """Merge the scores of ``films`` into one person's heap; -inf never enters."""
    for start in range(0, len(values), RUN):
        run = values[start : start + RUN]
        if _best_of(run) < score[0]:
            continue
        for i in range(len(run)):
            film = films[start + i]
            if run[i] != -np.inf and _worse(score[0], index[0], run[i], film):
                score[0], index[0] = run[i], film
                _sift_down(score, index, len(score))


@numba.njit
def _sort(score, index):  # type: ignore[no-untyped-def]
    """The heap into best-first order, in place (heap sort)."""
    for size in range(len(score) - 1, 0, -1):
        score[0], score[size] = score[size], score[0]
        index[0], index[size] = index[size], index[0]
        _sift_down(score, index, size)


@numba.njit
def _hide(values, first, valid, excluded, at, stop):  # type: ignore[no-untyped-def]
    """Set the excluded places of this tile to -inf; where the next tile's exclusions begin."""
    while at < stop and excluded[at] < first + valid:
        values[excluded[at] - first] = -np.inf
        at += 1
    return at


@numba.njit(parallel=True, cache=True)
def best_products(
    users: NDArray[np.float32],
    tiles: NDArray[np.float32],
    films: NDArray[np.int32],
    norms: NDArray[np.float32],
    indptr: NDArray[np.int64],
    excluded: NDArray[np.int64],
    score: NDArray[np.float32],
    index: NDArray[np.int32],
    block_rows: int,
) -> None:
    """Fill ``score`` and ``index`` [n, k] (given as -inf and no film) with each row's best.

    ``users`` [n, d]; ``tiles`` [n_tiles, d, width] the films' vectors by falling length, transposed
    and cut, the last tile padded; ``films`` [n_items] whose they are, ``norms`` [n_tiles] the
    longest vector of each tile; ``excluded[indptr[u]:indptr[u + 1]]`` ascending places in that
    order that never appear. A thread takes ``block_rows`` people through the tiles: the product of
    a block and a tile stays in its cache, and the threads meet once, at the end. It stops at the
    tile whose films are too short to reach anybody's k-th best (|u| |v| bounds the product).
    """
    n, d = users.shape
    width = tiles.shape[2]
    n_blocks = (n + block_rows - 1) // block_rows
    for block in numba.prange(n_blocks):
        begin, end = block * block_rows, min((block + 1) * block_rows, n)
        product = np.empty((end - begin, width), dtype=np.float32)
        left = indptr[begin:end].copy()
        length = np.empty(end - begin, dtype=np.float32)
        for row in range(end - begin):
            vector = users[begin + row]
            length[row] = np.sqrt(np.dot(vector, vector)) * SLACK
        for tile in range(len(tiles)):
            reachable = False
            for row in range(end - begin):
                reachable |= length[row] * norms[tile] >= score[begin + row, 0]
            if not reachable:
                break
            first = tile * width
            valid = min(width, len(films) - first)
            np.dot(users[begin:end], tiles[tile], product)
            for row in range(end - begin):
                values = product[row]
                stop = indptr[begin + row + 1]
                left[row] = _hide(values, first, valid, excluded, left[row], stop)
                own = films[first : first + valid]
                _push(values[:valid], own, score[begin + row], index[begin + row])
        for row in range(begin, end):
            _sort(score[row], index[row])


@numba.njit(parallel=True, cache=True)
def best_of_table(
    indptr: NDArray[np.int64],
    rows: NDArray[np.int64],
    weights: NDArray[np.float32],
    table_indptr: NDArray[np.integer],
    table_indices: NDArray[np.int32],
    table_data: NDArray[np.float32],
    seen: NDArray[np.bool_],
    excluded_indptr: NDArray[np.int64],
    excluded: NDArray[np.int64],
    score: NDArray[np.float32],
    index: NDArray[np.int32],
) -> None:
    """Fill ``score`` and ``index`` [n, k] (given as -inf and no film) with each row's best.

    Row u is the sum of the table's rows ``rows[indptr[u]:indptr[u + 1]]`` times their weights. A
    thread takes every n-th share of people and keeps one score vector: 107 kB for 26,744 films.
    """
    n, n_items = len(indptr) - 1, len(seen)
    films = np.arange(n_items).astype(np.int32)
    n_shares = min(n, 64)
    for share in numba.prange(n_shares):
        values = np.empty(n_items, dtype=np.float32)
        for person in range(share, n, n_shares):
            if indptr[person] == indptr[person + 1]:
                continue
            for i in range(n_items):
                values[i] = 0.0 if seen[i] else -np.inf
            for event in range(indptr[person], indptr[person + 1]):
                row, weight = rows[event], weights[event]
                for at in range(table_indptr[row], table_indptr[row + 1]):
                    values[table_indices[at]] += weight * table_data[at]
            for at in range(excluded_indptr[person], excluded_indptr[person + 1]):
                values[excluded[at]] = -np.inf
            _push(values, films, score[person], index[person])
            _sort(score[person], index[person])
