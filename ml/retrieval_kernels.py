"""The best k of very many scores, compiled: shared by products and tables; imported when used.

A person's best so far lie on a *shelf* uint64[2 k + RUN] of keys (score and film in one number, the
best smallest). What is behind the ``edge``, the k-th best so far, is never put on it, and a full
shelf is cut back to k. Most scores cost a vector comparison, few a place.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

# Scores are compared this many at a time: a run whose maximum is below the person's k-th best, and
# after the first few thousand films almost every run is, costs one vector reduction.
RUN = 64
SLACK = np.float32(1.0001)  # the bound |u| |v| must also hold for products rounded in float32
SHELF = 2  # a shelf holds this times k and one run
LOWEST = np.finfo(np.float32).min  # -inf is below: it never enters
NO_KEY = np.uint64(0xFFFFFFFFFFFFFFFF)  # behind every film
FILM = np.uint64(0xFFFFFFFF)  # the half of a key that is the film
_LARGEST = np.finfo(np.float32).max
_GROUPS = 512  # a film in so many belongs to one: neighbours do not, which are often alike
_HALF = np.uint64(32)
_SIGN = np.uint32(0x80000000)
_REST = np.uint32(0x7FFFFFFF)


@numba.njit(inline="always")
def key_of(score, film):  # type: ignore[no-untyped-def]  # numba infers
    """uint64 that grows as the score falls and, for equal scores, as the film's index grows."""
    bits = np.float32(score + np.float32(0.0)).view(np.uint32)  # -0 becomes 0
    falling = np.uint32(bits if bits & _SIGN else _REST - bits)
    return (np.uint64(falling) << _HALF) | np.uint64(film)


@numba.njit(inline="always")
def score_of(key):  # type: ignore[no-untyped-def]
    """The score of a key."""
    falling = np.uint32(key >> _HALF)
    bits = np.uint32(falling if falling & _SIGN else _REST - falling)
    return bits.view(np.float32)


@numba.njit(fastmath={"nsz", "reassoc", "nnan"})
def best_of_run(values, start):  # type: ignore[no-untyped-def]
    """The maximum of RUN values, in vector registers (which the relaxed comparisons allow)."""
    best = values[start]
    for i in range(RUN):
        best = max(best, values[start + i])
    return best


@numba.njit
def cut_back(shelf, count, k):  # type: ignore[no-untyped-def]
    """The k best of the ``count`` keys to the front; the worst of them, or NO_KEY if fewer."""
    if count < k:
        return NO_KEY
    nearest = np.partition(shelf[:count], k - 1)
    for i in range(k):
        shelf[i] = nearest[i]
    return shelf[k - 1]


@numba.njit
def put(values, films, shelf, count, edge, k):  # type: ignore[no-untyped-def]
    """Put on the shelf which of the ``films`` may be among the best k; the new (count, edge).

    ``edge`` is a key behind which nothing is wanted; -inf never enters.
    """
    score = LOWEST if edge == NO_KEY else score_of(edge)
    for start in range(0, len(values), RUN):
        stop = min(start + RUN, len(values))
        if stop == start + RUN and best_of_run(values, start) < score:
            continue
        if count + RUN > len(shelf):
            edge = min(edge, cut_back(shelf, count, k))
            count = k
            score = score_of(edge)
        for i in range(start, stop):
            if values[i] >= score:
                key = key_of(values[i], films[i])
                if key < edge:
                    shelf[count] = key
                    count += 1
    return count, edge


@numba.njit
def write_best(shelf, count, score, index):  # type: ignore[no-untyped-def]
    """The best of the shelf, best first; the rest of ``score`` and ``index`` [k] stays."""
    keys = np.sort(shelf[:count])
    for i in range(min(count, len(score))):
        score[i] = score_of(keys[i])
        index[i] = np.int32(keys[i] & FILM)


@numba.njit
def _hide(values, first, excluded, at, stop):  # type: ignore[no-untyped-def]
    """Set the excluded places of this tile to -inf; where the next tile's exclusions begin."""
    while at < stop and excluded[at] < first + len(values):
        values[excluded[at] - first] = -np.inf
        at += 1
    return at


@numba.njit
def _is_reachable(bound, shelf, count, edge, k):  # type: ignore[no-untyped-def]
    """Whether a score of ``bound`` [rows] reaches anybody's best k.

    Edges lag behind until a shelf is full; they are brought up to date as far as this needs.
    """
    for row in range(len(bound)):
        if edge[row] != NO_KEY and bound[row] < score_of(edge[row]):
            continue
        if count[row] > k:
            edge[row] = cut_back(shelf[row], count[row], k)
            count[row] = k
        if edge[row] == NO_KEY or bound[row] >= score_of(edge[row]):
            return True
    return False


@numba.njit(parallel=True, cache=True)
def best_products(
    users: NDArray[np.float32],
    tiles: NDArray[np.float32],
    films: NDArray[np.int32],
    norms: NDArray[np.float32],
    indptr: NDArray[np.int64],
    excluded: NDArray[np.int32],
    score: NDArray[np.float32],
    index: NDArray[np.int32],
    block_rows: int,
) -> None:
    """Fill ``score`` and ``index`` [n, k] (given as -inf and no film) with each row's best.

    ``users`` [n, d]; ``tiles`` [n_tiles, d, width] the films' vectors by falling length, transposed
    and cut, the last tile padded; ``films`` [n_items] whose they are, ``norms`` [n_tiles] the
    longest vector of each tile; ``excluded[indptr[u]:indptr[u + 1]]`` are films that never appear.
    A thread takes ``block_rows`` people through the tiles: the product of a block and a tile stays
    in its cache, and the threads meet once, at the end. It stops at the tile whose films are too
    short to reach anybody's k-th best (|u| |v| bounds the product).
    """
    n, k, width = len(users), score.shape[1], tiles.shape[2]
    place = np.empty(len(films), dtype=np.int32)
    for at in range(len(films)):
        place[films[at]] = at
    n_blocks = (n + block_rows - 1) // block_rows
    for block in numba.prange(n_blocks):
        begin, end = block * block_rows, min((block + 1) * block_rows, n)
        product = np.empty((end - begin, width), dtype=np.float32)
        shelf = np.empty((end - begin, SHELF * k + RUN), dtype=np.uint64)
        count = np.zeros(end - begin, dtype=np.int64)
        edge = np.full(end - begin, NO_KEY, dtype=np.uint64)
        length = np.empty(end - begin, dtype=np.float32)
        hidden = place[excluded[indptr[begin] : indptr[end]]]
        bounds = indptr[begin : end + 1] - indptr[begin]
        left = bounds[:-1].copy()
        for row in range(end - begin):
            vector = users[begin + row]
            length[row] = np.sqrt(np.dot(vector, vector)) * SLACK
            hidden[bounds[row] : bounds[row + 1]].sort()
        for tile in range(len(tiles)):
            if not _is_reachable(length * norms[tile], shelf, count, edge, k):
                break
            first = tile * width
            own = films[first : first + width]
            np.dot(users[begin:end], tiles[tile], product)
            for row in range(end - begin):
                values = product[row, : len(own)]
                left[row] = _hide(values, first, hidden, left[row], bounds[row + 1])
                count[row], edge[row] = put(values, own, shelf[row], count[row], edge[row], k)
        for row in range(end - begin):
            write_best(shelf[row], count[row], score[begin + row], index[begin + row])


@numba.njit
def _first_edge(values, excluded, is_out, k):  # type: ignore[no-untyped-def]
    """A key that at least ``k`` of the wanted ``values`` are not behind: NO_KEY if not known.

    Of groups of films the best of each: the k-th of these is reached by k films.
    """
    if not 0 < k <= _GROUPS:
        return NO_KEY
    tops = np.full(_GROUPS, -np.inf, dtype=np.float32)
    for start in range(0, len(values), _GROUPS):
        part = values[start : start + _GROUPS]
        for j in range(len(part)):
            is_better = (part[j] > tops[j]) & (part[j] <= _LARGEST)
            tops[j] = part[j] if is_better else tops[j]
    for film in excluded:
        if values[film] == tops[film % _GROUPS]:
            top = np.float32(-np.inf)
            for i in range(film % _GROUPS, len(values), _GROUPS):
                if top < values[i] <= _LARGEST and not is_out[i]:
                    top = values[i]
            tops[film % _GROUPS] = top
    kth = np.partition(tops, _GROUPS - k)[_GROUPS - k]
    return key_of(kth, FILM) if kth >= LOWEST else NO_KEY


@numba.njit
def _is_reached(values, start, score):  # type: ignore[no-untyped-def]
    """Whether a finite one of RUN values is at least ``score``; compared as vectors."""
    found = np.uint32(0)
    for i in range(RUN):
        value = values[start + i]
        found |= np.uint32((value >= score) & (value <= _LARGEST))
    return found > 0


@numba.njit(nogil=True, cache=True)
def best_of_row(
    scores: NDArray[np.float32],
    excluded: NDArray[np.integer],
    score: NDArray[np.float32],
    index: NDArray[np.int32],
) -> None:
    """Fill ``score`` and ``index`` [k] (given as -inf and no film) with the best of ``scores``
    [n_items] that are finite and not ``excluded``.

    Nothing is copied: a row and a copy of it would not stay in a core's cache together.
    """
    n, k = len(scores), len(score)
    is_out = np.zeros(n, dtype=np.bool_)
    for film in excluded:
        is_out[film] = True
    shelf = np.empty(SHELF * k + RUN, dtype=np.uint64)
    count, edge = 0, _first_edge(scores, excluded, is_out, k)
    lowest = LOWEST if edge == NO_KEY else score_of(edge)
    for start in range(0, n, RUN):
        stop = min(start + RUN, n)
        if stop == start + RUN and not _is_reached(scores, start, lowest):
            continue
        if count + RUN > len(shelf):
            edge = min(edge, cut_back(shelf, count, k))
            count, lowest = k, score_of(edge)
        for i in range(start, stop):
            if lowest <= scores[i] <= _LARGEST and not is_out[i]:
                key = key_of(scores[i], i)
                if key < edge:
                    shelf[count] = key
                    count += 1
    write_best(shelf, count, score, index)


@numba.njit(cache=True)
def first_unknown(
    order: NDArray[np.int32],
    indptr: NDArray[np.int64],
    excluded: NDArray[np.int32],
    n_items: int,
    index: NDArray[np.int32],
) -> None:
    """Fill ``index`` [n, k] (given as no film) with the first of ``order`` that aren't excluded."""
    n, k = index.shape
    marked = np.full(n_items, -1, dtype=np.int64)  # by the last person who excludes it
    for person in range(n):
        for film in excluded[indptr[person] : indptr[person + 1]]:
            marked[film] = person
        found = 0
        for film in order:
            if found == k:
                break
            if marked[film] != person:
                index[person, found] = film
                found += 1
