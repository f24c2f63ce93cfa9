"""What every model does that scores by item vectors: a weighted sum over the history.

    score_i = scale * sum_j w_j (given_j . wanted_i)

``given`` [n_items, d] describes films of the history, ``wanted`` [n_items, d] films to score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.models.base import LinearRecommender
from ml.types import BoolArray, FloatArray, Histories


class VectorLinear(LinearRecommender):
    """Scores a history's weighted sum of ``given`` vectors against ``wanted`` ones.

    Event j weighs its own weight times ``max(decay^age, floor)`` (age 0: the latest event). Films
    without a vector have no opinion (``-inf``), neither does a history without any.
    """

    given: FloatArray
    wanted: FloatArray

    def __init__(self, *, decay: float = 1.0, floor: float = 0.0) -> None:
        if not 0 < decay <= 1 or not 0 <= floor <= 1:
            raise ValueError("decay must be in (0, 1] and floor in [0, 1]")
        self.decay, self.floor = decay, floor

    def event_weights(self, histories: Histories) -> FloatArray:
        """float32[n_events]; 0 for unknown films and films without a vector."""
        known = (histories.item_index >= 0) & (histories.item_index < self.n_items)
        items = np.where(known, histories.item_index, 0)
        known &= self.has_vector()[items] if self.n_items else False
        weight = np.where(known, histories.weight, 0.0)
        if self.decay < 1:
            lengths = np.diff(histories.indptr)
            age = np.repeat(histories.indptr[1:], lengths) - 1 - np.arange(len(weight))
            weight = weight * np.maximum(self.decay**age, self.floor)
        return weight.astype(np.float32)

    def has_vector(self) -> BoolArray:
        """bool[n_items]: films that the model can say something about."""
        return np.asarray(self.wanted.any(axis=1), dtype=np.bool_)

    def user_vectors(self, histories: Histories) -> FloatArray:
        """float32[n, d]: the scaled weighted sums; a zero row where there is nothing to go by."""
        weight = self.event_weights(histories)
        used = weight != 0
        rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
        matrix = sparse.csr_matrix(
            (weight[used], (rows[used], histories.item_index[used])),
            shape=(len(histories), self.n_items),
        )
        vectors = np.asarray(matrix @ self.given, dtype=np.float32)
        return vectors * self.scale(matrix, vectors)[:, None]

    def scale(self, weights: sparse.csr_matrix, vectors: FloatArray) -> FloatArray:
        """float32[n]: what each person's sum is multiplied by (does not change an order)."""
        total = np.asarray(abs(weights).sum(axis=1)).ravel()
        return (1.0 / np.where(total > 0, total, 1.0)).astype(np.float32)

    def score_vectors(self, vectors: FloatArray) -> FloatArray:
        """float32[n, n_items] for ready-made vectors: a quiz's, a query's."""
        scores = np.asarray(vectors @ self.wanted.T, dtype=np.float32)
        scores[:, ~self.has_vector()] = -np.inf
        scores[~vectors.any(axis=1)] = -np.inf
        return scores

    def score(self, histories: Histories) -> FloatArray:
        return self.score_vectors(self.user_vectors(histories))

    def contributions(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        weight = self.event_weights(history)
        known = np.where(weight != 0, history.item_index, 0)
        if not len(weight) or not self.n_items:
            return np.zeros((len(weight), len(items)), dtype=np.float32)
        matrix = sparse.csr_matrix(
            (weight, (np.zeros(len(weight), np.int64), known)), shape=(1, self.n_items)
        )
        scale = self.scale(matrix, np.asarray(matrix @ self.given, dtype=np.float32))[0]
        part = self.given[known] @ self.wanted[items].T
        return (scale * weight[:, None] * part).astype(np.float32)
