"""The compiled inner steps of Bayesian matrix factorisation: draws of factor rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]
SERIAL_RATINGS = 20_000  # below this, waking threads costs more than they save


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


@njit(cache=True)
def _draw_row(
    column: NDArray[np.int32],
    target: NDArray[np.float32],
    weight: NDArray[np.float32],
    design: NDArray[np.float32],
    prior_precision: Array,
    prior_mean: Array,
    noise: Array,
) -> Array:
    """One row of :func:`draw_rows`, from its own ratings."""
    d = len(prior_mean)
    precision = prior_precision.copy()
    shift = np.zeros(d)
    for a in range(d):
        for c in range(d):
            shift[a] += prior_precision[a, c] * prior_mean[c]
    if len(column) > 0:
        x = np.empty((len(column), d), dtype=np.float32)
        y = np.empty(len(column), dtype=np.float32)
        for j in range(len(column)):
            root = np.sqrt(weight[j])
            y[j] = target[j] * root
            for a in range(d):
                x[j, a] = design[column[j], a] * root
        gram = np.dot(x.T, x)
        pull = np.dot(x.T, y)
        for a in range(d):
            shift[a] += pull[a]
            for c in range(d):
                precision[a, c] += gram[a, c]
    return _draw(precision, shift, noise)


# Two functions, not one compiled twice: numba's cache would mix the two up.
@njit(parallel=True, cache=True)
def _draw_many(  # type: ignore[no-untyped-def]
    indptr, column, target, weight, design, prior_precision, prior_mean, noise
):
    out = np.empty(prior_mean.shape)
    for i in prange(len(out)):
        own = slice(indptr[i], indptr[i + 1])
        out[i] = _draw_row(
            column[own], target[own], weight[own], design, prior_precision, prior_mean[i], noise[i]
        )
    return out


@njit(cache=True)
def _draw_few(  # type: ignore[no-untyped-def]
    indptr, column, target, weight, design, prior_precision, prior_mean, noise
):
    out = np.empty(prior_mean.shape)
    for i in range(len(out)):
        own = slice(indptr[i], indptr[i + 1])
        out[i] = _draw_row(
            column[own], target[own], weight[own], design, prior_precision, prior_mean[i], noise[i]
        )
    return out


@njit(cache=True)
def _draw(precision: Array, shift: Array, noise: Array) -> Array:
    """A draw from N(A^-1 b, A^-1) for A = ``precision``, b = ``shift``: L L' m = b, L' z = noise,
    both solved in one backward pass."""
    d = len(shift)
    lower = _cholesky(precision)
    half, out = np.empty(d), np.empty(d)
    for a in range(d):
        total = shift[a]
        for c in range(a):
            total -= lower[a, c] * half[c]
        half[a] = total / lower[a, a]
    for a in range(d - 1, -1, -1):
        total = half[a] + noise[a]
        for c in range(a + 1, d):
            total -= lower[c, a] * out[c]
        out[a] = total / lower[a, a]
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
def _dots_many(rows, columns, left, right):  # type: ignore[no-untyped-def]
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
    """Truncated SVD of ``features`` [n, f]: (left [n, r], singular values [r], right [f, r]).

    ``rank`` 0 gives empty factors: no side information.
    """
    if rank < 1:
        return np.zeros((features.shape[0], 0)), np.zeros(0), np.zeros((features.shape[1], 0))
    from sklearn.utils.extmath import randomized_svd

    rank = min(rank, min(features.shape) - 1)
    left, values, right = randomized_svd(features, rank, n_iter=4, random_state=seed)
    keep = values > 1e-6 * values[0]
    return left[:, keep], values[keep], right[keep].T


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
    kernel = _draw_many if len(column) > SERIAL_RATINGS else _draw_few
    return kernel(indptr, column, target, weight, design, prior_precision, prior_mean, noise)


def dots(
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    left: NDArray[np.float32],
    right: NDArray[np.float32],
) -> NDArray[np.float32]:
    """float32[n]: ``left[rows[i]] . right[columns[i]]``."""
    if len(rows) <= SERIAL_RATINGS:
        return np.einsum("nd,nd->n", left[rows], right[columns])
    return _dots_many(rows, columns, left, right)
