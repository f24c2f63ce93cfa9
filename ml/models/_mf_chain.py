"""The Gibbs chain of ``bayesian_mf``: its state, one sweep, and the draws that are kept."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.models._gibbs import Array, Ratings, dots, draw_rows, spectrum, wishart
from ml.resources import one_blas_thread
from ml.types import FloatArray, Interactions

RIDGE_SHAPE, RIDGE_RATE = 1.0, 1.0  # Gamma prior of the side information's ridge
MEAN_WEIGHT = 2.0  # pseudo-observations behind the prior mean (beta_0 of the paper)


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Sizes of a chain; see ``BayesianMF``."""

    dim: int
    sweeps: int
    burn_in: int
    thin: int
    rank: int
    noise_shape: float


@dataclass(frozen=True, slots=True)
class Draws:
    """Kept draws, ``S`` of them. Factor rows are (bias, factors), d wide.

    The last row of ``people``, ``films`` and ``alpha`` stands for someone, or a film, of whom
    nothing is known: draws from the prior, centred so that their mean is the prior's mean.
    """

    people: FloatArray  # [S, n_users + 1, d]
    films: FloatArray  # [S, n_items + 1, d]
    alpha: FloatArray  # [S, n_users + 1] noise precision
    people_mean: FloatArray  # [S, d]
    people_precision: Array  # [S, d, d]
    people_link: FloatArray  # [S, r, d]
    people_map: FloatArray  # [n_items, r]: from who-rated-what rows to the side basis

    def to_arrays(self) -> dict[str, NDArray]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray]) -> Self:
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})


def film_side(factors: FloatArray) -> FloatArray:
    """(c, q) -> (1, q, c)."""
    ones = np.ones((len(factors), 1), np.float32)
    return np.concatenate([ones, factors[:, 1:], factors[:, :1]], axis=1)


def person_side(factors: FloatArray) -> FloatArray:
    """(b, p) -> (b, p, 1)."""
    return np.concatenate([factors, np.ones((len(factors), 1), np.float32)], axis=1)


class Side:
    """People or films: their factors, and the prior that is drawn with them.

    With F = left values right', the regression's part is left @ link; ``link`` has the prior
    N(0, values^2 / ridge * Lambda^-1) coordinate by coordinate.
    """

    def __init__(
        self, info: sparse.csr_matrix, d: int, *, rank: int, seed: int, rng: np.random.Generator
    ) -> None:
        self.left, self.values, self.right = spectrum(info, rank, seed)
        self.factors = rng.standard_normal((info.shape[0], d)) * 0.1
        self.link = np.zeros((len(self.values), d))
        self.mean = np.zeros(d)
        self.precision = np.eye(d) * 5.0
        self.ridge = 1.0
        self.rng = rng

    def prior_mean(self) -> Array:
        """[n, d]: each row's prior mean given the current link."""
        return self.mean + self.left @ self.link

    def draw_prior(self) -> None:
        """Draw precision and mean (Normal-Wishart), then link, then ridge, given the factors."""
        n, d = self.factors.shape
        resid = self.factors - self.left @ self.link
        center = resid.mean(axis=0)
        deviation = resid - center
        shrunk = self.link / self.values[:, None]
        scatter = np.eye(d) + deviation.T @ deviation + self.ridge * shrunk.T @ shrunk
        scatter += MEAN_WEIGHT * n / (n + MEAN_WEIGHT) * np.outer(center, center)
        self.precision = wishart(self.rng, d + n + len(self.values), (scatter + scatter.T) / 2)
        root = np.linalg.cholesky(np.linalg.inv(self.precision))
        jitter = root @ self.rng.standard_normal(d) / np.sqrt(n + MEAN_WEIGHT)
        self.mean = n / (n + MEAN_WEIGHT) * center + jitter
        self._draw_link(root)

    def _draw_link(self, root: Array) -> None:
        power = self.values**2
        gain = (power / (power + self.ridge))[:, None]
        target = self.left.T @ (self.factors - self.mean)
        noise = self.rng.standard_normal(target.shape) @ root.T
        self.link = gain * target + np.sqrt(gain) * noise
        shrunk = self.link / self.values[:, None]
        energy = np.einsum("ra,ab,rb->", shrunk, self.precision, shrunk)
        shape = RIDGE_SHAPE + shrunk.size / 2
        self.ridge = float(self.rng.gamma(shape, 1.0 / (RIDGE_RATE + energy / 2)))


class Chain:
    """Draws people, films, their priors and the noise levels in turn."""

    def __init__(
        self,
        data: Interactions,
        people_info: sparse.csr_matrix,
        film_info: sparse.csr_matrix,
        settings: ChainSettings,
        *,
        center: float,
        seed: int,
    ) -> None:
        rng = np.random.default_rng(seed)
        d = settings.dim + 1
        self.settings, self.rng, self.d = settings, rng, d
        self.user, self.item = data.user_index.astype(np.int32), data.item_index.astype(np.int32)
        self.target = (data.rating - center).astype(np.float32)
        self.by_user = Ratings.grouped(self.user, self.item, data.n_users)
        self.by_item = Ratings.grouped(self.item, self.user, data.n_items)
        self.people = Side(people_info, d, rank=settings.rank, seed=seed, rng=rng)
        self.films = Side(film_info, d, rank=settings.rank, seed=seed, rng=rng)
        self.alpha = np.full(data.n_users, 1.5)

    def run(self) -> Draws:
        """All sweeps; the kept draws."""
        kept = []
        with one_blas_thread():
            for sweep in range(self.settings.sweeps):
                self._sweep()
                after = sweep - self.settings.burn_in
                if after >= 0 and after % self.settings.thin == 0:
                    kept.append(self._snapshot())
        if not kept:
            raise ValueError("sweeps must exceed burn_in")
        return self._draws(kept)

    def _sweep(self) -> None:
        for side, other, ratings in (
            (self.people, self.films, self.by_user),
            (self.films, self.people, self.by_item),
        ):
            design = other.factors.astype(np.float32)
            offset = design[:, 0].copy()
            design[:, 0] = 1.0
            side.factors = draw_rows(
                ratings.indptr,
                ratings.column,
                self.target[ratings.source] - offset[ratings.column],
                self.alpha[self.user[ratings.source]].astype(np.float32),
                design,
                side.precision,
                side.prior_mean(),
                self.rng.standard_normal(side.factors.shape),
            )
        self.people.draw_prior()
        self.films.draw_prior()
        self._draw_noise()

    def _draw_noise(self) -> None:
        left = person_side(self.people.factors.astype(np.float32))
        right = film_side(self.films.factors.astype(np.float32))
        square = (self.target - dots(self.user, self.item, left, right)).astype(np.float64) ** 2
        error = np.bincount(self.user, square, minlength=len(self.alpha))
        counts = np.bincount(self.user, minlength=len(self.alpha))
        shape = self.settings.noise_shape
        # The Gamma prior is centred on the pooled noise level (empirical Bayes, once per sweep).
        rate = shape * max(float(square.mean()), 1e-4)
        self.alpha = self.rng.gamma(shape + counts / 2, 1.0 / (rate + error / 2))

    def _snapshot(self) -> tuple[NDArray, ...]:
        people, films = self.people, self.films
        return (
            people.factors.astype(np.float32), films.factors.astype(np.float32),
            self.alpha.astype(np.float32), people.mean, people.precision, people.link,
            films.mean, films.precision,
        )  # fmt: skip

    def _draws(self, kept: list[tuple[NDArray, ...]]) -> Draws:
        columns = [np.array(column) for column in zip(*kept, strict=True)]
        people, films, alpha, mean, precision, link, film_mean, film_precision = columns
        stranger = self._strangers(mean, precision)
        unknown = self._strangers(film_mean, film_precision)
        pooled = 1.0 / (1.0 / alpha).mean(axis=1, keepdims=True)
        return Draws(
            people=np.concatenate([people, stranger[:, None]], axis=1),
            films=np.concatenate([films, unknown[:, None]], axis=1),
            alpha=np.concatenate([alpha, pooled], axis=1).astype(np.float32),
            people_mean=mean.astype(np.float32),
            people_precision=precision,
            people_link=link.astype(np.float32),
            people_map=(self.people.right / self.people.values).astype(np.float32),
        )

    def _strangers(self, mean: Array, precision: Array) -> FloatArray:
        noise = self.rng.standard_normal(mean.shape)
        noise -= noise.mean(axis=0)
        roots = np.linalg.cholesky(np.linalg.inv(precision))
        return (mean + np.einsum("sab,sb->sa", roots, noise)).astype(np.float32)
