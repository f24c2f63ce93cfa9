"""Exact top-k over dense scores, with masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.compiled import RETRIEVAL, kernels
from ml.resources import one_blas_thread
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
    compiled = kernels(RETRIEVAL)
    fill = _fill_best if compiled is None else compiled.best_of_row
    indptr, excluded = _excluded_films(exclude, n)
    for i in range(n if width else 0):
        row = scores[i].astype(np.float32, copy=False)
        gone = excluded[indptr[i] : indptr[i + 1]]
        fill(row, gone, score[i, :width], item_index[i, :width])
    return ScoredItems(item_index=item_index, score=score)


def _fill_best(
    scores: FloatArray,
    excluded: NDArray[np.integer],
    score: FloatArray,
    index: NDArray[np.int32],
) -> None:
    """As ``ml.retrieval_kernels.best_of_row``."""
    masked = scores.copy()
    if not masked.max() < np.inf:  # inf or nan, which a maximum hands on: hardly ever
        masked[~np.isfinite(masked)] = -np.inf
    masked[excluded] = -np.inf
    best = _stable_best_of_row(masked, len(score))
    score[:] = masked[best]
    index[:] = np.where(np.isfinite(score), best, UNKNOWN_ITEM)


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
    from ml.retrieval_kernels import best_products

    length = np.linalg.norm(items, axis=1)
    order = np.argsort(-length, kind="stable").astype(np.int32)
    n_tiles = -(-n_items // TILE_ITEMS)
    padded = np.zeros((n_tiles * TILE_ITEMS, items.shape[1]), dtype=np.float32)
    padded[:n_items] = items[order]
    tiles = padded.reshape(n_tiles, TILE_ITEMS, -1).transpose(0, 2, 1)
    indptr, excluded = _excluded_films(exclude, n)
    with one_blas_thread():  # the cores already work on blocks of people
        best_products(
            np.ascontiguousarray(users, dtype=np.float32),
            np.ascontiguousarray(tiles),
            order,
            length[order][::TILE_ITEMS].astype(np.float32),
            indptr,
            excluded,
            score[:, :width],
            item_index[:, :width],
            BLOCK_USERS,
        )
    return ScoredItems(item_index=item_index, score=score)


@dataclass(frozen=True, slots=True)
class ReadyTable:
    """A sparse table [n_rows, n_items] as the kernel reads it: copied once, for many batches.

    ``columns`` are 16 bits wide where that is enough: a batch waits for memory. ``largest``
    [n_rows] is the greatest absolute entry of each row, ``base`` [n_items] 0, or -inf for films
    that never appear.
    """

    indptr: NDArray[np.int64]
    columns: NDArray[np.unsignedinteger]
    entries: FloatArray
    largest: FloatArray
    base: FloatArray

    @classmethod
    def of(cls, table: sparse.csr_matrix, *, seen: NDArray[np.bool_]) -> ReadyTable:
        """Of csr float32 [n_rows, n_items]; films that are not ``seen`` never appear."""
        width = np.uint16 if table.shape[1] <= np.iinfo(np.uint16).max else np.uint32
        largest = np.zeros(table.shape[0], dtype=np.float32)
        some = np.flatnonzero(np.diff(table.indptr))
        if len(some):
            largest[some] = np.maximum.reduceat(np.abs(table.data), table.indptr[some])
        return cls(
            indptr=table.indptr.astype(np.int64),
            columns=table.indices.astype(width),
            entries=np.array(table.data, dtype=np.float32),
            largest=largest,
            base=np.where(seen, 0.0, -np.inf).astype(np.float32),
        )


def top_k_table(
    histories: Sequence[tuple[float, sparse.csr_matrix]],
    table: ReadyTable,
    k: int,
    *,
    exclude: sparse.csr_matrix,
) -> list[ScoredItems]:
    """``top_k(rows @ table, k, exclude=exclude)`` for many people and a sparse table.

    ``histories`` are one or more (carry, rows), each answered: ``rows`` csr float32[n, n_rows] the
    people's weighted histories, to whose scores ``carry`` times those of the history before are
    added (0 for the first). Films that are not seen and people whose first row is empty have no
    answers. Events too light to change the list beyond rounding are left out. One person's scores
    at a time stay in a core's cache; the first call compiles for some seconds.
    """
    from ml.table_kernels import best_of_table

    carry = np.array([share for share, _ in histories], dtype=np.float32)
    rows = [matrix for _, matrix in histories]
    n, m = rows[0].shape[0], len(rows)
    ends = np.cumsum([0, *(matrix.nnz for matrix in rows)])
    width = min(k, len(table.base))
    score = np.full((m * n, k), -np.inf, dtype=np.float32)
    item_index = np.full((m * n, k), UNKNOWN_ITEM, dtype=np.int32)
    indptr, excluded = _excluded_films(exclude, n)
    if n and width:
        best_of_table(
            np.concatenate(
                [[0], *(r.indptr[1:] + end for r, end in zip(rows, ends, strict=False))]
            ),
            np.concatenate([matrix.indices for matrix in rows]).astype(np.int32),
            np.concatenate([matrix.data for matrix in rows]).astype(np.float32),
            table.indptr,
            table.columns,
            table.entries,
            table.largest,
            table.base,
            carry,
            indptr,
            excluded,
            score[:, :width],
            item_index[:, :width],
        )
    parts = [slice(j * n, (j + 1) * n) for j in range(m)]
    return [ScoredItems(item_index=item_index[part], score=score[part]) for part in parts]


def top_k_of_one(scores: FloatArray, k: int, *, exclude: sparse.csr_matrix) -> ScoredItems:
    """``top_k`` where all rows of ``exclude`` (csr [n, n_items]) share ``scores`` float32[n_items].

    Of one order for all, whoever knows m of the first films needs m more.
    """
    from ml.retrieval_kernels import first_unknown

    order = np.argsort(-scores, kind="stable").astype(np.int32)
    order = order[np.isfinite(scores[order])]
    n = exclude.shape[0]
    item_index = np.full((n, k), UNKNOWN_ITEM, dtype=np.int32)
    first_unknown(order, *_excluded_films(exclude, n), len(scores), item_index)
    score = np.where(item_index >= 0, scores[item_index], np.float32(-np.inf))
    return ScoredItems(item_index=item_index, score=score.astype(np.float32))


def _excluded_films(
    exclude: sparse.csr_matrix | None, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The mask's rows as the kernels read them."""
    if exclude is None:
        return np.zeros(n + 1, dtype=np.int64), np.empty(0, dtype=np.int32)
    return exclude.indptr.astype(np.int64), exclude.indices.astype(np.int32)


def history_mask(histories: Histories, n_items: int) -> sparse.csr_matrix:
    """csr bool [n, n_items] of everything in the histories: the usual ``exclude``."""
    rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    known = histories.item_index >= 0
    ones = np.ones(int(known.sum()), dtype=np.bool_)
    return sparse.csr_matrix(
        (ones, (rows[known], histories.item_index[known])), shape=(len(histories), n_items)
    )
