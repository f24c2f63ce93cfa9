"""Measures of rankings and of predicted stars: one name, one formula.

Ranking measures take ``item_index`` int[n, K] (best first, ``-1`` an empty place) and ``truth``
csr bool [n, n_items], and return float64[n], one value per row. A row without anything to find
gets nan. ``k`` may exceed K: the missing places are misses.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.types import BoolArray, FloatArray, IntArray

PerRow = NDArray[np.float64]


def hits(item_index: IntArray, truth: sparse.csr_matrix) -> BoolArray:
    """bool[n, K]: whether each recommended film is one to be found. Repeats count once."""
    n, n_items = truth.shape
    known = (item_index >= 0) & (item_index < n_items)
    rows = np.broadcast_to(np.arange(n)[:, None], item_index.shape)
    keys = rows * np.int64(n_items) + np.where(known, item_index, 0)
    wanted = np.repeat(np.arange(n), np.diff(truth.indptr)) * np.int64(n_items) + truth.indices
    found = np.isin(keys, wanted) & known
    if item_index.size:
        unique_at = np.unique(np.where(found, keys, -1), return_index=True)[1]
        first = np.zeros(item_index.size, dtype=np.bool_)
        first[unique_at] = True
        found &= first.reshape(item_index.shape)
    return found


def _relevant(truth: sparse.csr_matrix) -> PerRow:
    return np.diff(truth.indptr).astype(np.float64)


def _ratio(numerator: PerRow, denominator: PerRow) -> PerRow:
    out = np.full(len(numerator), np.nan)
    return np.divide(numerator, denominator, out=out, where=denominator > 0)


def recall_at_k(item_index: IntArray, truth: sparse.csr_matrix, k: int) -> PerRow:
    """Found in the first k / all to be found."""
    return _ratio(hits(item_index[:, :k], truth).sum(axis=1).astype(float), _relevant(truth))


def capped_recall_at_k(item_index: IntArray, truth: sparse.csr_matrix, k: int) -> PerRow:
    """Found in the first k / min(k, all to be found): the VAE papers' "Recall@k"."""
    found = hits(item_index[:, :k], truth).sum(axis=1).astype(float)
    return _ratio(found, np.minimum(_relevant(truth), k))


def precision_at_k(item_index: IntArray, truth: sparse.csr_matrix, k: int) -> PerRow:
    """Found in the first k / k."""
    found = hits(item_index[:, :k], truth).sum(axis=1).astype(float)
    return np.where(_relevant(truth) > 0, found / k, np.nan)


def hit_at_k(item_index: IntArray, truth: sparse.csr_matrix, k: int) -> PerRow:
    """1 where anything was found in the first k, else 0."""
    found = hits(item_index[:, :k], truth).any(axis=1).astype(float)
    return np.where(_relevant(truth) > 0, found, np.nan)


def ndcg_at_k(item_index: IntArray, truth: sparse.csr_matrix, k: int) -> PerRow:
    """Sum of 1 / log2(place + 1) over the found / its value for the best possible first k."""
    gain = 1.0 / np.log2(np.arange(2, k + 2))
    found = hits(item_index[:, :k], truth)
    best = np.concatenate([[0.0], np.cumsum(gain)])
    ideal = best[np.minimum(_relevant(truth), k).astype(np.int64)]
    return _ratio(found @ gain[: found.shape[1]], ideal)


def map_at_k(item_index: IntArray, truth: sparse.csr_matrix, k: int) -> PerRow:
    """Average precision in the first k: sum of precision at each found place / all to be found."""
    found = hits(item_index[:, :k], truth)
    precision = np.cumsum(found, axis=1) / np.arange(1, found.shape[1] + 1)
    return _ratio((precision * found).sum(axis=1), _relevant(truth))


def mrr(item_index: IntArray, truth: sparse.csr_matrix) -> PerRow:
    """1 / place of the first found, 0 where none was found in the whole list."""
    found = hits(item_index, truth)
    any_found = found.any(axis=1)
    place = found.argmax(axis=1) + 1.0 if found.shape[1] else np.ones(len(found))
    return np.where(_relevant(truth) > 0, np.where(any_found, 1.0 / place, 0.0), np.nan)


def coverage(item_index: IntArray, n_items: int) -> float:
    """Share of the catalogue that appears in at least one list."""
    shown = np.unique(item_index[item_index >= 0])
    return len(shown) / n_items if n_items else 0.0


def gini(exposure: NDArray[np.number]) -> float:
    """Inequality of ``exposure`` [n_items], how often each film was shown: 0 all alike, 1 one only.

    Gini coefficient of the Lorenz curve, films never shown included; nan where nothing was shown.
    """
    counts = np.sort(np.asarray(exposure, dtype=np.float64))
    n, total = len(counts), counts.sum()
    if not total:
        return float("nan")
    return float((2 * np.arange(1, n + 1) - n - 1) @ counts / (n * total))


def novelty(item_index: IntArray, popularity: NDArray[np.number], n_users: int) -> PerRow:
    """Mean self-information in bits of the recommended: -log2((users who know it + 1) / (n + 1)).

    ``popularity`` [n_items]: number of people who know each film. Zhou et al. (2010), with one
    added to both so that unseen films stay finite. nan for an empty list.
    """
    bits = -np.log2((np.asarray(popularity, dtype=np.float64) + 1.0) / (n_users + 1.0))
    known = item_index >= 0
    total = np.where(known, bits[np.where(known, item_index, 0)], 0.0).sum(axis=1)
    return _ratio(total, known.sum(axis=1).astype(float))


def intra_list_diversity(item_index: IntArray, features: FloatArray) -> PerRow:
    """Mean cosine distance over the pairs of a list; ``features`` [n_items, d].

    0 all alike, 1 nothing in common. nan for lists of fewer than two films. Films without features
    (zero rows) are at distance 1 from everything.
    """
    norm = np.linalg.norm(features, axis=1, keepdims=True)
    unit = np.divide(features, norm, out=np.zeros_like(features), where=norm > 0)
    known = item_index >= 0
    vectors = unit[np.where(known, item_index, 0)] * known[:, :, None]
    total = vectors.sum(axis=1)
    same = (vectors**2).sum(axis=(1, 2))
    count = known.sum(axis=1).astype(float)
    similarity = _ratio((total**2).sum(axis=1) - same, count * (count - 1))
    return 1.0 - similarity


def rmse(predicted: FloatArray, actual: FloatArray) -> float:
    """Root of the mean squared error, in stars; nan for nothing."""
    error = np.asarray(predicted, dtype=np.float64) - actual
    return float(np.sqrt(np.mean(error**2))) if len(error) else float("nan")


def mae(predicted: FloatArray, actual: FloatArray) -> float:
    """Mean absolute error, in stars; nan for nothing."""
    error = np.asarray(predicted, dtype=np.float64) - actual
    return float(np.mean(np.abs(error))) if len(error) else float("nan")


def calibration_error(probability: FloatArray, outcome: BoolArray, *, n_bins: int = 10) -> float:
    """Expected calibration error: mean over equal-width bins of |mean probability - share true|.

    Bins weigh by their number of predictions. Guo et al., "On Calibration of Modern Neural
    Networks" (2017).
    """
    p = np.asarray(probability, dtype=np.float64)
    if not len(p):
        return float("nan")
    which = np.clip((p * n_bins).astype(np.int64), 0, n_bins - 1)
    promised = np.bincount(which, weights=p, minlength=n_bins)
    came = np.bincount(which, weights=np.asarray(outcome, dtype=np.float64), minlength=n_bins)
    return float(np.abs(promised - came).sum() / len(p))


def interval_coverage(low: FloatArray, high: FloatArray, actual: FloatArray) -> float:
    """Share of the actual values inside [low, high]; nan for nothing."""
    inside = (np.asarray(actual) >= low) & (np.asarray(actual) <= high)
    return float(inside.mean()) if len(inside) else float("nan")
