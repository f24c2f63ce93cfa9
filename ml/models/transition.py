"""Transitions: what is watched after what."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.data import seen_items
from ml.models.item_to_item import ItemToItem, dense_if_full, keep_largest
from ml.types import Interactions, ItemFeatures

_SMALLEST_WEIGHT = 0.02  # pairs further apart than this weight add nothing but memory


class Transition(ItemToItem):
    """Decayed transitions: ``W[i, j] = C[i, j] / ((n_i + shrinkage)^a (n_j + shrinkage)^b)``.

    ``C[i, j]`` sums ``gamma^(distance - 1)`` over the pairs of one person's events in which j came
    after i; n are the films' events, ``a`` = ``source_power``, ``b`` = ``target_power``. A first
    order Markov model (Rendle et al., "Factorizing Personalized Markov Chains", 2010) widened to a
    window. Linear in the history, whose events decay by ``decay`` per step. With ``n_kept`` only
    that many weights a row stay: of 20 million events the whole table is 1.6 GB. Defaults chosen on
    the validation part of last-out on ML-1M.
    """

    name = "transition"

    def __init__(
        self,
        *,
        gamma: float = 0.6,
        shrinkage: float = 10.0,
        source_power: float = 1.0,
        target_power: float = 0.0,
        decay: float = 0.6,
        floor: float = 0.0,
        n_kept: int | None = None,
    ) -> None:
        if n_kept is not None and n_kept < 1:
            raise ValueError("n_kept must be 1 or more")
        if not 0 < gamma < 1 or shrinkage <= 0:
            raise ValueError("gamma must be in (0, 1) and shrinkage positive")
        super().__init__(decay=decay, floor=floor)
        self.gamma = gamma
        self.shrinkage = shrinkage
        self.source_power = source_power
        self.target_power = target_power
        self.n_kept = n_kept

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        counts = transition_counts(interactions, gamma=self.gamma)
        popularity = np.bincount(interactions.item_index, minlength=interactions.n_items)
        source = (popularity + self.shrinkage) ** -self.source_power
        target = (popularity + self.shrinkage) ** -self.target_power
        table = sparse.diags_array(source) @ counts @ sparse.diags_array(target)
        table = sparse.csr_matrix(table, dtype=np.float32)
        if self.n_kept is None:
            self.table = dense_if_full(table)
        else:
            self.table = keep_largest(table, self.n_kept)
        self.n_items = interactions.n_items
        self.seen = seen_items(interactions)
        return self

    def params(self) -> dict[str, Any]:
        return {
            "gamma": self.gamma,
            "shrinkage": self.shrinkage,
            "source_power": self.source_power,
            "target_power": self.target_power,
            "n_kept": self.n_kept,
            **self.history_params(),
        }


def transition_counts(interactions: Interactions, *, gamma: float) -> sparse.csr_matrix:
    """csr float32 [n_items, n_items]: sum of ``gamma^(distance - 1)`` over ordered pairs."""
    users, items = ordered_events(interactions)
    reach = 1 + math.floor(math.log(_SMALLEST_WEIGHT) / math.log(gamma))
    shape = (interactions.n_items, interactions.n_items)
    total = sparse.csr_matrix(shape, dtype=np.float32)
    for distance in range(1, min(reach, max(len(users) - 1, 0)) + 1):
        same = users[:-distance] == users[distance:]
        earlier, later = items[:-distance][same], items[distance:][same]
        weight = np.full(len(earlier), gamma ** (distance - 1), dtype=np.float32)
        total = total + sparse.csr_matrix((weight, (earlier, later)), shape=shape)
    return total


def ordered_events(
    interactions: Interactions,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Users and films of all events, person by person, each by (time, source row)."""
    order = np.lexsort((interactions.timestamp, interactions.user_index))
    return interactions.user_index[order], interactions.item_index[order]
