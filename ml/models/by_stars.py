"""A list by predicted stars: what a model of ratings says when it is asked to rank.

What people rate highly is not what they watch next, so this ranks worse than any model of
behaviour; it is there for those who ask for exactly that order.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.models.base import Recommender
from ml.models.rating_base import RatingPredictor
from ml.types import FloatArray, Histories, Interactions, ItemFeatures


class ByStars(Recommender):
    """Ranks by ``predictor``'s expected stars for people folded in from their ratings.

    A person without a single rating scores ``-inf`` everywhere: the average person's order would
    be a list that nothing personal speaks for.
    """

    name = "by_stars"

    def __init__(self, predictor: RatingPredictor) -> None:
        self.predictor = predictor
        self.n_items = predictor.n_items

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        self.predictor.fit(interactions, seed=seed, features=features)
        self.n_items = self.predictor.n_items
        return self

    def score(self, histories: Histories) -> FloatArray:
        if not len(histories):
            return np.empty((0, self.n_items), dtype=np.float32)
        scores = np.array(
            self.predictor.predict_for(histories, np.arange(self.n_items)), dtype=np.float32
        )
        scores[self._n_known(histories) == 0] = -np.inf
        return scores

    def _n_known(self, histories: Histories) -> NDArray[np.int64]:
        """int64[n]: rated films that the predictor knows."""
        known = (histories.item_index >= 0) & (histories.item_index < self.n_items)
        known &= np.isfinite(histories.rating)
        rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
        return np.bincount(rows[known], minlength=len(histories))

    def params(self) -> dict[str, Any]:
        return self.predictor.params()

    def to_arrays(self) -> dict[str, NDArray]:
        return self.predictor.to_arrays()

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        """Not a model of its own on disk: the predictor is stored and wrapped when it is served."""
        raise TypeError("store the predictor of stars itself and wrap it in ByStars")
