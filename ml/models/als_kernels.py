"""The inner loop of ALS, compiled: conjugate gradients per row, rows in parallel.

The films (or people) of a row are gathered once, and products run over four of them at a time: each
pass then reads its vector once for four rows. Imported only by fitting and by batches, so that
serving never loads numba.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

# Reassociation lets the compiler vectorise the dot products; infinities and nans stay as they are.
_FAST = {"reassoc", "contract", "nsz", "arcp"}


def half_epoch(
    matrix: sparse.csr_matrix,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    penalty: NDArray[np.float32],
    alpha0: float,
    n_steps: int,
) -> None:
    """Improve ``x`` [n, d] in place towards the least squares solution for fixed ``y`` [m, d].

    Row u solves ``(sum_j c_j y_j y_j' + alpha0 Y'Y + penalty_u I) x = sum_j c_j y_j`` by
    ``n_steps`` conjugate gradient steps from its present value; a row without events becomes 0.
    """
    gram = (np.float32(alpha0) * (y.T @ y)).astype(np.float32)
    indptr, indices = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
    _solve_rows(indptr, indices, matrix.data, x, y, gram, penalty, n_steps)


@numba.njit(fastmath=_FAST, inline="never", cache=True)
def _add_product(matrix, vector, out):  # type: ignore[no-untyped-def]  # numba infers
    """``out += matrix' vector``."""
    n, d = matrix.shape
    g = 0
    while g + 4 <= n:
        v0, v1, v2, v3 = vector[g], vector[g + 1], vector[g + 2], vector[g + 3]
        for f in range(d):
            near = matrix[g, f] * v0 + matrix[g + 1, f] * v1
            out[f] += near + matrix[g + 2, f] * v2 + matrix[g + 3, f] * v3
        g += 4
    while g < n:
        for f in range(d):
            out[f] += vector[g] * matrix[g, f]
        g += 1


@numba.njit(fastmath=_FAST, inline="never", cache=True)
def _add_misses(rows, weight, target, vector, out):  # type: ignore[no-untyped-def]  # numba infers
    """``out += rows' (weight * (target - rows vector))``."""
    n, d = rows.shape
    s = 0
    while s + 4 <= n:
        m0, m1, m2, m3 = target, target, target, target
        for f in range(d):
            v = vector[f]
            m0 -= rows[s, f] * v
            m1 -= rows[s + 1, f] * v
            m2 -= rows[s + 2, f] * v
            m3 -= rows[s + 3, f] * v
        m0, m1 = m0 * weight[s], m1 * weight[s + 1]
        m2, m3 = m2 * weight[s + 2], m3 * weight[s + 3]
        for f in range(d):
            near = rows[s, f] * m0 + rows[s + 1, f] * m1
            out[f] += near + rows[s + 2, f] * m2 + rows[s + 3, f] * m3
        s += 4
    while s < n:
        miss = target
        for f in range(d):
            miss -= rows[s, f] * vector[f]
        miss *= weight[s]
        for f in range(d):
            out[f] += rows[s, f] * miss
        s += 1


@numba.njit(parallel=True, fastmath=_FAST, cache=True)
def _solve_rows(indptr, indices, data, x, y, gram, penalty, n_steps):  # type: ignore[no-untyped-def]  # numba infers
    n, d = x.shape
    zero, one = np.float32(0.0), np.float32(1.0)
    for u in numba.prange(n):
        start, stop = indptr[u], indptr[u + 1]
        if start == stop:
            x[u, :] = zero
            continue
        rows = np.empty((stop - start, d), dtype=np.float32)
        for s in range(start, stop):
            item = indices[s]
            for f in range(d):
                rows[s - start, f] = y[item, f]
        weight = data[start:stop]
        residual = np.zeros(d, dtype=np.float32)
        _add_product(gram, x[u], residual)
        for f in range(d):
            residual[f] = -residual[f] - penalty[u] * x[u, f]
        _add_misses(rows, weight, one, x[u], residual)
        direction = residual.copy()
        image = np.empty(d, dtype=np.float32)
        old = zero
        for f in range(d):
            old += residual[f] * residual[f]
        for _ in range(n_steps):
            if old < 1e-20:
                break
            image[:] = zero
            _add_misses(rows, weight, zero, direction, image)
            for f in range(d):
                image[f] = penalty[u] * direction[f] - image[f]
            _add_product(gram, direction, image)
            curvature = zero
            for f in range(d):
                curvature += direction[f] * image[f]
            step = old / curvature
            new = zero
            for f in range(d):
                x[u, f] += step * direction[f]
                residual[f] -= step * image[f]
                new += residual[f] * residual[f]
            ratio = new / old
            for f in range(d):
                direction[f] = residual[f] + ratio * direction[f]
            old = new


@numba.njit(parallel=True, cache=True)
def fold_in(indptr, items, weight, factors, gram, penalty, out):  # type: ignore[no-untyped-def]  # numba infers
    """Fill ``out`` float32[n, d] with each history's exact fold-in; a row without events stays.

    Row u solves ``(sum_j |w_j| y_j y_j' + gram + penalty_u I) x = sum_j w_j y_j`` over its events
    ``indptr[u]:indptr[u + 1]``: film ``items[j]`` with ``weight[j]``, y a row of ``factors``.
    ``gram`` comes scaled. Solved in double precision, as one person's is.
    """
    d = factors.shape[1]
    for u in numba.prange(len(indptr) - 1):
        start, stop = indptr[u], indptr[u + 1]
        if start == stop:
            continue
        rows = np.empty((stop - start, d), dtype=np.float32)
        weighted = np.empty((stop - start, d), dtype=np.float32)
        target = np.zeros(d, dtype=np.float64)
        for s in range(start, stop):
            own, w = factors[items[s]], weight[s]
            for f in range(d):
                rows[s - start, f] = own[f]
                weighted[s - start, f] = abs(w) * own[f]
                target[f] += np.float64(w) * own[f]
        system = (np.dot(rows.T, weighted) + gram).astype(np.float64)
        for f in range(d):
            system[f, f] += penalty[u]
        _solve_lower(np.linalg.cholesky(system), target)
        out[u] = target.astype(np.float32)


@numba.njit(fastmath=_FAST)
def _solve_lower(lower, x):  # type: ignore[no-untyped-def]  # numba infers
    """``lower lower' x = b`` in place: given b, x is left."""
    d = len(x)
    for i in range(d):
        known = x[i]
        for j in range(i):
            known -= lower[i, j] * x[j]
        x[i] = known / lower[i, i]
    for i in range(d - 1, -1, -1):
        x[i] /= lower[i, i]
        for j in range(i):
            x[j] -= lower[i, j] * x[i]
