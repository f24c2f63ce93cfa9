"""The contract of models that predict stars. They are for saying "you would give this 4 stars",
never for ranking: what people rate highly is not what they watch next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ml.types import FloatArray, Histories, Interactions, ItemFeatures

MIN_STARS, MAX_STARS = 0.5, 5.0

Interval = tuple[FloatArray, FloatArray, FloatArray]  # mean, lower end, upper end; in stars


class RatingPredictor(ABC):
    """Fitted on ratings, predicts stars for known people and for people folded in.

    Positions outside the training's range (or ``-1``) are allowed everywhere: an unknown person is
    the average person, an unknown film the average film, with the wider interval that this means.
    """

    name: ClassVar[str]
    n_users: int
    n_items: int

    @abstractmethod
    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """Learn from ``interactions.rating`` (stars); deterministic by ``seed``."""

    @abstractmethod
    def predict_interval(
        self,
        user_index: NDArray[np.integer],
        item_index: NDArray[np.integer],
        *,
        level: float = 0.8,
    ) -> Interval:
        """Mean and the ends of the central ``level`` interval, float32[n] each, in stars."""

    @abstractmethod
    def predict_interval_for(
        self, histories: Histories, items: NDArray[np.integer], *, level: float = 0.8
    ) -> Interval:
        """The same, float32[n_people, len(items)] each, for people known by their ratings only.

        Events whose ``rating`` is nan are ignored.
        """

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

    def predict(
        self, user_index: NDArray[np.integer], item_index: NDArray[np.integer]
    ) -> FloatArray:
        """float32[n]: expected stars of each (person, film) pair."""
        return self.predict_interval(user_index, item_index)[0]

    def predict_for(self, histories: Histories, items: NDArray[np.integer]) -> FloatArray:
        """float32[n_people, len(items)]: expected stars for people known by their ratings only."""
        return self.predict_interval_for(histories, items)[0]
