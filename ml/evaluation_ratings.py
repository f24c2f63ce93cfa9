"""Measures models that predict stars: RMSE, MAE and the honesty of their intervals."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.bootstrap import Interval, mean_intervals
from ml.data import Dataset
from ml.evaluation import Progress, Result, silent
from ml.models._star_intervals import star_grid
from ml.models.rating_base import RatingPredictor
from ml.protocols import RATING
from ml.protocols_ratings import (
    has_published_folds,
    published_folds,
    rating_folds,
    rating_holdout,
)
from ml.resources import PeakMemory
from ml.split import RatingSplit
from ml.types import ItemFeatures

HOLDOUT_FROM = 500_000  # ratings from which one 90/10 split says as much as five folds
LEVEL = 0.8


def rating_tasks(path: Path, data: Dataset, *, seed: int) -> list[RatingSplit]:
    """The tasks usual for a data set: published folds where it has them, else 90/10 or 5 folds."""
    if Path(path).is_dir() and has_published_folds(path):
        return published_folds(path, data)
    if len(data.interactions) >= HOLDOUT_FROM:
        return [rating_holdout(data, seed=seed)]
    return rating_folds(data, seed=seed)


def evaluate_ratings(
    create: Callable[[], RatingPredictor],
    splits: Sequence[RatingSplit],
    *,
    label: str,
    seed: int = 0,
    features: ItemFeatures | None = None,
    on_progress: Progress | None = None,
) -> Result:
    """Fit a new model per split and measure all predictions together.

    Measures: rmse, mae, coverage80 (share inside the 80 % interval), width80 (stars), and
    width80_constant: the width of the rival that gives everyone the same margin around the same
    predictions and covers as many (:func:`constant_width`). Intervals resample people.
    """
    tell = on_progress or silent
    parts: list[dict[str, NDArray[np.float64]]] = []
    fit_s = predict_s = 0.0
    with PeakMemory() as memory:
        for i, split in enumerate(splits):
            tell(f"fit {split.protocol}", i / len(splits))
            started = time.perf_counter()
            model = create().fit(split.train, seed=seed, features=features)
            fit_s += time.perf_counter() - started
            started = time.perf_counter()
            parts.append(_predictions(model, split))
            predict_s += time.perf_counter() - started
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    group = rows["user"].astype(np.int64)
    n_train = rows["n_train"]
    masks = {
        "history<=5": n_train <= 5,
        "history 6-20": (n_train > 5) & (n_train <= 20),
        "history>20": n_train > 20,
    }
    names = ("squared", "mae", "coverage80", "width80", "error", "predicted")
    per_row = {name: rows[name] for name in names}
    grid = star_grid(np.concatenate([split.train.rating for split in splits]))
    return Result(
        dataset=splits[0].dataset,
        protocol=RATING,
        model=label,
        seed=splits[0].seed,
        split_sha256=_joint_hash(splits),
        n_users=len(np.unique(group)),
        metrics=_intervals(per_row, group, grid),
        fit_s=fit_s,
        predict_s=predict_s,
        peak_mib=memory.peak_mib,
        slices={
            name: _intervals({k: v[mask] for k, v in per_row.items()}, group[mask], grid)
            for name, mask in masks.items()
            if mask.any()
        },
        per_row=per_row,
        group=group,
    )


def _predictions(model: RatingPredictor, split: RatingSplit) -> dict[str, NDArray[np.float64]]:
    test = split.test
    mean, low, high = model.predict_interval(test.user_index, test.item_index, level=LEVEL)
    error = mean.astype(np.float64) - test.rating
    counts = np.bincount(split.train.user_index, minlength=split.train.n_users)
    return {
        "user": test.user_index.astype(np.float64),
        "n_train": counts[test.user_index].astype(np.float64),
        "squared": error**2,
        "mae": np.abs(error),
        "error": error,
        "predicted": mean.astype(np.float64),
        "coverage80": ((test.rating >= low) & (test.rating <= high)).astype(np.float64),
        "width80": (high - low).astype(np.float64),
    }


def constant_width(
    predicted: NDArray[np.floating],
    truth: NDArray[np.floating],
    grid: NDArray[np.float64],
    *,
    coverage: float,
) -> float:
    """Mean width in stars of ``predicted`` +- c, c the least margin that covers ``coverage``.

    Measured as the model's own intervals are: from the lowest to the highest possible star inside.
    (2 c itself would flatter the model: [3, 4] is one star wide and so is 2.6 to 4.4 on whole
    stars, where both hold a 3 and a 4.) 0 where no star, or one, is inside.
    """
    margin = float(np.quantile(np.abs(predicted - truth), coverage)) + 1e-6
    lowest = np.searchsorted(grid, predicted - margin, side="left")
    highest = np.searchsorted(grid, predicted + margin, side="right") - 1
    inside = highest > lowest
    width = np.zeros(len(predicted))
    width[inside] = grid[highest[inside]] - grid[lowest[inside]]
    return float(width.mean())


def _intervals(
    rows: dict[str, NDArray[np.float64]], group: NDArray[np.integer], grid: NDArray[np.float64]
) -> dict[str, Interval]:
    found = mean_intervals(
        {name: rows[name] for name in ("squared", "mae", "coverage80", "width80")}, group=group
    )
    squared = found.pop("squared")
    roots = np.sqrt([squared.mean, squared.lo, squared.hi])
    covered = found["coverage80"].mean
    truth = rows["predicted"] - rows["error"]
    constant = constant_width(rows["predicted"], truth, grid, coverage=covered)
    n = float(len(group))
    return {
        "rmse": Interval(*(float(root) for root in roots)),
        **found,
        "width80_constant": Interval(constant, float("nan"), float("nan")),
        "n": Interval(n, n, n),
    }


def _joint_hash(splits: Sequence[RatingSplit]) -> str:
    return hashlib.sha256("".join(split.sha256 for split in splits).encode()).hexdigest()
