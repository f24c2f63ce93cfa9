"""Trending: films that are watched more than they used to be."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.data import DAY_S
from ml.models.base import Recommender
from ml.types import FloatArray, Histories, Interactions, ItemFeatures


class Trending(Recommender):
    """How surprising a film's latest window is: ``(r - e) / sqrt(e + prior)``, the same for all.

    ``r`` is its number of events in the last ``window_days``, ``e`` the number expected there if
    the film had kept its share of all events before: a Poisson z-score with a ``prior`` that keeps
    films with hardly any events from topping the list. Without events before the window, or
    without times, every film's ``e`` is 0 and the score is its count over ``sqrt(prior)``.
    """

    name = "trending"
    is_personal = False

    def __init__(
        self, *, window_days: float = 7.0, prior: float = 5.0, min_rating: float = 0.0
    ) -> None:
        if window_days <= 0 or prior <= 0:
            raise ValueError("window_days and prior must be positive")
        self.window_days = window_days
        self.prior = prior
        self.min_rating = min_rating

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        events = interactions.select(interactions.rating >= self.min_rating)
        newest = int(events.timestamp.max()) if len(events) else 0
        is_recent = events.timestamp > newest - self.window_days * DAY_S
        n = interactions.n_items
        recent = np.bincount(events.item_index[is_recent], minlength=n).astype(np.float64)
        before = np.bincount(events.item_index[~is_recent], minlength=n).astype(np.float64)
        expected = before * (recent.sum() / before.sum()) if before.sum() else np.zeros(n)
        self.item_score = ((recent - expected) / np.sqrt(expected + self.prior)).astype(np.float32)
        self.n_items = n
        return self

    def score(self, histories: Histories) -> FloatArray:
        return np.tile(self.item_score, (len(histories), 1))

    def params(self) -> dict[str, Any]:
        return {
            "window_days": self.window_days,
            "prior": self.prior,
            "min_rating": self.min_rating,
        }

    def to_arrays(self) -> dict[str, NDArray]:
        return {"item_score": self.item_score}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        model = cls(**params)
        model.item_score = arrays["item_score"]
        model.n_items = len(model.item_score)
        return model
