"""Bootstrap intervals of means, and of paired differences, over people."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

N_DRAWS = 1000
Z_95 = 1.959964  # of the standard normal: 95 % lie between -z and z
_CHUNK_CELLS = 4_000_000  # bounds a block of draws at 32 MB


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % bootstrap interval."""

    mean: float
    lo: float
    hi: float


def share_interval(part: int, whole: int) -> Interval:
    """``part / whole`` with its 95 % score interval (Wilson 1927); nan of nothing.

    As if every event were another person's: who says much makes the true one wider.
    """
    if whole <= 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    share, spread = part / whole, Z_95**2 / whole
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 * sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def mean_intervals(
    values: dict[str, NDArray[np.float64]],
    *,
    group: NDArray[np.integer] | None = None,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> dict[str, Interval]:
    """The mean of each named float[n] with its interval; nan rows don't count.

    ``group`` int[n]: rows of one group (person) are drawn together, because events of one person
    are no independent witnesses. All names share the same draws, so they are comparable.
    """
    if not values:
        return {}
    table = np.column_stack([np.asarray(v, dtype=np.float64) for v in values.values()])
    present = np.isfinite(table)
    sums, counts = _group_sums(np.where(present, table, 0.0), group), _group_sums(present, group)
    means = _safe_ratio(sums.sum(axis=0), counts.sum(axis=0))
    draws = _draw_means(sums, counts, seed=seed, n_draws=n_draws)
    out: dict[str, Interval] = {}
    for i, name in enumerate(values):
        finite = draws[np.isfinite(draws[:, i]), i]
        lo, hi = np.quantile(finite, [0.025, 0.975]) if len(finite) else (np.nan, np.nan)
        out[name] = Interval(float(means[i]), float(lo), float(hi))
    return out


def paired_difference(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    *,
    group: NDArray[np.integer] | None = None,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> Interval:
    """Mean of ``a - b`` over the same rows, with its interval: above 0 means a is better."""
    if len(a) != len(b):
        raise ValueError(f"paired rows differ: {len(a)} and {len(b)}")
    return mean_intervals({"d": a - b}, group=group, seed=seed, n_draws=n_draws)["d"]


def _group_sums(table: NDArray, group: NDArray[np.integer] | None) -> NDArray[np.float64]:
    if group is None or not len(table):
        return table.astype(np.float64)
    label = np.unique(group, return_inverse=True)[1]
    columns = [np.bincount(label, weights=table[:, j]) for j in range(table.shape[1])]
    return np.column_stack(columns)


def _draw_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], *, seed: int, n_draws: int
) -> NDArray[np.float64]:
    n = len(sums)
    if not n:
        return np.full((n_draws, sums.shape[1]), np.nan)
    rng = np.random.default_rng(seed)
    block = max(1, _CHUNK_CELLS // n)
    parts = []
    for start in range(0, n_draws, block):
        size = min(block, n_draws - start)
        times = rng.multinomial(n, np.full(n, 1.0 / n), size=size).astype(np.float64)
        parts.append(_safe_ratio(times @ sums, times @ counts))
    return np.concatenate(parts)


def _safe_ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0)
