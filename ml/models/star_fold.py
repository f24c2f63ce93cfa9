"""What a web process needs of :class:`ml.models.bayesian_mf.BayesianMF`: fold-in, in numpy alone.

Fitted by that model's sampler; kept are the draws of the films and of the prior over people. No
row of any person is kept, so the files hold no personal data, and nothing has to be compiled
before the first prediction.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.models._star_intervals import Thresholds, shortest_run, star_probabilities
from ml.models.rating_base import Interval, RatingPredictor
from ml.types import FloatArray, Histories, Interactions, ItemFeatures

Array = NDArray[np.float64]

NOISE_STEPS = 3  # a person's noise level and factors settle in two or three
NOISE_SHAPE = 5.0  # as in the sampler
FOLD_IN_SEED = 20240229  # the same answer to the same history every time


class StarFold(RatingPredictor):
    """Stars and intervals for people known by their ratings. ``params`` are the sampler's."""

    name = "star_fold"

    def __init__(self, **sampler: Any) -> None:
        self.sampler = sampler

    def params(self) -> dict[str, Any]:
        """The sampler's settings."""
        return dict(self.sampler)

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """See :class:`RatingPredictor`. Compiles the sampler: for training processes only."""
        from ml.models.bayesian_mf import BayesianMF

        model = BayesianMF(**self.sampler).fit(interactions, seed=seed, features=features)
        self.films = model.draws.films
        self.noise_precision = model.draws.alpha[:, -1].astype(np.float64)
        self.people_mean = model.draws.people_mean
        self.people_precision = model.draws.people_precision
        self.people_link = model.draws.people_link
        self.people_map = model.draws.people_map
        self.habit_prior, self.grid = model.habit_prior, model.grid
        self.center = model.center
        self.thresholds = model.folded_thresholds
        self.n_users, self.n_items = model.n_users, model.n_items
        return self

    def predict_interval(
        self,
        user_index: NDArray[np.integer],
        item_index: NDArray[np.integer],
        *,
        level: float = 0.8,
    ) -> Interval:
        """Of nobody in particular: no person of the training is kept."""
        nobody = Histories.from_lists([[]])
        stars, low, high = self.predict_interval_for(nobody, item_index, level=level)
        return stars[0], low[0], high[0]

    def predict_interval_for(
        self, histories: Histories, items: NDArray[np.integer], *, level: float = 0.8
    ) -> Interval:
        """See :class:`RatingPredictor`; a few milliseconds a person."""
        parts = [self._one(histories, i, np.asarray(items), level) for i in range(len(histories))]
        stars, low, high = (np.stack(part).astype(np.float32) for part in zip(*parts, strict=True))
        return stars, low, high

    def _one(
        self, histories: Histories, i: int, items: NDArray[np.integer], level: float
    ) -> tuple[Array, Array, Array]:
        row = histories.row(i)
        seen, stars = histories.item_index[row], histories.rating[row].astype(np.float64)
        use = np.isfinite(stars) & (seen >= 0) & (seen < self.n_items)
        seen, stars = seen[use], stars[use]
        people, centers, precision = self._person(seen, stars)
        known = (items >= 0) & (items < self.n_items)
        # The last row stands for a film of which nothing is known.
        films = self.films[:, np.where(known, items, self.n_items)].astype(np.float64)
        values = _product(people, films)
        mean = self.center + _product(centers, films).mean(axis=0)
        spread = np.sqrt(values.var(axis=0) + (1.0 / precision).mean())
        nearest = np.abs(stars[:, None] - self.grid).argmin(axis=1)
        habits = np.bincount(nearest, minlength=len(self.grid)).astype(np.float64)
        habits = np.tile(habits, (len(items), 1))
        p = star_probabilities(mean, spread, habits, prior=self.habit_prior, grid=self.grid)
        tau = self.thresholds.at(np.full(len(items), len(stars)), level)
        low, high = shortest_run(p, tau, self.grid)
        return np.clip(mean, self.grid[0], self.grid[-1]), low, high

    def _person(self, seen: NDArray[np.integer], stars: Array) -> tuple[Array, Array, Array]:
        """Draws [S, d], conditional means [S, d] and noise precisions [S], one per film draw."""
        n_draws, _, d = self.films.shape
        side = self.people_map[np.unique(seen)].sum(axis=0) / max(1.0, np.sqrt(len(set(seen))))
        prior = self.people_mean + np.einsum("r,srd->sd", side, self.people_link)
        films = self.films[:, seen].astype(np.float64)
        design = films.copy()
        design[:, :, 0] = 1.0
        target = (stars - self.center)[None, :] - films[:, :, 0]
        gram = np.einsum("sni,snj->sij", design, design)
        pull = np.einsum("sni,sn->si", design, target)
        pulled_prior = np.einsum("sij,sj->si", self.people_precision, prior)
        alpha = self.noise_precision.copy()
        rate = NOISE_SHAPE / self.noise_precision
        noise = np.random.default_rng(FOLD_IN_SEED).standard_normal((n_draws, 1, d))[:, 0]
        center = prior
        system = self.people_precision
        for step in range(NOISE_STEPS):
            system = self.people_precision + alpha[:, None, None] * gram
            center = np.linalg.solve(system, (pulled_prior + alpha[:, None] * pull)[..., None])
            center = center[..., 0]
            if step < NOISE_STEPS - 1:
                miss = target - np.einsum("snd,sd->sn", design, center)
                alpha = (NOISE_SHAPE + len(stars) / 2) / (rate + (miss**2).sum(axis=1) / 2)
        upper = np.linalg.cholesky(system).transpose(0, 2, 1)
        return center + np.linalg.solve(upper, noise[..., None])[..., 0], center, alpha

    def to_arrays(self) -> dict[str, NDArray]:
        """The draws of films and prior, star habits and the intervals' thresholds."""
        return {
            "films": self.films,
            "noise_precision": self.noise_precision,
            "people_mean": self.people_mean,
            "people_precision": self.people_precision,
            "people_link": self.people_link,
            "people_map": self.people_map,
            "habit_prior": self.habit_prior,
            "grid": self.grid,
            "center": np.array(self.center),
            "tau": self.thresholds.tau,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        """See :class:`RatingPredictor`."""
        model = cls(**params)
        for name in (
            *("films", "noise_precision", "people_mean", "people_precision", "people_link"),
            *("people_map", "habit_prior", "grid"),
        ):
            setattr(model, name, arrays[name])
        model.center = float(arrays["center"])
        model.thresholds = Thresholds(arrays["tau"])
        model.n_users = 0
        model.n_items = model.films.shape[1] - 1
        return model

    films: FloatArray
    noise_precision: Array
    people_mean: FloatArray
    people_precision: Array
    people_link: FloatArray
    people_map: FloatArray
    habit_prior: Array
    grid: Array
    center: float
    thresholds: Thresholds


def _product(people: Array, films: Array) -> Array:
    """[S, m]: person (b, p) [S, d] times film (c, q) [S, m, d]: b + p . q + c."""
    factors = np.einsum("sd,smd->sm", people[:, 1:], films[:, :, 1:])
    return people[:, :1] + factors + films[:, :, 0]
