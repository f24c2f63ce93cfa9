"""The compiled inner steps of Bayesian matrix factorisation: draws of factor rows."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import ThreadpoolController

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings grouped by row (people, or films), and where each entry lies in the source order."""

    indptr: NDArray[np.int64]
    column: NDArray[np.int32]
    source: NDArray[np.int64]

    @classmethod
    def grouped(cls, row: NDArray[np.integer], column: NDArray[np.integer], n_rows: int) -> Ratings:
        order = np.argsort(row, kind="stable")
        counts = np.bincount(row, minlength=n_rows)
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        return cls(indptr, column[order].astype(np.int32), order.astype(np.int64))


@njit(parallel=True, cache=True)
def draw_rows(
    indptr: NDArray[np.int64],
    column: NDArray[np.int32],
    target: NDArray[np.float32],
    weight: NDArray[np.float32],
    design: NDArray[np.float32],
    prior_precision: Array,
    prior_mean: Array,
    noise: Array,
) -> Array:
    """One draw of every row's factors given the other side: float64[n_rows, d].

    Row i ~ N(A^-1 b, A^-1), A = Lambda + sum w x x', b = Lambda m_i + sum w y x, over its ratings
    (``target`` y, ``weight`` w = noise precision, x = ``design[column]``). ``noise`` holds the
    standard normals, drawn outside, so that the result doesn't depend on threads; zeros give the
    conditional mean.
    """
    n_rows, d = prior_mean.shape
    out = np.empty((n_rows, d))
    for i in prange(n_rows):
        start, stop = indptr[i], indptr[i + 1]
        precision = prior_precision.copy()
        shift = np.zeros(d)
        for a in range(d):
            for c in range(d):
                shift[a] += prior_precision[a, c] * prior_mean[i, c]
        if stop > start:
            x = np.empty((stop - start, d), dtype=np.float32)
            y = np.empty(stop - start, dtype=np.float32)
            for j in range(start, stop):
                root = np.sqrt(weight[j])
                y[j - start] = target[j] * root
                for a in range(d):
                    x[j - start, a] = design[column[j], a] * root
            gram = np.dot(x.T, x)
            pull = np.dot(x.T, y)
            for a in range(d):
                shift[a] += pull[a]
                for c in range(d):
                    precision[a, c] += gram[a, c]
        lower = _cholesky(precision)
        # Solve L L' mean = shift and L' z = noise in one backward pass.
        half = np.empty(d)
        for a in range(d):
            total = shift[a]
            for c in range(a):
                total -= lower[a, c] * half[c]
            half[a] = total / lower[a, a]
        for a in range(d - 1, -1, -1):
            total = half[a] + noise[i, a]
            for c in range(a + 1, d):
                total -= lower[c, a] * out[i, c]
            out[i, a] = total / lower[a, a]
    return out


@njit(cache=True)
def _cholesky(matrix: Array) -> Array:
    """Lower Cholesky factor; faster than LAPACK's call at these sizes (d <= 64)."""
    d = matrix.shape[0]
    lower = np.zeros((d, d))
    for a in range(d):
        for c in range(a + 1):
            total = matrix[a, c]
            for j in range(c):
                total -= lower[a, j] * lower[c, j]
            lower[a, c] = np.sqrt(total) if a == c else total / lower[c, c]
    return lower


@njit(parallel=True, cache=True)
def dots(
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    left: NDArray[np.float32],
    right: NDArray[np.float32],
) -> NDArray[np.float32]:
    """float32[n]: ``left[rows[i]] . right[columns[i]]``."""
    out = np.empty(len(rows), dtype=np.float32)
    for i in prange(len(rows)):
        total = np.float32(0.0)
        for a in range(left.shape[1]):
            total += left[rows[i], a] * right[columns[i], a]
        out[i] = total
    return out


def wishart(rng: np.random.Generator, dof: float, scale_inverse: Array) -> Array:
    """A draw from Wishart(dof, scale) by Bartlett's decomposition, given the scale's inverse."""
    d = len(scale_inverse)
    lower = np.linalg.cholesky(np.linalg.inv(scale_inverse))
    bartlett = np.tril(rng.standard_normal((d, d)), -1)
    bartlett[np.diag_indices(d)] = np.sqrt(rng.chisquare(dof - np.arange(d)))
    root = lower @ bartlett
    return root @ root.T


def spectrum(features: sparse.csr_matrix, rank: int, seed: int) -> tuple[Array, Array, Array]:
    """Truncated SVD of ``features`` [n, f]: (left [n, r], singular values [r], right [f, r])."""
    from sklearn.utils.extmath import randomized_svd

    rank = min(rank, min(features.shape) - 1)
    left, values, right = randomized_svd(features, rank, n_iter=4, random_state=seed)
    keep = values > 1e-6 * values[0]
    return left[:, keep], values[keep], right[keep].T


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager:
    """Around the parallel kernels: their threads each call BLAS on small matrices."""
    return _thread_pools().limit(limits=1, user_api="blas")
