"""Exact top-k over dense scores, with masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.types import UNKNOWN_ITEM, FloatArray, Histories, ScoredItems

# A block of scores, 256 x 512 float32, is half a MiB: it stays in a core's second-level cache.
# Of the sizes tried (64 to 256 people, 512 to 4,096 films) the fastest on two cores.
BLOCK_USERS = 256
TILE_ITEMS = 512
EDGE_BLOCK = 64  # films of which the best one stands for all when an edge is looked for


def top_k(scores: FloatArray, k: int, *, exclude: sparse.csr_matrix | None = None) -> ScoredItems:
    """The ``k`` best columns of each row of ``scores`` float32[n, n_items]; best first.

    ``exclude`` (csr [n, n_items], any stored entry counts) and non-finite scores never appear:
    missing places are ``-1`` with ``-inf``. Ties go to the smaller index, so results are stable.
    """
    n, n_items = scores.shape
    width = min(k, n_items)
    item_index = np.full((n, k), UNKNOWN_ITEM, dtype=np.int32)
    score = np.full((n, k), -np.inf, dtype=np.float32)
    for i in range(n if width else 0):
        masked = scores[i].astype(np.float32)
        masked[~np.isfinite(masked)] = -np.inf
        if exclude is not None:
            masked[exclude.indices[exclude.indptr[i] : exclude.indptr[i + 1]]] = -np.inf
        best = _stable_best_of_row(masked, width)
        score[i, :width] = masked[best]
        item_index[i, :width] = np.where(np.isfinite(score[i, :width]), best, UNKNOWN_ITEM)
    return ScoredItems(item_index=item_index, score=score)


def stable_best(masked: FloatArray, width: int) -> NDArray[np.intp]:
    """Positions of the ``width`` best per row, ordered by (score descending, index ascending)."""
    best = np.empty((len(masked), width), dtype=np.intp)
    for i, row in enumerate(masked):
        best[i] = _stable_best_of_row(row, width)
    return best


def _stable_best_of_row(row: FloatArray, width: int) -> NDArray[np.intp]:
    """See :func:`stable_best`. Everything at or above an edge is looked at, never an arbitrary
    choice among equals, so equal scores go to the smaller index on every machine.

    The edge is the ``width``-th largest of the maxima of short blocks: as many films reach it, so
    no film of the answer is below. It is found in a tenth of the time that the exact one takes.
    """
    n_blocks = len(row) // EDGE_BLOCK
    if n_blocks > width:
        tops = row[: n_blocks * EDGE_BLOCK].reshape(n_blocks, EDGE_BLOCK).max(axis=1)
        near = np.flatnonzero(row >= np.partition(tops, n_blocks - width)[n_blocks - width])
    elif width < len(row):
        near = np.flatnonzero(row >= np.partition(row, len(row) - width)[len(row) - width])
    else:
        near = np.arange(len(row))
    return near[np.argsort(-row[near], kind="stable")[:width]]


def top_k_products(
    users: FloatArray,
    items: FloatArray,
    k: int,
    *,
    exclude: sparse.csr_matrix | None = None,
) -> ScoredItems:
    """``top_k(users @ items.T, k, exclude=exclude)`` for many people, without the score matrix.

    ``users`` float32[n, d], ``items`` float32[n_items, d]; exact, ties to the smaller index. Scores
    are computed in blocks that stay in a core's cache and merged into a heap per person; films are
    taken by falling vector length, and a block of people stops where the rest are too short to
    reach their lists. Memory beyond the answer: a copy of ``items`` and 1 MiB a core. The first
    call compiles for some seconds (then cached on disk).
    """
    n, n_items = len(users), len(items)
    width = min(k, n_items)
    score = np.full((n, k), -np.inf, dtype=np.float32)
    item_index = np.full((n, k), UNKNOWN_ITEM, dtype=np.int32)
    if not n or not width:
        return ScoredItems(item_index=item_index, score=score)
    from threadpoolctl import threadpool_limits

    from ml.retrieval_kernels import best_products

    length = np.linalg.norm(items, axis=1)
    order = np.argsort(-length, kind="stable").astype(np.int32)
    n_tiles = -(-n_items // TILE_ITEMS)
    padded = np.zeros((n_tiles * TILE_ITEMS, items.shape[1]), dtype=np.float32)
    padded[:n_items] = items[order]
    tiles = padded.reshape(n_tiles, TILE_ITEMS, -1).transpose(0, 2, 1)
    indptr, excluded = _excluded_places(exclude, order, n)
    best_score = np.full((n, width), -np.inf, dtype=np.float32)
    best = np.full((n, width), n_items, dtype=np.int32)  # no film: behind every real one
    with threadpool_limits(1, user_api="blas"):  # the cores already work on blocks of people
        best_products(
            np.ascontiguousarray(users, dtype=np.float32),
            np.ascontiguousarray(tiles),
            order,
            length[order][::TILE_ITEMS].astype(np.float32),
            indptr,
            excluded,
            best_score,
            best,
            BLOCK_USERS,
        )
    score[:, :width] = best_score
    item_index[:, :width] = np.where(best < n_items, best, UNKNOWN_ITEM)
    return ScoredItems(item_index=item_index, score=score)


def top_k_table(
    rows: sparse.csr_matrix,
    table: sparse.csr_matrix,
    k: int,
    *,
    seen: NDArray[np.bool_],
    exclude: sparse.csr_matrix,
) -> ScoredItems:
    """``top_k(rows @ table, k, exclude=exclude)`` for many people and a sparse table.

    ``rows`` csr float32[n, len(table)] are the people's weighted histories, ``table`` csr float32
    [n_rows, n_items]; films that are not ``seen`` and people with an empty row have no answers.
    One person's scores at a time stay in a core's cache; the first call compiles for some seconds.
    """
    from ml.retrieval_kernels import best_of_table

    n, width = rows.shape[0], min(k, table.shape[1])
    score = np.full((n, k), -np.inf, dtype=np.float32)
    item_index = np.full((n, k), UNKNOWN_ITEM, dtype=np.int32)
    best_score = np.full((n, width), -np.inf, dtype=np.float32)
    best = np.full((n, width), table.shape[1], dtype=np.int32)
    best_of_table(
        rows.indptr.astype(np.int64),
        rows.indices.astype(np.int64),
        rows.data.astype(np.float32),
        table.indptr,
        table.indices,
        table.data,
        np.ascontiguousarray(seen),
        exclude.indptr.astype(np.int64),
        exclude.indices.astype(np.int64),
        best_score,
        best,
    )
    score[:, :width] = best_score
    item_index[:, :width] = np.where(best < table.shape[1], best, UNKNOWN_ITEM)
    return ScoredItems(item_index=item_index, score=score)


def _excluded_places(
    exclude: sparse.csr_matrix | None, order: NDArray[np.int32], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The excluded films of each row as ascending places in ``order``."""
    if exclude is None:
        return np.zeros(n + 1, dtype=np.int64), np.empty(0, dtype=np.int64)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    rows = np.repeat(np.arange(n), np.diff(exclude.indptr))
    places = place[exclude.indices]
    return exclude.indptr.astype(np.int64), places[np.lexsort((places, rows))]


def history_mask(histories: Histories, n_items: int) -> sparse.csr_matrix:
    """csr bool [n, n_items] of everything in the histories: the usual ``exclude``."""
    rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    known = histories.item_index >= 0
    ones = np.ones(int(known.sum()), dtype=np.bool_)
    return sparse.csr_matrix(
        (ones, (rows[known], histories.item_index[known])), shape=(len(histories), n_items)
    )
