"""Exact top-k over dense scores, with masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.types import UNKNOWN_ITEM, FloatArray, Histories, ScoredItems


def top_k(scores: FloatArray, k: int, *, exclude: sparse.csr_matrix | None = None) -> ScoredItems:
    """The ``k`` best columns of each row of ``scores`` float32[n, n_items]; best first.

    ``exclude`` (csr [n, n_items], any stored entry counts) and non-finite scores never appear:
    missing places are ``-1`` with ``-inf``. Ties go to the smaller index, so results are stable.
    """
    n, n_items = scores.shape
    masked = np.where(np.isfinite(scores), scores, -np.inf).astype(np.float32, copy=True)
    if exclude is not None:
        rows = np.repeat(np.arange(n), np.diff(exclude.indptr))
        masked[rows, exclude.indices] = -np.inf
    width = min(k, n_items)
    item_index = np.full((n, k), UNKNOWN_ITEM, dtype=np.int32)
    score = np.full((n, k), -np.inf, dtype=np.float32)
    if width:
        best = _stable_best(masked, width)
        best_score = np.take_along_axis(masked, best, axis=1)
        item_index[:, :width] = np.where(np.isfinite(best_score), best, UNKNOWN_ITEM)
        score[:, :width] = best_score
    return ScoredItems(item_index=item_index, score=score)


def _stable_best(masked: FloatArray, width: int) -> NDArray[np.intp]:
    """Positions of the ``width`` best per row, ordered by (score descending, index ascending)."""
    n, n_items = masked.shape
    if width < n_items:
        # argpartition alone breaks ties at the edge arbitrarily; everything at or above the edge's
        # score is looked at, so equal scores go to the smaller index on every machine.
        edge = np.partition(masked, n_items - width, axis=1)[:, n_items - width]
    else:
        edge = np.full(n, -np.inf, dtype=np.float32)
    best = np.empty((n, width), dtype=np.intp)
    for i in range(n):
        near = np.flatnonzero(masked[i] >= edge[i])
        best[i] = near[np.argsort(-masked[i, near], kind="stable")[:width]]
    return best


def history_mask(histories: Histories, n_items: int) -> sparse.csr_matrix:
    """csr bool [n, n_items] of everything in the histories: the usual ``exclude``."""
    rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    known = histories.item_index >= 0
    ones = np.ones(int(known.sum()), dtype=np.bool_)
    return sparse.csr_matrix(
        (ones, (rows[known], histories.item_index[known])), shape=(len(histories), n_items)
    )
