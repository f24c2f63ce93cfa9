"""Two arms compared: the difference of their means as a confidence sequence, CUPED if wished.

CUPED: Deng, Xu, Kohavi and Walker, "Improving the Sensitivity of Online Controlled Experiments by
Utilizing Pre-Experiment Data" (2013). What people did before the experiment cannot depend on the
arm; taking out what it predicts leaves the difference in place and makes its interval narrower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.experiments.sequential import ALPHA, N_TARGET, START, Path, sequence


@dataclass(frozen=True, slots=True)
class Difference:
    """Arm 1 minus arm 0 after each person. ``explained`` is the share of variance CUPED took."""

    path: Path
    mean_control: float
    mean_treatment: float
    n_control: int
    n_treatment: int
    explained: float


def difference(
    outcome: NDArray[np.floating],
    arm: NDArray[np.integer],
    *,
    share: float = 0.5,
    covariate: NDArray[np.floating] | None = None,
    alpha: float = ALPHA,
    n_target: int = N_TARGET,
    start: int = START,
) -> Difference:
    """``outcome`` [n] of people in the order in which they were counted, ``arm`` [n] 0 or 1.

    ``share`` is the chance of arm 1. The values averaged are the influence function of the
    difference in means, m1 - m0 + A/share (Y - m1) - (1 - A)/(1 - share) (Y - m0), as in
    Waudby-Smith et al. (section 3 there); people must be independent of one another.
    Raises ValueError for arrays that don't fit together.
    """
    y, a = np.asarray(outcome, dtype=np.float64), np.asarray(arm)
    if len(y) != len(a) or not 0 < share < 1 or not np.isin(a, (0, 1)).all():
        raise ValueError("one arm, 0 or 1, is needed per outcome, and a share between 0 and 1")
    x = np.zeros(len(y)) if covariate is None else np.asarray(covariate, dtype=np.float64)
    if len(x) != len(y):
        raise ValueError(f"{len(y)} outcomes and {len(x)} covariates")
    everyone, ones, zeros = _Moments(y, x, a >= 0), _Moments(y, x, a == 1), _Moments(y, x, a == 0)
    theta = _ratio(everyone.covariance, everyone.variance_x)
    mean_1 = ones.mean_y - theta * (ones.mean_x - everyone.mean_x)
    mean_0 = zeros.mean_y - theta * (zeros.mean_x - everyone.mean_x)
    n = np.arange(1, len(y) + 1, dtype=np.float64)
    variance = (
        ones.residual(theta) * ones.n / (n * share**2)
        + zeros.residual(theta) * zeros.n / (n * (1 - share) ** 2)
    )  # fmt: skip
    is_ready = (ones.n >= start) & (zeros.n >= start)
    # Of an outcome that hardly anybody has yet, the variance is not known.
    is_ready &= np.cumsum(y != 0) >= start
    path = sequence(
        np.where(is_ready, mean_1 - mean_0, 0.0),
        np.sqrt(np.maximum(variance, 0.0)),
        is_ready=is_ready,
        alpha=alpha,
        n_target=n_target,
    )
    explained = _ratio(everyone.covariance**2, everyone.variance_x * everyone.variance_y)
    return Difference(
        path=path,
        mean_control=float(mean_0[-1]) if zeros.count else float("nan"),
        mean_treatment=float(mean_1[-1]) if ones.count else float("nan"),
        n_control=zeros.count,
        n_treatment=ones.count,
        explained=float(explained[-1]) if len(y) else 0.0,
    )


class _Moments:
    """Running moments of the rows in ``mask``, after each row."""

    def __init__(
        self, y: NDArray[np.float64], x: NDArray[np.float64], mask: NDArray[np.bool_]
    ) -> None:
        self.n = np.cumsum(mask).astype(np.float64)
        self.count = int(mask.sum())
        # Moments around the overall mean: differences of large squares would cancel.
        middle_y, middle_x = (y.mean(), x.mean()) if len(y) else (0.0, 0.0)
        dy, dx = np.where(mask, y - middle_y, 0.0), np.where(mask, x - middle_x, 0.0)
        mean_y, mean_x = _ratio(np.cumsum(dy), self.n), _ratio(np.cumsum(dx), self.n)
        self.mean_y, self.mean_x = mean_y + middle_y, mean_x + middle_x
        self.variance_y = np.maximum(_ratio(np.cumsum(dy**2), self.n) - mean_y**2, 0.0)
        self.variance_x = np.maximum(_ratio(np.cumsum(dx**2), self.n) - mean_x**2, 0.0)
        self.covariance = _ratio(np.cumsum(dy * dx), self.n) - mean_y * mean_x

    def residual(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """The variance of y - theta x, with n - 1 in the denominator."""
        left = self.variance_y - 2 * theta * self.covariance + theta**2 * self.variance_x
        return np.maximum(left, 0.0) * self.n / np.maximum(self.n - 1.0, 1.0)


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
