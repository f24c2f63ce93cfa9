"""From a predicted mean and spread to an interval of stars that is right as often as it says.

A star is one of a few values, and people use them differently (some give only whole stars, some
hardly ever a 2). So the predictive distribution is taken on the grid of possible stars:

    P(r = g) ~ [Phi((g+ - m) / s) - Phi((g- - m) / s)] * (habit_u(g) / expected_u(g))^.75

and the interval is the shortest run of stars that holds a mass of tau. tau is set by group of
history length on ratings that the model did not see (split conformal prediction: Vovk et al.
2005; Mondrian by group), which makes the coverage honest whatever the model got wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ml.types import FloatArray

Array = NDArray[np.float64]

HABIT_POWER, HABIT_PRIOR = 0.75, 5.0  # chosen on held-out training ratings (likelihood)
GROUP_EDGES = (1, 3, 6, 11, 21, 51, 151)  # history lengths 0, 1-2, 3-5, ..., above 150
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
POOLED_WEIGHT = 100.0  # a group's threshold leans on the pooled one like this many ratings
MAX_GRID = 20


def star_grid(ratings: NDArray[np.floating]) -> Array:
    """The stars that occur, ascending; a half-star grid when the values are not on a grid."""
    values = np.unique(ratings.astype(np.float64))
    if len(values) <= MAX_GRID:
        return values
    return np.arange(np.floor(values[0] * 2) / 2, values[-1] + 0.25, 0.5)


def habit_counts(
    user_index: NDArray[np.integer], ratings: NDArray[np.floating], n_users: int, grid: Array
) -> FloatArray:
    """float32[n_users, len(grid)]: how often each person gave each star."""
    nearest = np.abs(ratings[:, None] - grid[None, :]).argmin(axis=1)
    counts = np.zeros((n_users, len(grid)), dtype=np.float32)
    np.add.at(counts, (user_index, nearest), 1.0)
    return counts


def star_probabilities(
    mean: NDArray[np.floating],
    spread: NDArray[np.floating],
    habits: NDArray[np.floating],
    *,
    prior: Array,
    grid: Array,
) -> Array:
    """[n, len(grid)]: P(r = g) for each prediction; ``habits`` [n, len(grid)] are counts."""
    edges = np.concatenate([[-np.inf], (grid[1:] + grid[:-1]) / 2, [np.inf]])
    habit = habits + HABIT_PRIOR * prior
    habit = habit / habit.sum(axis=1, keepdims=True)
    center = habit @ grid
    width = np.sqrt(np.maximum(habit @ grid**2 - center**2, 0.04))
    expected = np.diff(ndtr((edges - center[:, None]) / width[:, None]), axis=1)
    raw = np.diff(ndtr((edges - mean[:, None]) / np.maximum(spread, 0.05)[:, None]), axis=1)
    p = (raw + 1e-9) * (habit / np.maximum(expected, 1e-3)) ** HABIT_POWER
    return p / p.sum(axis=1, keepdims=True)


def shortest_run(p: Array, tau: Array, grid: Array) -> tuple[Array, Array]:
    """Ends of the shortest run of stars with mass >= tau [n]; of equally short, the likeliest."""
    n, size = p.shape
    below = np.concatenate([np.zeros((n, 1)), np.cumsum(p, axis=1)], axis=1)
    best = np.full(n, np.inf)
    ends = np.tile(np.array([0, size - 1]), (n, 1))
    for a in range(size):
        for b in range(a, size):
            mass = below[:, b + 1] - below[:, a]
            cost = np.where(mass >= tau, grid[b] - grid[a] - 1e-3 * mass, np.inf)
            better = cost < best
            best[better] = cost[better]
            ends[better] = (a, b)
    return grid[ends[:, 0]], grid[ends[:, 1]]


def history_group(n_rated: NDArray[np.integer]) -> NDArray[np.intp]:
    """Group of each history length: 0 for none, then by :data:`GROUP_EDGES`."""
    return np.searchsorted(np.array(GROUP_EDGES), n_rated, side="right")


def threshold_for(p: Array, truth: NDArray[np.floating], grid: Array, level: float) -> float:
    """The least mass tau whose runs cover ``level`` of ``truth``, by bisection."""
    low, high = 0.0, 1.0 - 1e-6
    for _ in range(16):
        tau = (low + high) / 2
        lo, hi = shortest_run(p, np.full(len(p), tau), grid)
        inside = (truth >= lo - 1e-6) & (truth <= hi + 1e-6)
        if inside.mean() < level:
            low = tau
        else:
            high = tau
    return high


@dataclass(frozen=True, slots=True)
class Thresholds:
    """tau by group of history length and level: float64[n_groups, len(LEVELS)]."""

    tau: Array

    @classmethod
    def uncalibrated(cls) -> Thresholds:
        """The model's own word: mass = level."""
        return cls(np.tile(np.array(LEVELS), (len(GROUP_EDGES) + 1, 1)))

    @classmethod
    def calibrated(
        cls, p: Array, truth: NDArray[np.floating], n_rated: NDArray[np.integer], grid: Array
    ) -> Thresholds:
        """From held-out ratings ``truth`` [n] of people with ``n_rated`` [n] known ratings."""
        pooled = [threshold_for(p, truth, grid, level) for level in LEVELS]
        tau = np.tile(np.array(pooled), (len(GROUP_EDGES) + 1, 1))
        group = history_group(n_rated)
        for g in range(len(tau)):
            mine = group == g
            if mine.any():
                own = [threshold_for(p[mine], truth[mine], grid, level) for level in LEVELS]
                share = mine.sum() / (mine.sum() + POOLED_WEIGHT)
                tau[g] = share * np.array(own) + (1.0 - share) * tau[g]
        return cls(tau)

    def at(self, n_rated: NDArray[np.integer], level: float) -> Array:
        """tau for each prediction; between the tabled levels by interpolation."""
        if not LEVELS[0] <= level <= LEVELS[-1]:
            msg = f"level must lie in {LEVELS[0]}..{LEVELS[-1]}, not {level}"
            raise ValueError(msg)
        by_group = np.array([np.interp(level, LEVELS, row) for row in self.tau])
        return by_group[history_group(n_rated)]
