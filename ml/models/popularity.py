"""Popularity: the floor that every model must beat."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.data import DAY_S, Weighting
from ml.models.base import Recommender
from ml.types import FloatArray, Histories, Interactions, ItemFeatures


class Popularity(Recommender):
    """``score(item) = log(1 + sum over its events of 2^(-age / half_life))``, the same for all.

    Only events with at least ``min_rating`` stars and, with ``window_days``, no older than that
    count. Age is measured from the latest training event. Without half-life and window this is
    the plain number of events (its logarithm, which ranks alike and blends better).
    """

    name = "popularity"
    is_personal = False

    def __init__(
        self,
        *,
        min_rating: float = 0.0,
        half_life_days: float | None = None,
        window_days: float | None = None,
    ) -> None:
        self.min_rating = min_rating
        self.half_life_days = half_life_days
        self.window_days = window_days

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        weighting = Weighting(min_rating=self.min_rating, half_life_days=self.half_life_days)
        weight = weighting.weights(interactions).astype(np.float64)
        if self.window_days is not None and len(interactions):
            oldest = int(interactions.timestamp.max()) - self.window_days * DAY_S
            weight = np.where(interactions.timestamp >= oldest, weight, 0.0)
        total = np.bincount(interactions.item_index, weights=weight, minlength=interactions.n_items)
        self.n_items = interactions.n_items
        self.item_score = np.log1p(total).astype(np.float32)
        return self

    def score(self, histories: Histories) -> FloatArray:
        return np.tile(self.item_score, (len(histories), 1))

    def params(self) -> dict[str, Any]:
        return {
            "min_rating": self.min_rating,
            "half_life_days": self.half_life_days,
            "window_days": self.window_days,
        }

    def to_arrays(self) -> dict[str, NDArray]:
        return {"item_score": self.item_score}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        model = cls(**params)
        model.item_score = arrays["item_score"]
        model.n_items = len(model.item_score)
        return model
