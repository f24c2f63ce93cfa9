"""Choosing the weights of a blend on validation people, by what the list is for: its NDCG."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.evaluation import batch_exclude
from ml.models.base import Recommender
from ml.models.hybrid import affine
from ml.retrieval import top_k
from ml.split import RankingSplit
from ml.types import FloatArray

GRID = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
MAX_ROWS = 1_000  # people looked at: more narrow the interval below the grid's steps
MAX_PASSES = 4


def choose_weights(
    models: Mapping[str, Recommender], split: RankingSplit, *, seed: int = 0, k: int = 100
) -> dict[str, float]:
    """Weights for the fitted ``models`` that maximise mean NDCG@k on ``split`` (validation).

    Coordinate ascent over :data:`GRID`, from the best single model; a weight moves only for a
    strictly better mean, so that a useless source stays at 0. Scores are z-scored per person as
    :class:`ml.models.hybrid.Hybrid` does. Never call it with the split that will be reported.
    """
    rows = np.random.default_rng(seed).permutation(len(split))[:MAX_ROWS]
    rows.sort()
    histories = split.histories.select(rows)
    exclude = batch_exclude(split, histories, rows)
    truth = split.truth[rows]
    scores = {label: standardised(model.score(histories)) for label, model in models.items()}

    def quality(weights: Mapping[str, float]) -> float:
        total: NDArray[np.float32] = np.zeros(truth.shape, dtype=np.float32)
        for label, weight in weights.items():
            if weight:
                total += np.float32(weight) * scores[label]
        found = top_k(total, k, exclude=exclude).item_index
        return float(metrics.ndcg_at_k(found, truth, k).mean())

    single = {label: quality({label: 1.0}) for label in models}
    first = max(single, key=lambda label: single[label])
    weights = {label: float(label == first) for label in models}
    best = single[first]
    for _ in range(MAX_PASSES):
        before = best
        for label in models:
            for weight in GRID:
                trial = {**weights, label: weight}
                if weight != weights[label] and any(trial.values()):
                    value = quality(trial)
                    if value > best:
                        best, weights = value, trial
        if best <= before:
            break
    return weights


def standardised(scores: FloatArray) -> FloatArray:
    """Z-scores per row over its finite entries; 0 (the average) where there is no opinion."""
    mean, scale = affine(scores)
    centred = (scores - mean[:, None]) * scale[:, None]
    return np.where(np.isfinite(scores), centred, 0.0).astype(np.float32)
