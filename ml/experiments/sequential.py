"""Intervals that may be looked at every day: asymptotic confidence sequences.

An ordinary 95 % interval is right once, at a sample size that was fixed before. Whoever looks every
day and stops at the first "significant" day is wrong far more often than 5 %. A confidence sequence
covers the truth at all times at once with 95 %, so that looking costs nothing.

Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic
confidence sequences" (Annals of Statistics 2024; arXiv:2103.06476), theorem 2.2: with running mean
m_t and standard deviation s_t,

    m_t +- s_t sqrt( 2 (t rho^2 + 1) / (t^2 rho^2) log( sqrt(t rho^2 + 1) / alpha ) ).

Under martingale dependence the same interval covers the running mean of the conditional means
(section 2.5 there): lists of one person need not be independent, as long as chance is drawn anew
for each. It is asymptotic: nothing is said before ``start`` observations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALPHA = 0.05
START = 30  # observations (per arm, where there are arms) before anything is said
N_TARGET = 1000  # where the interval is tightest for its kind
MORE_AT_MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class Path:
    """A mean and its confidence sequence after each observation, float64[n] each.

    ``p_value`` is always valid (Johari et al., "Always Valid Inference", 2022): the smallest alpha
    whose interval leaves 0 out. Before anything may be said, bounds are infinite and it is 1.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    lo: NDArray[np.float64]
    hi: NDArray[np.float64]
    p_value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def is_decided(self) -> NDArray[np.bool_]:
        """Where 0 lies outside the interval."""
        return (self.lo > 0) | (self.hi < 0)

    def first_decision(self) -> int | None:
        """How many observations it took; None where it never left 0 out."""
        found = np.flatnonzero(self.is_decided)
        return int(found[0]) + 1 if len(found) else None


def rho_for(n_target: int, alpha: float = ALPHA) -> float:
    """The rho whose sequence is tightest after ``n_target`` observations (ibid., appendix C.3)."""
    if n_target < 1 or not 0 < alpha < 1:
        raise ValueError("n_target must be positive and alpha in (0, 1)")
    wide = -2.0 * math.log(alpha)
    return math.sqrt((wide + math.log(wide) + 1.0) / n_target)


def radius(
    t: NDArray[np.float64] | float, *, rho: float, alpha: float = ALPHA
) -> NDArray[np.float64]:
    """Half the width after ``t`` observations, in standard deviations."""
    t = np.maximum(np.asarray(t, dtype=np.float64), 1.0)
    grown = t * rho**2 + 1.0
    return np.asarray(np.sqrt(2.0 * grown / (t * rho) ** 2 * np.log(np.sqrt(grown) / alpha)))


def sequence(
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    *,
    is_ready: NDArray[np.bool_],
    alpha: float = ALPHA,
    n_target: int = N_TARGET,
) -> Path:
    """The confidence sequence around running means with these running standard deviations."""
    t = np.arange(1, len(mean) + 1, dtype=np.float64)
    rho = rho_for(n_target, alpha)
    half = deviation * radius(t, rho=rho, alpha=alpha)
    usable = is_ready & (deviation > 0)
    grown = t * rho**2 + 1.0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exponent = -((mean / deviation) ** 2) * (t * rho) ** 2 / (2.0 * grown)
        p_value = np.minimum(np.sqrt(grown) * np.exp(exponent), 1.0)
    return Path(
        mean=mean,
        deviation=deviation,
        lo=np.where(usable, mean - half, -np.inf),
        hi=np.where(usable, mean + half, np.inf),
        p_value=np.where(usable, p_value, 1.0),
    )


def mean_sequence(
    values: NDArray[np.floating],
    *,
    alpha: float = ALPHA,
    n_target: int = N_TARGET,
    start: int = START,
) -> Path:
    """For the mean of ``values`` [n], in the order in which they came.

    ``start`` counts those that are not 0: of a thousand lists on which nobody clicked, nothing is
    known.
    """
    values = np.asarray(values, dtype=np.float64)
    t = np.arange(1, len(values) + 1, dtype=np.float64)
    mean = np.cumsum(values) / t
    square = np.cumsum(values**2) / t
    deviation = np.sqrt(np.maximum(square - mean**2, 0.0) * t / np.maximum(t - 1.0, 1.0))
    is_ready = np.cumsum(values != 0) >= start
    return sequence(mean, deviation, is_ready=is_ready, alpha=alpha, n_target=n_target)


def more_needed(
    *, n: int, deviation: float, width: float, alpha: float = ALPHA, n_target: int = N_TARGET
) -> int | None:
    """How many more observations until half the interval's width is ``width``.

    None where it would take more than ten millions, or where nothing is known of the deviation.
    """
    if width <= 0 or not math.isfinite(deviation) or deviation <= 0:
        return None
    rho = rho_for(n_target, alpha)

    def is_enough(t: int) -> bool:
        return deviation * float(radius(float(t), rho=rho, alpha=alpha)) <= width

    low, high = max(n, 1), max(n, 1)
    while not is_enough(high):
        high *= 2
        if high > MORE_AT_MOST:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return max(0, low - n)
