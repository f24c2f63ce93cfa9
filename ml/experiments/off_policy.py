"""What another policy would have earned, from the log of this one.

Three estimators over places that were filled by chance (:mod:`ml.experiments.exploration`):

* IPS, inverse propensity scoring (Horvitz and Thompson, 1952): unbiased, wide;
* SNIPS, self-normalised (Swaminathan and Joachims, "The Self-Normalized Estimator for
  Counterfactual Learning", 2015): narrower, biased by O(1/n), cannot leave the range of rewards;
* DR, doubly robust (Dudik, Langford and Li, "Doubly Robust Policy Evaluation and Learning", 2011):
  a model of the reward, corrected by the weighted errors that it made.

Places are judged one by one (the item-position model of Li et al., "Offline Evaluation of Ranking
Policies with Click Models", 2018): what a film earns at a place may depend on both, not on the
other films of the list. The places of a list are no independent witnesses, so intervals are over
lists (or whatever ``group`` says).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Value:
    """A mean reward per place with its 95 % interval."""

    mean: float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """The estimates. ``n_effective`` is Kish's number of places the weights are worth."""

    ips: Value
    snips: Value
    dr: Value | None
    n: int
    n_effective: float
    largest_weight: float


@dataclass(frozen=True, slots=True)
class Logged:
    """``n`` places of logged lists as parallel arrays.

    ``reward`` what the shown film earned; ``logged`` the chance that the logging policy showed it
    there (above 0); ``target`` the chance that the judged policy would have; ``group`` the list.
    """

    reward: NDArray[np.float64]
    logged: NDArray[np.float64]
    target: NDArray[np.float64]
    group: NDArray[np.int64]

    def __post_init__(self) -> None:
        sizes = {len(self.reward), len(self.logged), len(self.target), len(self.group)}
        if len(sizes) != 1:
            raise ValueError(f"columns of different lengths: {sorted(sizes)}")
        if len(self.reward) and not (self.logged > 0).all():
            raise ValueError("what was shown had a chance: propensities must be above 0")


def off_policy(
    log: Logged,
    *,
    predicted_shown: NDArray[np.float64] | None = None,
    predicted_target: NDArray[np.float64] | None = None,
) -> OffPolicy:
    """The estimates over ``log``; DR where the reward model's answers are given.

    ``predicted_shown`` [n] is the model's reward of the film that was shown,
    ``predicted_target`` [n] the expected one under the judged policy; the model must not have
    learned from these rows (cross-fitting). Raises ValueError for an empty log.
    """
    n = len(log.reward)
    if not n:
        raise ValueError("nothing was logged")
    weight = log.target / log.logged
    weighted = weight * log.reward
    total = float(weight.sum())
    if total > 0:
        ratio = float(weighted.sum()) / total
        # The delta method on a ratio of means, over groups.
        snips = _interval(ratio, (weighted - ratio * weight) * (n / total), log.group)
        effective = total**2 / float((weight**2).sum())
    else:
        snips, effective = Value(float("nan"), float("-inf"), float("inf")), 0.0
    mean = float(weighted.mean())
    dr = None
    if predicted_shown is not None and predicted_target is not None:
        parts = predicted_target + weight * (log.reward - predicted_shown)
        dr = _interval(float(parts.mean()), parts - parts.mean(), log.group)
    return OffPolicy(
        ips=_interval(mean, weighted - mean, log.group),
        snips=snips,
        dr=dr,
        n=n,
        n_effective=effective,
        largest_weight=float(weight.max()),
    )


def reward_table(
    rank: NDArray[np.integer],
    place: NDArray[np.integer],
    reward: NDArray[np.float64],
    *,
    shape: tuple[int, int],
    weight: float = 20.0,
) -> NDArray[np.float64]:
    """A plain reward model float64[n_ranks, n_places]: by rank times by place.

    ``rank`` is where the logging policy had the film, ``place`` where it was shown; both are drawn
    towards the overall mean as ``weight`` more observations of it would.
    """
    overall = float(reward.mean()) if len(reward) else 0.0
    rates = [
        (np.bincount(at, reward, n) + weight * overall) / (np.bincount(at, minlength=n) + weight)
        for at, n in ((rank, shape[0]), (place, shape[1]))
    ]
    return np.asarray(np.outer(rates[0], rates[1]) / max(overall, 1e-9))


def _interval(mean: float, centred: NDArray[np.float64], group: NDArray[np.int64]) -> Value:
    """Normal interval of a mean, from deviations summed within groups."""
    label = np.unique(group, return_inverse=True)[1]
    sums = np.bincount(label, weights=centred)
    n_groups = len(sums)
    if n_groups < 2:
        return Value(mean, float("-inf"), float("inf"))
    spread = np.sqrt((sums**2).sum() * n_groups / (n_groups - 1)) / len(centred)
    return Value(mean, mean - Z95 * float(spread), mean + Z95 * float(spread))
