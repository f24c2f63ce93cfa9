"""A learned map from facts and text to collaborative space, for films that nobody has rated yet.

    Y_c = K_cw (K_ww + ridge diag(50 / (n_w + 10) + 1/2))^-1 Y_w

``Y_w`` is what a linear model has learned about the films w with ratings: iALS factors (Rendle et
al. 2021) or the columns of EDLAE (Steck 2020). ``K`` is a kernel over facts (``_fact_kernel``).
That is kernel ridge regression from facts to behaviour (attribute-to-feature maps: Gantner et al.
2010), which trusts well-known films more. Scores stay linear in the history.

New films score ``boost`` times what the map says: a mean of many films is timid, and without a
boost hardly any new film would ever be shown (chosen on ML-1M's validation films). Films with
ratings keep their scores.
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ml.models._fact_kernel import FactKernel
from ml.models.als import Als
from ml.models.base import LinearRecommender
from ml.models.ease import Edlae
from ml.types import BoolArray, FloatArray, Histories, Interactions, ItemFeatures

Base = Literal["als", "edlae"]
# The best-known films to learn from: the factorisation grows with the cube of their number.
MAX_WARM = 12_000
BLOCK = 2048
RIDGE_FROM_COUNT, RIDGE_COUNT_SHIFT, RIDGE_FLOOR = 50.0, 10.0, 0.5
BASE_PARAMS: dict[Base, dict[str, Any]] = {"als": {"n_factors": 64}, "edlae": {"l2": 200.0}}


class ColdMap(LinearRecommender):
    """See the module. ``base`` is the linear model under the map, ``base_params`` its settings.

    ``only_cold`` keeps films with ratings out of the answer, for a source of new films.
    """

    name = "cold_map"

    def __init__(
        self,
        *,
        base: Base = "als",
        base_params: dict[str, Any] | None = None,
        ridge: float = 0.3,
        boost: float = 2.0,
        only_cold: bool = False,
    ) -> None:
        if base not in BASE_PARAMS:
            raise ValueError(f"base must be one of {', '.join(BASE_PARAMS)}, not {base!r}")
        if ridge <= 0 or boost <= 0:
            raise ValueError("ridge and boost must be positive")
        self.base: Base = base
        self.base_params = dict(BASE_PARAMS[base] if base_params is None else base_params)
        self.ridge, self.boost, self.only_cold = ridge, boost, only_cold

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """ValueError without ``features``."""
        if features is None:
            raise ValueError("cold_map needs facts about the films")
        self.n_items = interactions.n_items
        count = np.bincount(interactions.item_index, minlength=self.n_items)
        self.model = _create(self.base, self.base_params).fit(interactions, seed=seed)
        kernel = FactKernel(features)
        self.warm: BoolArray = self.model.seen.copy()
        self.mapped: BoolArray = kernel.has_facts() & ~self.warm
        if self.mapped.any() and self.warm.any():
            self._fill(kernel, count)
        else:
            self.mapped = np.zeros(self.n_items, dtype=np.bool_)
        return self

    def _fill(self, kernel: FactKernel, count: NDArray[np.integer]) -> None:
        """Write the mapped factors, or columns, into the model under the map."""
        warm, cold = np.flatnonzero(self.warm), np.flatnonzero(self.mapped)
        if len(warm) > MAX_WARM:
            warm = np.sort(warm[np.argsort(-count[warm], kind="stable")[:MAX_WARM]])
        system = kernel.block(warm, warm)
        trust = RIDGE_FROM_COUNT / (count[warm] + RIDGE_COUNT_SHIFT) + RIDGE_FLOOR
        system[np.diag_indices(len(warm))] += (self.ridge * trust).astype(np.float32)
        learned = self._learned()
        factor = linalg.cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        weights = linalg.cho_solve(factor, learned[warm], check_finite=False)
        for start in range(0, len(cold), BLOCK):
            part = cold[start : start + BLOCK]
            learned[part] = self.boost * (kernel.block(part, warm) @ weights)

    def _learned(self) -> NDArray[np.float32]:
        """[n_items, d], a view: row i is what decides how film i scores."""
        if isinstance(self.model, Als):
            return self.model.item_factors
        table = self.model.table
        if not isinstance(table, np.ndarray):
            raise TypeError("cold_map needs a dense EDLAE table: leave n_kept out")
        return table.T

    def score(self, histories: Histories) -> FloatArray:
        if isinstance(self.model, Als):
            vectors = self.model.user_vectors(histories)
            scores = np.asarray(vectors @ self.model.item_factors.T, dtype=np.float32)
            scores[~vectors.any(axis=1)] = -np.inf
        else:
            # Films with and without ratings alike are "seen" by the model under the map.
            self.model.seen = self.warm | self.mapped
            scores = self.model.score(histories)
        shown = self.mapped if self.only_cold else self.warm | self.mapped
        scores[:, ~shown] = -np.inf
        return scores

    def contributions(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        return self.model.contributions(history, items)

    def params(self) -> dict[str, Any]:
        names = ("base", "base_params", "ridge", "boost", "only_cold")
        return {name: getattr(self, name) for name in names}

    def to_arrays(self) -> dict[str, NDArray]:
        own = {f"base.{name}": array for name, array in self.model.to_arrays().items()}
        return {**own, "warm": self.warm, "mapped": self.mapped}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        model = cls(**params)
        kind = Als if model.base == "als" else Edlae
        own = {k.removeprefix("base."): v for k, v in arrays.items() if k.startswith("base.")}
        model.model = kind.from_arrays(own, model.base_params)
        model.warm, model.mapped = arrays["warm"], arrays["mapped"]
        model.n_items = len(model.warm)
        return model


def _create(base: Base, params: dict[str, Any]) -> Als | Edlae:
    return Als(**params) if base == "als" else Edlae(**params)
