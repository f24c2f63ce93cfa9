"""The one contract of every recommender."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.retrieval import top_k
from ml.types import FloatArray, Histories, Interactions, ItemFeatures, ScoredItems

BATCH_ROWS = 512  # people scored at once: bounds memory at BATCH_ROWS x n_items floats


class Recommender(ABC):
    """Fitted on interactions, recommends to *histories*: people need not be known from training.

    * ``fit`` is deterministic by ``seed`` and returns the model itself.
    * ``score`` gives every film a finite score or ``-inf`` ("this model has no opinion").
      An empty history scores ``-inf`` everywhere unless the model is not personal at all
      (popularity), so that a fallback chain sees that there was nothing to go by.
    * ``to_arrays`` / ``from_arrays`` carry the whole fitted state, with ``params`` as JSON-able
      settings; ``ml.artifacts`` writes them to disk.
    """

    name: ClassVar[str]
    is_personal: ClassVar[bool] = True
    n_items: int

    @abstractmethod
    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """Learn from ``interactions`` (positives are the model's own choice of threshold)."""

    @abstractmethod
    def score(self, histories: Histories) -> FloatArray:
        """float32[n, n_items]: how much each person wants each film; comparable within a row."""

    @abstractmethod
    def params(self) -> dict[str, Any]:
        """The constructor's settings, JSON-able."""

    @abstractmethod
    def to_arrays(self) -> dict[str, NDArray]:
        """Everything that was learned."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        """The model that ``to_arrays`` and ``params`` describe."""

    def recommend(
        self, histories: Histories, k: int, exclude: sparse.csr_matrix | None = None
    ) -> ScoredItems:
        """The ``k`` best films per person, without those in ``exclude`` (csr [n, n_items])."""
        parts = []
        for start in range(0, len(histories), BATCH_ROWS):
            rows = np.arange(start, min(start + BATCH_ROWS, len(histories)))
            mask = None if exclude is None else exclude[rows]
            parts.append(top_k(self.score(histories.select(rows)), k, exclude=mask))
        if not parts:
            return ScoredItems(np.empty((0, k), np.int32), np.empty((0, k), np.float32))
        return ScoredItems(
            item_index=np.concatenate([p.item_index for p in parts]),
            score=np.concatenate([p.score for p in parts]),
        )


class LinearRecommender(Recommender):
    """A recommender whose score is a sum over the films of the history.

    That one property is what makes new ratings count at once, explanations exact and a removed
    rating really removed.
    """

    @abstractmethod
    def contributions(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        """For one person (``len(history) == 1``): float32[n_events, len(items)].

        Column sums plus :meth:`baseline` equal ``score(history)[0, items]`` within 1e-6 of the
        largest score, wherever that score is finite.
        """

    def baseline(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        """float32[len(items)]: the part of the score that is not from the history (usually 0)."""
        return np.zeros(len(items), dtype=np.float32)
