"""SLIT: the next film by ridge regression from the decayed history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from ml.models.item_to_item import (
    ItemToItem,
    event_ages,
    history_product,
    keep_largest,
    one_product,
    table_block,
)
from ml.models.transition import ordered_events
from ml.types import BoolArray, FloatArray, Histories, Interactions, ItemFeatures


class Slit(ItemToItem):
    """``B = (X'X + diag(l2 + p / (1 - p) G))^-1 X'Y``, linear in an ordered history.

    Every event but a person's first is one row: ``x`` holds the films before it, weighted
    ``max(decay^age, floor)`` (age 0 the one just before), ``y`` is the film itself; a person's rows
    count ``1 / n^row_power`` each. G is the diagonal of X'X, ``dropout`` p as in EDLAE. The linear
    transition model of Choi et al., "Session-aware Linear Item-Item Models for Session-based
    Recommendation" (2021), with EDLAE's penalty and a floor.

    ``memories`` are the (decay, floor) of one or more such histories side by side in ``x``: a short
    one says what the last films lead to, a long one what the person likes, and the regression
    decides how they share the work (ML-1M, validation of last-out: NDCG@10 .169 with one memory,
    .175 with two). The score stays a sum over the events.

    The inner matrices follow from the order alone: a person with n events adds an n x n block per
    pair of memories, so no row is ever built. With m memories, time: m^2 / 2 times the sum of n^2
    over people, plus (m n_items)^3 / 3; memory 4 (m n_items)^2 bytes, twice for a moment. Only a
    person's latest ``max_events`` events are used, and of the films the ``max_films`` with most
    events: the others score ``-inf`` (ml-latest-small's 9,742 films take two memories five minutes,
    and most of them have a single rating to learn from).
    """

    name = "slit"

    def __init__(
        self,
        *,
        memories: Sequence[Sequence[float]] = ((0.8, 0.03),),
        l2: float = 50.0,
        dropout: float = 0.5,
        row_power: float = 0.5,
        max_events: int = 1000,
        n_kept: int | None = None,
        max_films: int = 4000,
    ) -> None:
        if l2 <= 0 or not 0 <= dropout < 1 or max_events < 2 or max_films < 1:
            raise ValueError("l2 must be positive, dropout in [0, 1), at least 2 events and 1 film")
        if not memories or any(not 0 < d <= 1 or not 0 <= f <= 1 for d, f in memories):
            raise ValueError("memories are (decay, floor) with decay in (0, 1], floor in [0, 1]")
        super().__init__()
        self.memories = tuple((float(decay), float(floor)) for decay, floor in memories)
        self.l2 = l2
        self.dropout = dropout
        self.row_power = row_power
        self.max_events = max_events
        self.n_kept = n_kept
        self.max_films = max_films

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        from ml.models.slit_kernels import add_people

        self.n_items = interactions.n_items
        self.seen = _head(interactions, self.max_films)
        # Films without events would only make the system larger.
        kept = np.flatnonzero(self.seen)
        place = np.cumsum(self.seen) - 1
        users, items = ordered_events(interactions)
        users, items = users[self.seen[items]], items[self.seen[items]]
        size = len(self.memories) * len(kept)
        gram = np.zeros((size, size), dtype=np.float32)
        moment = np.zeros((size, len(kept)), dtype=np.float32)
        bounds = np.searchsorted(users, np.arange(interactions.n_users + 1)).astype(np.int64)
        ages = np.arange(self.max_events)
        weight = np.stack([np.maximum(decay**ages, floor) for decay, floor in self.memories])
        add_people(bounds, place[items], weight, self.row_power, gram, moment)
        penalty = self.l2 + self.dropout / (1.0 - self.dropout) * gram.diagonal()
        gram[np.diag_indices(size)] += penalty.astype(np.float32)
        if size:
            # Only the upper triangle is filled: the lower one of the transpose, in LAPACK's order.
            factor = linalg.cho_factor(gram.T, lower=True, overwrite_a=True, check_finite=False)
            moment = linalg.cho_solve(factor, moment, overwrite_b=True, check_finite=False)
        self.table = np.zeros((len(self.memories) * self.n_items, self.n_items), dtype=np.float32)
        for m in range(len(self.memories)):
            block = np.ix_(m * self.n_items + kept, kept)
            self.table[block] = moment[m * len(kept) : (m + 1) * len(kept)]
        if self.n_kept is not None:
            self.table = keep_largest(self.table, self.n_kept)
        return self

    def memory_weights(self, histories: Histories) -> FloatArray:
        """float32[n_memories, n_events]: what each event counts in each memory."""
        key = ("memory weights", self.n_items, self.decay, self.floor, tuple(self.memories))
        return histories.derived(key, lambda: self._memory_weights(histories))

    def _memory_weights(self, histories: Histories) -> FloatArray:
        own = self.event_weights(histories)
        age = event_ages(histories)
        weight = [own * np.maximum(decay**age, floor) for decay, floor in self.memories]
        return np.array(weight, dtype=np.float32).reshape(len(self.memories), len(own))

    def score(self, histories: Histories) -> FloatArray:
        if len(histories) == 1 and not isinstance(self.table, np.ndarray):
            weight, columns = self._columns(histories, self.memory_weights(histories))
            return self.masked(one_product(self.table, columns, weight))
        matrix = self._weighted(histories)
        return self.masked(
            history_product(matrix, self.table), is_empty=np.diff(matrix.indptr) == 0
        )

    def _weighted(self, histories: Histories) -> sparse.csr_matrix:
        """csr float32[n, n_memories * n_items]: each event's weight in each memory."""
        weight = self.memory_weights(histories)
        rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))[weight[0] != 0]
        used, columns = self._columns(histories, weight)
        return sparse.csr_matrix(
            (used, (np.tile(rows, len(weight)), columns)),
            shape=(len(histories), len(weight) * self.n_items),
        )

    def _columns(
        self, histories: Histories, weight: FloatArray
    ) -> tuple[FloatArray, NDArray[np.int64]]:
        """The events that count, memory by memory: their weights, and their rows of the table."""
        used = weight[0] != 0
        items = histories.item_index[used].astype(np.int64)
        offset = self.n_items * np.arange(len(weight), dtype=np.int64)
        return weight[:, used].ravel(), (offset[:, None] + items).ravel()

    def contributions(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        weight = self.memory_weights(history)
        used = weight[0] != 0
        out = np.zeros((weight.shape[1], len(items)), dtype=np.float32)
        if used.any():
            own, rows = self._columns(history, weight)
            parts = own[:, None] * table_block(self.table, rows, items)
            out[used] = parts.reshape(len(weight), -1, len(items)).sum(axis=0)
        return out

    def params(self) -> dict[str, Any]:
        return {
            "memories": [list(memory) for memory in self.memories],
            "l2": self.l2,
            "dropout": self.dropout,
            "row_power": self.row_power,
            "max_events": self.max_events,
            "n_kept": self.n_kept,
            "max_films": self.max_films,
        }


def _head(interactions: Interactions, max_films: int) -> BoolArray:
    """bool[n_items]: the films with events, or the ``max_films`` with most of them."""
    count = np.bincount(interactions.item_index, minlength=interactions.n_items)
    head = count > 0
    if head.sum() > max_films:
        head[np.argsort(-count, kind="stable")[max_films:]] = False
    return head
