"""Sample-ratio mismatch: arms whose sizes cannot come from the split that was asked for.

Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments" (2019): such an
experiment says nothing, whatever its interval says. Pearson's chi-square is for one look; for an
alarm that is checked every few minutes there is the e-value of Lindon and Malek, "Anytime-Valid
Inference for Multinomial Count Data" (2022), which may be looked at for ever: in a right split it
ever exceeds x with a chance of at most 1 / x.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import gammaln
from scipy.stats import chi2

ALARM = 1000.0  # a right split is stopped once in a thousand experiments at most


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Pearson's statistic and its p-value of one look, and the e-value of all looks."""

    statistic: float
    p_value: float
    e_value: float

    @property
    def is_alarm(self) -> bool:
        """The counts cannot come from the split."""
        return self.e_value >= ALARM


def mismatch(counts: Sequence[int], shares: Sequence[float]) -> Mismatch:
    """``counts`` per arm against ``shares``, which are scaled to sum to 1.

    Raises ValueError for shares that aren't positive, or that aren't one per arm.
    """
    if len(counts) != len(shares) or len(counts) < 2 or any(share <= 0 for share in shares):
        raise ValueError("one positive share is needed per arm, and two arms at least")
    n, total = sum(counts), sum(shares)
    if not n:
        return Mismatch(0.0, 1.0, 1.0)
    wanted = [share / total for share in shares]
    pairs = list(zip(counts, wanted, strict=True))
    statistic = sum((count - n * share) ** 2 / (n * share) for count, share in pairs)
    # Dirichlet prior centred on the split, weight of one observation per arm.
    prior = [share * len(counts) for share in wanted]
    weight = sum(prior)
    log_e = float(gammaln(weight) - gammaln(weight + n))
    for (count, share), alpha in zip(pairs, prior, strict=True):
        log_e += float(gammaln(alpha + count) - gammaln(alpha)) - count * math.log(share)
    return Mismatch(
        statistic=statistic,
        p_value=float(chi2.sf(statistic, df=len(counts) - 1)),
        e_value=math.exp(min(log_e, 700.0)),
    )
