"""Bayesian matrix factorisation with side information, by Gibbs sampling; predicts stars.

Salakhutdinov and Mnih 2008 (BPMF), with the regression prior of Macau (Simm et al. 2017) and a
noise level per person:

    r_ui = b_u + c_i + p_u . q_i + e,             e ~ N(0, 1 / alpha_u)
    (b_u, p_u) ~ N(mu_U + F_u beta_U, Lambda_U^-1),   (c_i, q_i) ~ N(mu_V + F_i beta_V, Lambda_V^-1)

``F_u`` says which films a person rated and ``F_i`` who rated a film (the implicit feedback of
SVD++ on both sides, whose worth Rendle, Zhang and Koren 2019 show), plus the film's facts.
Every step is an exact conjugate draw: nothing to tune but sizes, and the spread over the draws is
an honest uncertainty, which ``_star_intervals`` turns into intervals of stars.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.models._gibbs import Array, dots, draw_rows
from ml.models._mf_chain import Chain, ChainSettings, Draws, film_side, person_side
from ml.models._side_info import item_facts, rated_by
from ml.models._star_intervals import (
    Thresholds,
    habit_counts,
    shortest_run,
    star_grid,
    star_probabilities,
)
from ml.models.rating_base import Interval, RatingPredictor
from ml.resources import one_blas_thread
from ml.types import FloatArray, Histories, Interactions, ItemFeatures

# How much each fact says beside who rated the film; one scale for all of them is a setting.
FACT_WEIGHTS = {
    "genres": 0.5, "year": 0.3, "text": 0.5, "director": 0.3, "cast": 0.3, "keyword": 0.2,
}  # fmt: skip
NOISE_SHAPE = 5.0  # how alike people's noise levels are a priori (Gamma shape)
FOLD_IN_SEED = 20240229  # fold-in must give the same answer to the same history every time
HELD_OUT_SHARE = 0.1
# Lengths at which intervals are calibrated for fold-in: near both ends of each group of lengths.
SHORT_HISTORIES = (1, 2, 3, 5, 7, 10, 14, 20, 28, 50, 70, 120)
# A person's stars are alike, so it is people that calibration must not be short of: with a tenth of
# ML-100K's the coverage of an 80 % interval is uncertain by 1.3 percent points, with a quarter .8.
SHORT_PEOPLE_SHARE, MAX_SHORT_PEOPLE, MAX_TRUTHS = 0.25, 600, 20


class BayesianMF(RatingPredictor):
    """See the module. ``dim`` factors beside the bias; ``sweeps`` Gibbs sweeps of which the first
    ``burn_in`` are dropped and every ``thin``-th of the rest is kept; ``rank`` directions of side
    information (0: none, the plain model); ``facts`` scales the film's facts (0: none);
    ``calibrated`` fits a second time on part of the ratings to set the intervals' thresholds."""

    name = "bayesian_mf"

    def __init__(
        self,
        *,
        dim: int = 24,
        sweeps: int = 180,
        burn_in: int = 20,
        thin: int = 4,
        rank: int = 100,
        facts: float = 1.0,
        calibrated: bool = True,
    ) -> None:
        self.dim, self.sweeps, self.burn_in, self.thin = dim, sweeps, burn_in, thin
        self.rank, self.facts, self.calibrated = rank, facts, calibrated
        # Of people who are part of the training, and of people folded in from their ratings: the
        # first predict a random rating, the second what comes after their first few.
        self.thresholds = self.folded_thresholds = Thresholds.uncalibrated()

    def params(self) -> dict[str, Any]:
        """The constructor's settings."""
        names = ("dim", "sweeps", "burn_in", "thin", "rank", "facts", "calibrated")
        return {name: getattr(self, name) for name in names}

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """See :class:`RatingPredictor`; ValueError without any rating."""
        if not len(interactions):
            raise ValueError("no ratings to learn from")
        self.thresholds = self.folded_thresholds = Thresholds.uncalibrated()
        if self.calibrated:
            self._calibrate(interactions, seed=seed, features=features)
        self._sample(interactions, seed=seed, features=features)
        return self

    def _sample(self, data: Interactions, *, seed: int, features: ItemFeatures | None) -> None:
        self.n_users, self.n_items = data.n_users, data.n_items
        self.center = float(data.rating.mean(dtype=np.float64))
        self.grid = star_grid(data.rating)
        self.habits = habit_counts(data.user_index, data.rating, data.n_users, self.grid)
        self.habit_prior = self.habits.sum(axis=0, dtype=np.float64) / len(data)
        people = rated_by(data)
        weights = {name: weight * self.facts for name, weight in FACT_WEIGHTS.items()}
        raters = rated_by(_transposed(data))
        films = sparse.hstack([raters, *item_facts(features, weights)]).tocsr()
        settings = ChainSettings(
            dim=self.dim, sweeps=self.sweeps, burn_in=self.burn_in, thin=self.thin,
            rank=self.rank, noise_shape=NOISE_SHAPE,
        )  # fmt: skip
        chain = Chain(data, people, films, settings, center=self.center, seed=seed)
        self.draws = chain.run()

    # -- predictions ---------------------------------------------------------------------------

    def predict_interval(
        self,
        user_index: NDArray[np.integer],
        item_index: NDArray[np.integer],
        *,
        level: float = 0.8,
    ) -> Interval:
        """See :class:`RatingPredictor`."""
        known = (user_index >= 0) & (user_index < self.n_users)
        # The last row of every draw is the average person; see Draws.
        users = np.where(known, user_index, self.n_users).astype(np.int32)
        people, alpha = self.draws.people, self.draws.alpha
        mean, spread = self._moments(users, self._films(item_index), people, people, alpha)
        habits = np.concatenate([self.habits, np.zeros((1, len(self.grid)), np.float32)])[users]
        return self._interval(mean, spread, habits, self.thresholds, level)

    def predict_interval_for(
        self, histories: Histories, items: NDArray[np.integer], *, level: float = 0.8
    ) -> Interval:
        """See :class:`RatingPredictor`; each draw of the films gives a draw of the person."""
        people, centers, alpha, habits = self._fold_in(histories)
        n, m = len(histories), len(items)
        users = np.repeat(np.arange(n, dtype=np.int32), m)
        films = np.tile(self._films(np.asarray(items)), n)
        mean, spread = self._moments(users, films, people, centers, alpha)
        limits = self.folded_thresholds
        stars, lo, hi = self._interval(mean, spread, habits[users], limits, level)
        return stars.reshape(n, m), lo.reshape(n, m), hi.reshape(n, m)

    def _films(self, item_index: NDArray[np.integer]) -> NDArray[np.int32]:
        known = (item_index >= 0) & (item_index < self.n_items)
        return np.where(known, item_index, self.n_items).astype(np.int32)

    def _moments(
        self,
        users: NDArray[np.int32],
        films: NDArray[np.int32],
        people: FloatArray,
        centers: FloatArray,
        alpha: FloatArray,
    ) -> tuple[Array, Array]:
        """Mean and standard deviation of the predictive distribution over the draws.

        ``centers`` are the people's conditional means where known (less noise in the mean), and
        ``people`` draws, whose spread counts.
        """
        total, square, noise = (np.zeros(len(users)) for _ in range(3))
        center_total = total if centers is people else np.zeros(len(users))
        # Only the rows that are asked for: one person's page must not touch the whole catalogue.
        who, user = (part.astype(np.int32) for part in np.unique(users, return_inverse=True))
        which, item = (part.astype(np.int32) for part in np.unique(films, return_inverse=True))
        for s in range(len(people)):
            film = film_side(self.draws.films[s][which])
            value = dots(user, item, person_side(people[s][who]), film)
            total += value
            square += value.astype(np.float64) ** 2
            noise += 1.0 / alpha[s][users]
            if center_total is not total:
                center_total += dots(user, item, person_side(centers[s][who]), film)
        n = len(people)
        variance = np.maximum(square / n - (total / n) ** 2, 0.0) + noise / n
        return self.center + center_total / n, np.sqrt(variance)

    def _probabilities(self, mean: Array, spread: Array, habits: FloatArray) -> Array:
        return star_probabilities(mean, spread, habits, prior=self.habit_prior, grid=self.grid)

    def _interval(
        self,
        mean: Array,
        spread: Array,
        habits: FloatArray,
        thresholds: Thresholds,
        level: float,
    ) -> Interval:
        n_rated = habits.sum(axis=1).astype(np.int64)
        p = self._probabilities(mean, spread, habits)
        lo, hi = shortest_run(p, thresholds.at(n_rated, level), self.grid)
        clipped = np.clip(mean, self.grid[0], self.grid[-1])
        return clipped.astype(np.float32), lo.astype(np.float32), hi.astype(np.float32)

    def _fold_in(
        self, histories: Histories
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Draws, conditional means and noise precisions of people given their ratings (one set
        per stored draw of the films), and the people's star counts."""
        rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
        use = np.isfinite(histories.rating) & (histories.item_index >= 0)
        use &= histories.item_index < self.n_items
        rows, items = rows[use], histories.item_index[use].astype(np.int32)
        stars = histories.rating[use]
        n = len(histories)
        one = Interactions(
            user_index=rows.astype(np.int32), item_index=items, rating=stars,
            timestamp=np.zeros(len(rows), np.int64), n_users=n, n_items=self.n_items,
        )  # fmt: skip
        side = np.asarray(rated_by(one) @ self.draws.people_map)
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(rows, minlength=n))])
        target = (stars - self.center).astype(np.float32)
        seen, column = np.unique(items, return_inverse=True)
        films = self.draws.films[:, seen]
        given = (indptr, rows, column.astype(np.int32), target)
        rng = np.random.default_rng(FOLD_IN_SEED)
        noise = rng.standard_normal((len(self.draws.people), 1, self.dim + 1))
        parts = [
            self._fold_in_draw(s, given, films[s], side, noise[s])
            for s in range(len(self.draws.people))
        ]
        people, centers, alpha = (
            np.array(part, dtype=np.float32) for part in zip(*parts, strict=True)
        )
        return people, centers, alpha, habit_counts(rows, stars, n, self.grid)

    def _fold_in_draw(
        self, s: int, given: tuple[NDArray, ...], films: FloatArray, side: Array, noise: Array
    ) -> tuple[Array, Array, Array]:
        indptr, rows, items, target = given
        draws, n = self.draws, len(indptr) - 1
        prior_mean = draws.people_mean[s] + side @ draws.people_link[s]
        design = films.copy()
        offset = target - design[items, 0]
        design[:, 0] = 1.0
        rate = NOISE_SHAPE / draws.alpha[s][-1]
        alpha = np.full(n, draws.alpha[s][-1])
        counts = np.diff(indptr)
        center = prior_mean
        with one_blas_thread():
            for step in range(3):  # the person's noise level and factors settle in two or three
                weight = alpha[rows].astype(np.float32)
                args = (
                    indptr,
                    items,
                    offset,
                    weight,
                    design,
                    draws.people_precision[s],
                    prior_mean,
                )
                center = draw_rows(*args, np.zeros((n, self.dim + 1)))
                if step < 2:
                    miss = offset - np.einsum("nd,nd->n", design[items], center[rows])
                    error = np.bincount(rows, miss.astype(np.float64) ** 2, minlength=n)
                    alpha = (NOISE_SHAPE + counts / 2) / (rate + error / 2)
            people = draw_rows(*args, np.repeat(noise, n, axis=0))
        return people, center, alpha

    # -- calibration ---------------------------------------------------------------------------

    def _calibrate(self, data: Interactions, *, seed: int, features: ItemFeatures | None) -> None:
        """Thresholds from ratings that a second model did not see: a tenth of most people's, and
        the later ratings of a few people folded in from their first ones."""
        rng = np.random.default_rng(seed)
        n_short = min(MAX_SHORT_PEOPLE, int(SHORT_PEOPLE_SHARE * data.n_users))
        short = np.sort(rng.choice(data.n_users, n_short, replace=False))
        is_short = np.isin(data.user_index, short)
        held = (rng.random(len(data)) < HELD_OUT_SHARE) & ~is_short
        rest = data.select(~held & ~is_short)
        if not held.any() or not len(rest):
            return
        model = type(self)(**{**self.params(), "calibrated": False})
        model._sample(rest, seed=seed, features=features)
        truth = data.select(held)
        users = truth.user_index
        mean, spread = model._moments(
            users, truth.item_index, model.draws.people, model.draws.people, model.draws.alpha
        )
        p = model._probabilities(mean, spread, model.habits[users])
        n_rated = model.habits[users].sum(axis=1).astype(np.int64)
        self.thresholds = Thresholds.calibrated(p, truth.rating, n_rated, model.grid)
        everyone = Histories.from_interactions(data.select(is_short), users=short)
        parts = [part for n in SHORT_HISTORIES if (part := model._short_part(everyone, n))]
        if parts:
            p, stars, n_known = (np.concatenate(list(x)) for x in zip(*parts, strict=True))
            known = n_known.astype(np.int64)
            self.folded_thresholds = Thresholds.calibrated(p, stars, known, model.grid)

    def _short_part(
        self, everyone: Histories, length: int
    ) -> tuple[Array, FloatArray, FloatArray] | None:
        """Probabilities, truths and known counts for people folded in from ``length`` ratings."""
        start, stop = everyone.indptr[:-1], everyone.indptr[1:]
        rows = np.flatnonzero(stop - start > length)
        if not len(rows):
            return None
        first = [slice(start[i], start[i] + length) for i in rows]
        histories = Histories.from_lists(
            [everyone.item_index[s].tolist() for s in first],
            ratings=[everyone.rating[s].tolist() for s in first],
        )
        later = [np.arange(start[i] + length, min(stop[i], start[i] + length + MAX_TRUTHS))
                 for i in rows]  # fmt: skip
        people, centers, alpha, habits = self._fold_in(histories)
        users = np.repeat(np.arange(len(rows), dtype=np.int32), [len(x) for x in later])
        at = np.concatenate(later)
        mean, spread = self._moments(
            users, everyone.item_index[at].astype(np.int32), people, centers, alpha
        )
        p = self._probabilities(mean, spread, habits[users])
        return p, everyone.rating[at], habits[users].sum(axis=1)

    # -- persistence ---------------------------------------------------------------------------

    def to_arrays(self) -> dict[str, NDArray]:
        """The draws, the people's star habits and the intervals' thresholds."""
        return {
            **self.draws.to_arrays(),
            "habits": self.habits,
            "habit_prior": self.habit_prior,
            "grid": self.grid,
            "center": np.array(self.center),
            "tau": self.thresholds.tau,
            "folded_tau": self.folded_thresholds.tau,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        """See :class:`RatingPredictor`."""
        model = cls(**params)
        model.draws = Draws.from_arrays(arrays)
        model.habits, model.habit_prior = arrays["habits"], arrays["habit_prior"]
        model.grid, model.center = arrays["grid"], float(arrays["center"])
        model.thresholds = Thresholds(arrays["tau"])
        model.folded_thresholds = Thresholds(arrays["folded_tau"])
        model.n_users = len(model.habits)
        model.n_items = model.draws.films.shape[1] - 1
        return model


def _transposed(data: Interactions) -> Interactions:
    return Interactions(
        user_index=data.item_index, item_index=data.user_index, rating=data.rating,
        timestamp=data.timestamp, n_users=data.n_items, n_items=data.n_users,
    )  # fmt: skip
