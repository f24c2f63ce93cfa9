"""A neural network of stars: who, what, and what is known about both.

The network joins a person's and a film's embedding with two small perceptrons, one for scaled
numbers (how many ratings, their mean and spread, the film's year) and one for the multi-hot
genres, and runs a perceptron over all of it (after He et al., "Neural Collaborative Filtering",
2017); Adam, mean squared error:

    r = MLP([p_u ; q_i ; MLP(numbers) ; MLP(genres)])

``improved`` adds what that network lacks: the two biases and the product p_u . q_i, which a
perceptron finds hard to learn (Rendle et al. 2020), text vectors beside the genres, dropout and
weight decay on the embeddings, and the mean of several members trained from different seeds. The
interval comes from the spread of held-out errors, through the same stars as ``bayesian_mf``.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.models._neural_net import NetSettings, Numbers, item_inputs, predict_net, train_net
from ml.models._star_intervals import (
    Thresholds,
    habit_counts,
    shortest_run,
    star_grid,
    star_probabilities,
)
from ml.models.rating_base import Interval, RatingPredictor
from ml.types import FloatArray, Histories, Interactions, ItemFeatures

HELD_OUT_SHARE = 0.1  # for early stopping and for the intervals


class NeuralRating(RatingPredictor):
    """See the module. ``dim`` wide embeddings; at most ``n_epochs``, stopped early."""

    name = "neural_rating"

    def __init__(
        self,
        *,
        dim: int = 32,
        n_epochs: int = 20,
        batch_size: int = 1024,
        learning_rate: float = 1e-3,
        improved: bool = False,
        n_members: int = 1,
    ) -> None:
        if dim < 1 or n_epochs < 1 or n_members < 1:
            raise ValueError("dim, n_epochs and n_members must be positive")
        self.dim, self.n_epochs, self.batch_size = dim, n_epochs, batch_size
        self.learning_rate, self.improved, self.n_members = learning_rate, improved, n_members

    def params(self) -> dict[str, Any]:
        """The constructor's settings."""
        names = ("dim", "n_epochs", "batch_size", "learning_rate", "improved", "n_members")
        return {name: getattr(self, name) for name in names}

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """See :class:`RatingPredictor`; ValueError without any rating."""
        if not len(interactions):
            raise ValueError("no ratings to learn from")
        self.n_users, self.n_items = interactions.n_users, interactions.n_items
        self.grid = star_grid(interactions.rating)
        rng = np.random.default_rng(seed)
        is_held = rng.random(len(interactions)) < HELD_OUT_SHARE
        if not is_held.any() or is_held.all():
            is_held = np.arange(len(interactions)) == len(interactions) - 1
        train, held = interactions.select(~is_held), interactions.select(is_held)
        train = train if len(train) else interactions
        self.item_inputs = item_inputs(features, self.n_items, with_text=self.improved)
        self.numbers = Numbers.of(train, features)
        settings = NetSettings(
            self.dim, self.n_epochs, self.batch_size, self.learning_rate, self.improved
        )
        self.members = [
            train_net(
                train, held, self.numbers, self.item_inputs, settings, seed=seed * 1000 + member
            )
            for member in range(self.n_members)
        ]
        self._calibrate(train, held)
        return self

    def _calibrate(self, train: Interactions, held: Interactions) -> None:
        self.habits = habit_counts(train.user_index, train.rating, self.n_users, self.grid)
        self.habit_prior = self.habits.sum(axis=0, dtype=np.float64) / max(len(train), 1)
        error = held.rating - self._mean(held.user_index, held.item_index)
        pooled = float(np.mean(error**2)) + 1e-4
        self.pooled_spread = float(np.sqrt(pooled))
        habits = self.habits[held.user_index]
        p = star_probabilities(
            held.rating - error,
            np.full(len(held), self.pooled_spread),
            habits,
            prior=self.habit_prior,
            grid=self.grid,
        )
        n_rated = habits.sum(axis=1).astype(np.int64)
        self.thresholds = Thresholds.calibrated(p, held.rating, n_rated, self.grid)

    def _mean(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> FloatArray:
        known = (items >= 0) & (items < self.n_items)
        films = np.where(known, items, self.n_items)
        people = np.where((users >= 0) & (users < self.n_users), users, self.n_users)
        parts = [
            predict_net(
                member, people, films, self.numbers.of_pairs(people, films), self.item_inputs
            )
            for member in self.members
        ]
        return np.clip(np.mean(parts, axis=0), self.grid[0], self.grid[-1]).astype(np.float32)

    def predict_interval(
        self,
        user_index: NDArray[np.integer],
        item_index: NDArray[np.integer],
        *,
        level: float = 0.8,
    ) -> Interval:
        """See :class:`RatingPredictor`."""
        mean = self._mean(user_index, item_index)
        known = (user_index >= 0) & (user_index < self.n_users)
        users = np.where(known, user_index, 0)
        habits = np.where(known[:, None], self.habits[users], 0.0).astype(np.float32)
        return self._interval(mean, habits, level)

    def _interval(self, mean: FloatArray, habits: FloatArray, level: float) -> Interval:
        spread = np.full(len(mean), self.pooled_spread)
        p = star_probabilities(mean, spread, habits, prior=self.habit_prior, grid=self.grid)
        n_rated = habits.sum(axis=1).astype(np.int64)
        lo, hi = shortest_run(p, self.thresholds.at(n_rated, level), self.grid)
        return mean, lo.astype(np.float32), hi.astype(np.float32)

    def predict_interval_for(
        self, histories: Histories, items: NDArray[np.integer], *, level: float = 0.8
    ) -> Interval:
        """See :class:`RatingPredictor`.

        A new person has no embedding: the average one stands in, and the mean of the person's own
        residuals, shrunk like five ratings, is added.
        """
        n, m = len(histories), len(items)
        rows = np.repeat(np.arange(n), np.diff(histories.indptr))
        use = np.isfinite(histories.rating) & (histories.item_index >= 0)
        use &= histories.item_index < self.n_items
        rows, seen, stars = rows[use], histories.item_index[use], histories.rating[use]
        residual = stars - self._mean(np.full(len(seen), -1), seen)
        counts = np.bincount(rows, minlength=n)
        shift = np.bincount(rows, residual, minlength=n) / (counts + 5.0)
        base = self._mean(np.full(m, -1), np.asarray(items))
        mean = np.clip(base[None, :] + shift[:, None], self.grid[0], self.grid[-1])
        habits = np.repeat(habit_counts(rows, stars, n, self.grid), m, axis=0)
        stars_mean, lo, hi = self._interval(mean.ravel().astype(np.float32), habits, level)
        return stars_mean.reshape(n, m), lo.reshape(n, m), hi.reshape(n, m)

    def to_arrays(self) -> dict[str, NDArray]:
        """The members' weights, the inputs, and what the intervals need."""
        weights = {f"net{i}.{k}": v for i, net in enumerate(self.members) for k, v in net.items()}
        return {
            **weights,
            **{f"numbers.{k}": v for k, v in self.numbers.to_arrays().items()},
            "item_inputs": self.item_inputs,
            "habits": self.habits,
            "habit_prior": self.habit_prior,
            "grid": self.grid,
            "pooled_spread": np.array(self.pooled_spread),
            "tau": self.thresholds.tau,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        """See :class:`RatingPredictor`."""
        model = cls(**params)
        model.members = [_part(arrays, f"net{i}.") for i in range(model.n_members)]
        model.numbers = Numbers(**_part(arrays, "numbers."))
        model.item_inputs, model.habits = arrays["item_inputs"], arrays["habits"]
        model.habit_prior, model.grid = arrays["habit_prior"], arrays["grid"]
        model.pooled_spread = float(arrays["pooled_spread"])
        model.thresholds = Thresholds(arrays["tau"])
        model.n_users, model.n_items = len(model.habits), len(model.item_inputs) - 1
        return model


def _part(arrays: dict[str, NDArray], prefix: str) -> dict[str, NDArray]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
