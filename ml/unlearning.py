"""Taking a person, or one rating, out of a fitted linear model, exactly.

EASE (Steck 2019) and EDLAE (Steck 2020) are functions of ``A = X'X + L`` with the diagonal
``L_ii = lambda + c (X'X)_ii`` (``c = p / (1 - p)`` for EDLAE's dropout ``p``, 0 for EASE):

    P = A^-1,   B = I - P diag(1 / diag P)

Removing rows R of X changes A only on the films S that those people rated:

    A' = A - E_S M E_S',   M = R_S' R_S + c diag(R_S' R_S)
    P' = P + P_S (I - M P_SS)^-1 M P_S'                        (Woodbury)

which costs |S|^3 + n^2 |S| instead of n^3, and equals a refit without them up to rounding: give
float64 for 1e-9, float32 for 1e-4. Removing one rating (user u, film j) changes A on the two
directions e_j and x' (the rest of u's row), so the score that film would have had is a 2 x 2
problem; no refit, no new matrix.

Item-item cosine keeps ``G = X'X`` and is recomputed on the rows and columns of S.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import solve

Floats = NDArray[np.floating]

SINGULAR = 1e-12


def gram_without(gram: Floats, removed: sparse.csr_matrix) -> Floats:
    """``X'X`` [n, n] without the rows ``removed`` csr [m, n]: a new matrix, exact for integers."""
    films, change = _change(removed, dropout_ratio=0.0)
    left = gram.copy()
    left[np.ix_(films, films)] -= change.astype(gram.dtype)
    return left


def inverse_without(
    inverse: Floats, removed: sparse.csr_matrix, *, dropout_ratio: float = 0.0
) -> Floats:
    """``P'`` from ``P`` [n, n] and the people's rows ``removed`` csr [m, n], as they were fitted.

    ``dropout_ratio`` is ``c = p / (1 - p)`` (0 for EASE). Raises ValueError where the rows can't
    have been part of the fit (the rest would not be positive definite).
    """
    films, change = _change(removed, dropout_ratio=dropout_ratio)
    columns = inverse[:, films].astype(np.float64)
    kernel = np.eye(len(films)) - change @ columns[films]
    # det(I - M P_SS) = det A' / det A: not positive means that A' isn't positive definite.
    sign, logdet = np.linalg.slogdet(kernel)
    if sign <= 0 or logdet < np.log(SINGULAR) * max(1, len(films)):
        raise ValueError("these rows were not part of the fit: nothing can be removed exactly")
    inner = solve(kernel, change)
    # Symmetric by construction; averaging removes the rounding that solve() leaves.
    inner = (inner + inner.T) / 2
    return (inverse + columns @ inner @ columns.T).astype(inverse.dtype)


def weights_from_inverse(inverse: Floats) -> Floats:
    """EASE's item-item table ``B`` [n, n], zero diagonal, from ``P``."""
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


def inverse_from_weights(weights: Floats, diagonal: Floats) -> Floats:
    """``P`` from the served table ``B`` [n, n] and ``diag P`` [n]: P = (I - B) diag(diag P).

    So a model that keeps one vector beside its table can be downdated without its training data.
    """
    inverse = -weights * diagonal
    np.fill_diagonal(inverse, diagonal)
    return inverse


def diagonal_from_gram(weights: Floats, penalised_gram: Floats) -> NDArray[np.float64]:
    """``diag P`` [n] of a table ``B`` that was kept without it, from ``A = X'X + L`` [n, n].

    From A P = I and P = (I - B) diag(diag P): 1 / P_jj = A_jj - sum_i A_ji B_ij. No inverse.
    """
    gram = np.asarray(penalised_gram, dtype=np.float64)
    return 1.0 / (np.diag(gram) - np.einsum("ji,ij->j", gram, weights))


def ease_without(
    weights: Floats, diagonal: Floats, removed: sparse.csr_matrix, *, dropout_ratio: float = 0.0
) -> tuple[Floats, Floats]:
    """EASE's or EDLAE's table and ``diag P`` as a refit without the people would give them."""
    inverse = inverse_from_weights(weights, diagonal)
    inverse = inverse_without(inverse, removed, dropout_ratio=dropout_ratio)
    return weights_from_inverse(inverse), np.diag(inverse).copy()


def leave_one_out_scores(
    inverse: Floats, items: NDArray[np.integer], values: Floats
) -> NDArray[np.float64]:
    """What EASE would say of each film a person rated, had that one rating never existed.

    ``items`` int[m] and ``values`` [m] are the person's row of X as it was fitted; returns
    float64[m]: entry i is the score of ``items[i]`` from the other m - 1 in the model refitted
    without rating i. With U = [e_j, x'] and Q = U'PU the refit has Q' = (Q^-1 - C)^-1, where
    C = [[(1 + c) v^2, v], [v, 0]]; its score -Q'_01 / Q'_00 comes to

        x'B_j - v (x'Px' - (x'P_j)^2 / P_jj)

    in which ``c`` cancels: the same formula serves EASE and EDLAE.
    """
    values = np.asarray(values, dtype=np.float64)
    block = inverse[np.ix_(items, items)].astype(np.float64)
    own = np.diag(block)
    with_all = block @ values
    cross = with_all - own * values  # x' P e_j
    rest = values @ with_all - 2 * values * with_all + values**2 * own  # x' P x'
    return -cross / own - values * (rest - cross**2 / own)


def _change(
    removed: sparse.csr_matrix, *, dropout_ratio: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The films S int[s] that the rows touch, and M float64[s, s]."""
    rows = sparse.csc_matrix(removed, dtype=np.float64)
    films = np.flatnonzero(np.diff(rows.indptr))
    block = np.asarray(rows[:, films].todense())
    change = block.T @ block
    return films, change + dropout_ratio * np.diag(np.diag(change))


# --- item-item cosine ------------------------------------------------------------------------


def cosine_from_gram(gram: Floats, *, shrinkage: float = 0.0) -> Floats:
    """Item-item cosine [n, n] with zero diagonal: G_ij / (sqrt(G_ii G_jj) + shrinkage)."""
    table = _cosine_rows(gram, np.arange(len(gram)), shrinkage)
    np.fill_diagonal(table, 0.0)
    return table


def cosine_without(
    table: Floats, gram: Floats, removed: sparse.csr_matrix, *, shrinkage: float = 0.0
) -> tuple[Floats, Floats]:
    """The cosine table and ``G`` without the rows ``removed``; redoes the touched films only."""
    left = gram_without(gram, removed)
    films = np.unique(removed.indices)
    rows = _cosine_rows(left, films, shrinkage)
    rows[np.arange(len(films)), films] = 0.0
    table = table.copy()
    table[films] = rows
    table[:, films] = rows.T
    return table, left


def _cosine_rows(gram: Floats, films: NDArray[np.integer], shrinkage: float) -> Floats:
    norm = np.sqrt(np.maximum(np.diag(gram), 0.0))
    below = norm[films, None] * norm[None, :] + shrinkage
    return np.divide(gram[films], below, out=np.zeros_like(gram[films]), where=below > 0)


def cosine_leave_one_out_scores(
    gram: Floats, items: NDArray[np.integer], values: Floats, *, shrinkage: float = 0.0
) -> NDArray[np.float64]:
    """Like :func:`leave_one_out_scores` for the cosine table: float64[m].

    Without rating j of value v_j: G_ij falls by v_i v_j and G_jj by v_j^2, nothing else changes.
    """
    values = np.asarray(values, dtype=np.float64)
    block = gram[np.ix_(items, items)].astype(np.float64) - np.outer(values, values)
    norm = np.sqrt(np.diag(gram)[items].astype(np.float64))
    norm_without = np.sqrt(np.maximum(np.diag(block), 0.0))
    below = norm[:, None] * norm_without[None, :] + shrinkage
    cosine = np.divide(block, below, out=np.zeros_like(block), where=below > SINGULAR)
    np.fill_diagonal(cosine, 0.0)
    return values @ cosine
