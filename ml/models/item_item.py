"""Item-item neighbours: films liked, or rated alike, by the same people."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.data import Weighting, to_csr
from ml.models.ease import gram_matrix
from ml.models.item_to_item import ItemToItem, keep_largest
from ml.types import Interactions, ItemFeatures

KINDS = ("cosine", "pearson")


class ItemItem(ItemToItem):
    """Similarity of films over common raters, the ``n_neighbors`` strongest of each film kept.

    * ``cosine``: ``c_ij / sqrt(c_i c_j)`` on weighted events (:class:`ml.data.Weighting`).
    * ``pearson``: correlation of the stars over the people who rated both, kept where positive.

    Both are multiplied by ``n_ij / (n_ij + shrinkage)``, n_ij the number of common raters, so that
    few witnesses count less (Koren and Bell, "Advances in Collaborative Filtering", 2011). Pairs
    with fewer than ``min_common`` common raters and films with fewer than ``min_votes`` raters are
    left out. Pearson sees every event, since low stars are what it correlates; cosine those of at
    least ``min_rating``. Memory: dense n_items^2 while fitting.
    """

    name = "item_item"

    def __init__(
        self,
        *,
        kind: str = "cosine",
        n_neighbors: int = 100,
        shrinkage: float = 20.0,
        min_common: int = 2,
        min_votes: int = 1,
        min_rating: float = 0.0,
        alpha: float = 0.0,
        half_life_days: float | None = None,
        decay: float = 1.0,
        floor: float = 0.0,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; known: {', '.join(KINDS)}")
        super().__init__(decay=decay, floor=floor)
        self.kind = kind
        self.n_neighbors = n_neighbors
        self.shrinkage = shrinkage
        self.min_common = min_common
        self.min_votes = min_votes
        self.min_rating = min_rating
        self.alpha = alpha
        self.half_life_days = half_life_days

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        if self.kind == "cosine":
            similarity, common = self._cosine(interactions)
        else:
            similarity, common = pearson(interactions)
        votes = common.diagonal().copy()
        similarity *= common / (common + max(self.shrinkage, 1e-9))
        similarity[common < self.min_common] = 0.0
        rare = votes < self.min_votes
        similarity[rare] = 0.0
        similarity[:, rare] = 0.0
        np.fill_diagonal(similarity, 0.0)
        # Neighbours are kept per *target* film (column): its score is then a sum over the films it
        # is closest to, and popular films do not crowd every row.
        kept = keep_largest(np.ascontiguousarray(similarity.T), self.n_neighbors)
        self.table = sparse.csr_matrix(kept.T)
        self.table.sort_indices()
        self.n_items = interactions.n_items
        self.seen = (votes > 0) & ~rare
        return self

    def _cosine(
        self, interactions: Interactions
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        weighting = Weighting(
            min_rating=self.min_rating, alpha=self.alpha, half_life_days=self.half_life_days
        )
        matrix = to_csr(interactions, weighting)
        gram = gram_matrix(matrix)
        binary = matrix.copy()
        binary.data[:] = 1.0
        plain = self.alpha == 0 and self.half_life_days is None
        common = gram.copy() if plain else gram_matrix(binary)
        norm = np.sqrt(gram.diagonal())
        scale = np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0)
        gram *= scale[:, None]
        gram *= scale[None, :]
        return gram, common

    def params(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "n_neighbors": self.n_neighbors,
            "shrinkage": self.shrinkage,
            "min_common": self.min_common,
            "min_votes": self.min_votes,
            "min_rating": self.min_rating,
            "alpha": self.alpha,
            "half_life_days": self.half_life_days,
            **self.history_params(),
        }


def pearson(interactions: Interactions) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Positive correlations over common raters, and the numbers of common raters.

    Both float32 [n_items, n_items]. Stars are centred on each film's mean first, which changes no
    correlation but keeps float32 sums from cancelling.
    """
    shape = (interactions.n_users, interactions.n_items)
    at = (interactions.user_index, interactions.item_index)
    counts = np.bincount(interactions.item_index, minlength=shape[1])
    sums = np.bincount(interactions.item_index, interactions.rating, minlength=shape[1])
    mean = sums / np.maximum(counts, 1)
    centred = (interactions.rating - mean[interactions.item_index]).astype(np.float32)
    ones = np.ones(len(interactions), dtype=np.float32)
    rated = sparse.csr_matrix((ones, at), shape=shape)
    value = sparse.csr_matrix((centred, at), shape=shape)
    square = sparse.csr_matrix((centred**2, at), shape=shape)
    common = gram_matrix(rated)
    n = np.maximum(common, 1.0)
    own = np.asarray((value.T @ rated).todense())  # own[i, j]: i's stars by raters of both
    variance = np.asarray((square.T @ rated).todense()) - own**2 / n
    covariance = gram_matrix(value) - own * own.T / n
    norm = np.sqrt(np.maximum(variance, 0.0) * np.maximum(variance.T, 0.0))
    correlation = np.divide(covariance, norm, out=np.zeros_like(covariance), where=norm > 1e-6)
    return np.clip(correlation, 0.0, 1.0).astype(np.float32), common
