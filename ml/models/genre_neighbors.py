"""Nearest films by genre profile, like for like.

    s_ji = cos(h_j, h_i) for i among the n nearest of j, else 0;    score_i = sum_j w_j s_ji

``h`` is the genre vector weighted by rarity, log(n_films / n_films_with_genre): sharing Film-Noir
says more than sharing Drama. Many films have the same genres; among equals the better known come
first (by training events), by far less than any difference of genres.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from ml.models.item_to_item import ItemToItem
from ml.text import unit_rows
from ml.types import Interactions, ItemFeatures

TIE_BREAK = 1e-3
BLOCK = 1024


class GenreNeighbors(ItemToItem):
    """See the module. ``n_neighbors`` films are kept per film."""

    name = "genre_neighbors"

    def __init__(self, *, n_neighbors: int = 200, decay: float = 1.0, floor: float = 0.0) -> None:
        super().__init__(decay=decay, floor=floor)
        if n_neighbors < 1:
            raise ValueError("n_neighbors must be positive")
        self.n_neighbors = n_neighbors

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """Takes the genres; ValueError when ``features`` has none."""
        if features is None or features.genres is None:
            raise ValueError("genre_neighbors needs the films' genres")
        self.n_items = n = features.n_items
        genres = (features.genres > 0).astype(np.float32)
        rarity = np.log((n + 1) / np.maximum(genres.sum(axis=0), 1))
        profile = unit_rows(genres * rarity)
        count = np.bincount(interactions.item_index, minlength=n)
        fame = np.log1p(count) / max(float(np.log1p(count.max(initial=0))), 1.0)
        self.seen = np.asarray(genres.any(axis=1), dtype=np.bool_)
        self.table = _nearest(profile, fame.astype(np.float32), min(self.n_neighbors, n - 1))
        return self

    def params(self) -> dict[str, Any]:
        return {"n_neighbors": self.n_neighbors, **self.history_params()}


def _nearest(profile: np.ndarray, fame: np.ndarray, n_neighbors: int) -> sparse.csr_matrix:
    """csr [n, n]: cosine (plus the tie-break) to each film's nearest; itself never."""
    n = len(profile)
    parts = [sparse.csr_matrix((0, n))]
    for start in range(0, n, BLOCK):
        rows = np.arange(start, min(start + BLOCK, n))
        cosine = profile[rows] @ profile.T
        cosine = np.where(cosine > 0, cosine + TIE_BREAK * fame, 0.0)
        cosine[np.arange(len(rows)), rows] = 0.0
        if 0 < n_neighbors < n - 1:
            best = np.argpartition(-cosine, n_neighbors, axis=1)[:, :n_neighbors]
        else:
            best = np.tile(np.arange(n), (len(rows), 1))
        value = np.take_along_axis(cosine, best, axis=1)
        at = np.repeat(np.arange(len(rows)), best.shape[1])
        block = sparse.csr_matrix((value.ravel(), (at, best.ravel())), shape=(len(rows), n))
        block.eliminate_zeros()
        parts.append(block)
    return sparse.vstack(parts).tocsr().astype(np.float32)
