"""The inner loop of ALS, compiled: conjugate gradients per row, rows in parallel.

Imported only while fitting, so that serving never loads numba.
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


@numba.njit(parallel=True, fastmath=_FAST, cache=True)
def _solve_rows(indptr, indices, data, x, y, gram, penalty, n_steps):  # type: ignore[no-untyped-def]  # numba infers
    n, d = x.shape
    for u in numba.prange(n):
        start, stop = indptr[u], indptr[u + 1]
        if start == stop:
            for f in range(d):
                x[u, f] = 0.0
            continue
        residual = np.zeros(d, dtype=np.float32)
        for s in range(start, stop):
            item = indices[s]
            dot = np.float32(0.0)
            for f in range(d):
                dot += y[item, f] * x[u, f]
            share = data[s] * (np.float32(1.0) - dot)
            for f in range(d):
                residual[f] += share * y[item, f]
        for g in range(d):
            value = x[u, g]
            for f in range(d):
                residual[f] -= gram[g, f] * value
        for f in range(d):
            residual[f] -= penalty[u] * x[u, f]
        direction = residual.copy()
        image = np.empty(d, dtype=np.float32)
        old = np.float32(0.0)
        for f in range(d):
            old += residual[f] * residual[f]
        for _ in range(n_steps):
            if old < 1e-20:
                break
            for f in range(d):
                image[f] = penalty[u] * direction[f]
            for g in range(d):
                value = direction[g]
                for f in range(d):
                    image[f] += gram[g, f] * value
            for s in range(start, stop):
                item = indices[s]
                dot = np.float32(0.0)
                for f in range(d):
                    dot += y[item, f] * direction[f]
                share = data[s] * dot
                for f in range(d):
                    image[f] += share * y[item, f]
            curvature = np.float32(0.0)
            for f in range(d):
                curvature += direction[f] * image[f]
            step = old / curvature
            new = np.float32(0.0)
            for f in range(d):
                x[u, f] += step * direction[f]
                residual[f] -= step * image[f]
                new += residual[f] * residual[f]
            ratio = new / old
            for f in range(d):
                direction[f] = residual[f] + ratio * direction[f]
            old = new
