"""Groups within one person's taste."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.text import unit_rows
from ml.types import FloatArray

MAX_GROUPS = 4
MIN_GROUP = 3  # fewer films are no taste
_ROUNDS = 30


def taste_groups(
    vectors: FloatArray, *, max_groups: int = MAX_GROUPS, seed: int = 0
) -> NDArray[np.intp]:
    """int[n]: the group of each film, 0 the largest; all 0 where no cut is better than none.

    Spherical k-means (Dhillon and Modha 2001) for 2 to ``max_groups`` groups; the number with the
    best mean silhouette (Rousseeuw 1987, cosine distance) counts, if every group holds MIN_GROUP
    films and the silhouette is above 0.1, below which a cut is as good as any other.
    """
    unit = unit_rows(np.asarray(vectors, dtype=np.float32))
    n = len(unit)
    best, best_width = np.zeros(n, dtype=np.intp), 0.1
    rng = np.random.default_rng(seed)
    for k in range(2, min(max_groups, n // MIN_GROUP) + 1):
        label = _kmeans(unit, k, rng)
        if np.bincount(label, minlength=k).min() < MIN_GROUP:
            continue
        width = _silhouette(unit, label)
        if width > best_width:
            best, best_width = label, width
    order = np.argsort(-np.bincount(best), kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[best]


def _kmeans(unit: FloatArray, k: int, rng: np.random.Generator) -> NDArray[np.intp]:
    centres = unit[_spread_starts(unit, k, rng)]
    label = np.zeros(len(unit), dtype=np.intp)
    for _round in range(_ROUNDS):
        new = (unit @ centres.T).argmax(axis=1)
        if _round and (new == label).all():
            break
        label = new
        sums = np.zeros_like(centres)
        np.add.at(sums, label, unit)
        empty = np.bincount(label, minlength=k) == 0
        centres = np.where(empty[:, None], centres, unit_rows(sums))
    return label


def _spread_starts(unit: FloatArray, k: int, rng: np.random.Generator) -> list[int]:
    """k-means++: each start far from those before it."""
    starts = [int(rng.integers(len(unit)))]
    for _ in range(k - 1):
        far = np.clip(1.0 - (unit @ unit[starts].T).max(axis=1), 0.0, None).astype(np.float64) ** 2
        chance = far / far.sum() if far.sum() > 0 else np.full(len(unit), 1.0 / len(unit))
        starts.append(int(rng.choice(len(unit), p=chance)))
    return starts


def _silhouette(unit: FloatArray, label: NDArray[np.intp]) -> float:
    """Mean silhouette width with cosine distance; every label holds at least two."""
    distance = 1.0 - unit @ unit.T
    member = np.eye(int(label.max()) + 1, dtype=np.float32)[label]
    total, size = distance @ member, member.sum(axis=0)
    rows = np.arange(len(unit))
    own = total[rows, label] / (size[label] - 1)
    other = total / size[None, :]
    other[rows, label] = np.inf
    nearest = other.min(axis=1)
    return float(np.mean((nearest - own) / np.maximum(np.maximum(nearest, own), 1e-9)))
