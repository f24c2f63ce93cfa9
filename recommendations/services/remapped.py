"""A fitted model seen through another map of films: versions become comparable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.idmap import IdMap
from ml.models.base import Recommender
from ml.types import FloatArray, Histories, Interactions, ItemFeatures


class Remapped(Recommender):
    """``model`` of the films ``items``, taking and giving positions of the films ``to``.

    Films that the model does not know score ``-inf``; those of a history do not count.
    """

    name = "remapped"

    def __init__(self, model: Recommender, items: IdMap, *, to: IdMap) -> None:
        self.model = model
        self.n_items = len(to)
        self._position = items.index(to.ids)  # -1 where the model does not know the film

    def score(self, histories: Histories) -> FloatArray:
        known = histories.item_index >= 0
        own = np.where(known, self._position[np.where(known, histories.item_index, 0)], -1)
        scores = self.model.score(replace(histories, item_index=own.astype(np.int32)))
        out = np.full((len(histories), self.n_items), -np.inf, dtype=np.float32)
        there = self._position >= 0
        out[:, there] = scores[:, self._position[there]]
        return out

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """It is fitted."""
        return self

    def params(self) -> dict[str, Any]:
        return self.model.params()

    def to_arrays(self) -> dict[str, NDArray]:
        return self.model.to_arrays()

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        raise TypeError("a view of a model is never stored")
