"""EASE and EDLAE: item-to-item weights in closed form."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from ml.data import Weighting, to_csr
from ml.models.item_to_item import ItemToItem, keep_largest
from ml.types import Interactions, ItemFeatures


class Ease(ItemToItem):
    """Linear autoencoder with zero diagonal: ``B = I - P diag(1 / diag(P))``.

    ``P = (G + diag(l2 + p / (1 - p) diag(G)))^-1`` with ``G = X'X``. ``dropout`` p = 0 is EASE
    (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", 2019); p > 0 is EDLAE (Steck,
    "Autoencoders that don't overfit towards the Identity", 2020), whose penalty equals training
    with dropout p. ``min_rating``, ``alpha``, ``half_life_days`` weigh the events
    (:class:`ml.data.Weighting`); ``decay`` and ``floor`` weigh the history at prediction. With
    ``n_kept`` only that many weights a row stay, and the table is sparse.

    ``reach`` counts a pair of films that one person rated d places apart as ``exp(-d / reach)``
    instead of 1 in G: what is rated together in one sitting says more of each other than what lies
    years apart. That kernel is positive definite, hence so is G (Schur's product theorem), and
    all else stays as it is; the score is linear in the history as before. None: all pairs alike.

    Memory: 4 n_items^2 bytes, twice for a moment; time n_items^3 / 3 for the factor.
    """

    name = "ease"

    def __init__(
        self,
        *,
        l2: float = 500.0,
        dropout: float = 0.0,
        min_rating: float = 0.0,
        alpha: float = 0.0,
        half_life_days: float | None = None,
        n_kept: int | None = None,
        decay: float = 1.0,
        floor: float = 0.0,
        reach: float | None = None,
    ) -> None:
        if l2 <= 0 or not 0 <= dropout < 1:
            raise ValueError("l2 must be positive and dropout in [0, 1)")
        if reach is not None and reach <= 0:
            raise ValueError("reach must be positive (or None: all pairs count alike)")
        super().__init__(decay=decay, floor=floor)
        self.l2 = l2
        self.dropout = dropout
        self.min_rating = min_rating
        self.alpha = alpha
        self.half_life_days = half_life_days
        self.n_kept = n_kept
        self.reach = reach

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        weighting = Weighting(
            min_rating=self.min_rating, alpha=self.alpha, half_life_days=self.half_life_days
        )
        matrix = to_csr(interactions, weighting)
        diagonal = np.asarray(matrix.multiply(matrix).sum(axis=0), dtype=np.float64).ravel()
        penalty = (self.l2 + self.dropout / (1.0 - self.dropout) * diagonal).astype(np.float32)
        self.n_items = interactions.n_items
        self.seen = diagonal > 0
        # Films without events have zero rows and columns; leaving them out changes nothing else.
        seen = np.flatnonzero(self.seen)
        if self.reach is None:
            people = np.flatnonzero(np.diff(matrix.indptr))
            weights = _fitted(matrix[people][:, seen], penalty[seen])
        else:
            gram = near_gram(interactions, weighting, self.reach)[np.ix_(seen, seen)]
            gram[np.diag_indices_from(gram)] += penalty[seen]
            weights = ease_weights(gram)
        if len(seen) < self.n_items:
            full = np.zeros((self.n_items, self.n_items), dtype=np.float32)
            full[np.ix_(seen, seen)] = weights
            weights = full
        self.table = weights if self.n_kept is None else keep_largest(weights, self.n_kept)
        return self

    def params(self) -> dict[str, Any]:
        return {
            "l2": self.l2,
            "dropout": self.dropout,
            "min_rating": self.min_rating,
            "alpha": self.alpha,
            "half_life_days": self.half_life_days,
            "n_kept": self.n_kept,
            "reach": self.reach,
            **self.history_params(),
        }


class Edlae(Ease):
    """:class:`Ease` with the penalty of dropout 0.5, its authors' recommendation for dense data."""

    name = "edlae"

    def __init__(self, *, l2: float = 200.0, dropout: float = 0.5, **settings: Any) -> None:
        super().__init__(l2=l2, dropout=dropout, **settings)


def _fitted(matrix: sparse.csr_matrix, penalty: NDArray[np.float32]) -> NDArray[np.float32]:
    """EASE's ``B`` for the given diagonal, by the cheaper of two exact routes."""
    if 2 * matrix.shape[0] < matrix.shape[1]:
        return weights_by_people(matrix, penalty)
    gram = gram_matrix(matrix)
    gram[np.diag_indices_from(gram)] += penalty
    return ease_weights(gram)


def weights_by_people(
    matrix: sparse.csr_matrix, penalty: NDArray[np.float32]
) -> NDArray[np.float32]:
    """EASE's ``B`` by Woodbury's identity: fewer people than films make a smaller system.

    ``P = D^-1 - D^-1 X' (I + X D^-1 X')^-1 X D^-1`` with D the penalty: time n_items^2 n_people.
    """
    dense = matrix.toarray()
    scaled = dense / penalty[None, :]
    inner = scaled @ dense.T
    inner[np.diag_indices_from(inner)] += 1.0
    factor = linalg.cholesky(inner, lower=True, overwrite_a=True, check_finite=False)
    half = linalg.solve_triangular(
        factor, scaled, lower=True, overwrite_b=True, check_finite=False
    ).astype(np.float32, copy=False)
    weights = half.T @ half
    own = 1.0 / penalty - weights.diagonal()  # diag(P); elsewhere P = -half'half
    weights /= own.astype(np.float32)[None, :]
    weights[np.diag_indices_from(weights)] = 0.0
    return weights


def gram_matrix(matrix: sparse.csr_matrix) -> NDArray[np.float32]:
    """``X'X`` dense float32 [n_items, n_items]; sums stay exact up to 2^24 events of weight 1."""
    if matrix.shape[0] * matrix.shape[1] <= 50_000_000:
        dense = matrix.toarray()  # BLAS is ten times faster than the sparse product at this size
        return dense.T @ dense
    from ml.models.item_to_item_kernels import add_gram

    transposed = matrix.T.tocsr()
    gram = np.zeros((matrix.shape[1], matrix.shape[1]), dtype=np.float32)
    add_gram(
        *(transposed.indptr, transposed.indices, transposed.data.astype(np.float32, copy=False)),
        *(matrix.indptr, matrix.indices, matrix.data.astype(np.float32, copy=False)),
        gram,
    )
    return gram


def near_gram(
    interactions: Interactions, weighting: Weighting, reach: float
) -> NDArray[np.float32]:
    """``G`` dense float32 [n_items, n_items] with pairs d places apart counted ``exp(-d / reach)``.

    Time: ``16 reach`` steps per event at most.
    """
    from ml.models.near_kernels import add_near_pairs

    weight = weighting.weights(interactions)
    order = np.lexsort((interactions.timestamp, interactions.user_index))
    order = order[weight[order] != 0]
    counts = np.bincount(interactions.user_index[order], minlength=interactions.n_users)
    gram = np.zeros((interactions.n_items, interactions.n_items), dtype=np.float32)
    add_near_pairs(
        np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
        interactions.item_index[order],
        weight[order],
        reach,
        gram,
    )
    return gram


def ease_weights(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """EASE's ``B`` from the regularised ``gram``, which is overwritten.

    Cholesky and inverse in place (LAPACK potrf, potri): one matrix of memory instead of three.
    """
    n = len(gram)
    if not n:
        return gram
    factor, failed = linalg.lapack.spotrf(gram.T, lower=1, overwrite_a=1, clean=1)
    if failed:
        raise ValueError("the regularised Gram matrix is not positive definite: raise l2")
    inverse, failed = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise ValueError("the regularised Gram matrix cannot be inverted: raise l2")
    weights = _mirrored(inverse)
    weights /= -weights.diagonal().copy()[None, :]
    weights[np.diag_indices(n)] = 0.0
    return weights


def _mirrored(lower: NDArray[np.float32]) -> NDArray[np.float32]:
    """The full symmetric matrix (C order) of LAPACK's lower triangle, block by block in place."""
    full = lower.T  # Fortran order in, C order out: the triangle is now the upper one
    block = 1024
    for start in range(0, len(full), block):
        stop = min(start + block, len(full))
        square = full[start:stop, start:stop]
        square[:] = np.triu(square) + np.triu(square, 1).T
        full[stop:, start:stop] = full[start:stop, stop:].T
    return full
