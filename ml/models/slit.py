"""SLIT: the next film by ridge regression from the decayed history."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import linalg

from ml.data import seen_items
from ml.models.item_to_item import ItemToItem, keep_largest
from ml.models.transition import ordered_events
from ml.types import Interactions, ItemFeatures


class Slit(ItemToItem):
    """``B = (X'X + diag(l2 + p / (1 - p) G))^-1 X'Y``, linear in an ordered history.

    Every event but a person's first is one row: ``x`` holds the films before it, weighted
    ``max(decay^age, floor)`` (age 0 the one just before), ``y`` is the film itself; a person's rows
    count ``1 / sqrt(n)`` each. G is the diagonal of X'X, ``dropout`` p as in EDLAE. The linear
    transition model of Choi et al., "Session-aware Linear Item-Item Models for Session-based
    Recommendation" (2021), with EDLAE's penalty and a floor.

    The inner matrices follow from the order alone: a person with n events adds an n x n block, so
    no row is ever built. Time: sum of n^2 over people, plus n_items^3 / 3 for the factor. Memory:
    12 n_items^2 bytes. Only a person's latest ``max_events`` events are used.
    """

    name = "slit"

    def __init__(
        self,
        *,
        l2: float = 50.0,
        dropout: float = 0.65,
        decay: float = 0.8,
        floor: float = 0.03,
        row_power: float = 0.5,
        max_events: int = 1000,
        n_kept: int | None = None,
    ) -> None:
        if l2 <= 0 or not 0 <= dropout < 1 or max_events < 2:
            raise ValueError("l2 must be positive, dropout in [0, 1), max_events at least 2")
        super().__init__(decay=decay, floor=floor)
        self.l2 = l2
        self.dropout = dropout
        self.row_power = row_power
        self.max_events = max_events
        self.n_kept = n_kept

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        from ml.models.slit_kernels import add_people

        users, items = ordered_events(interactions)
        n_items = interactions.n_items
        gram = np.zeros((n_items, n_items), dtype=np.float32)
        moment = np.zeros((n_items, n_items), dtype=np.float32)
        bounds = np.searchsorted(users, np.arange(interactions.n_users + 1)).astype(np.int64)
        weight = np.maximum(self.decay ** np.arange(self.max_events), self.floor)
        add_people(bounds, items, weight.astype(np.float64), self.row_power, gram, moment)
        penalty = self.l2 + self.dropout / (1.0 - self.dropout) * gram.diagonal()
        gram[np.diag_indices(n_items)] += penalty.astype(np.float32)
        if n_items:
            # C order in, Fortran order for LAPACK: the transposes are views of the same memory.
            factor = linalg.cho_factor(gram.T, lower=True, overwrite_a=True, check_finite=False)
            moment = np.ascontiguousarray(
                linalg.cho_solve(factor, moment, overwrite_b=True, check_finite=False)
            )
        self.table = moment if self.n_kept is None else keep_largest(moment, self.n_kept)
        self.n_items = n_items
        self.seen = seen_items(interactions)
        return self

    def params(self) -> dict[str, Any]:
        return {
            "l2": self.l2,
            "dropout": self.dropout,
            "row_power": self.row_power,
            "max_events": self.max_events,
            "n_kept": self.n_kept,
            **self.history_params(),
        }
