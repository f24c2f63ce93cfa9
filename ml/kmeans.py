"""Spherical k-means, and whether a cut is better than none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.text import unit_rows
from ml.types import FloatArray

ROUNDS = 30
MAX_MEASURED = 2000  # rows: the silhouette compares all pairs


def spherical_kmeans(
    unit: FloatArray, k: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], FloatArray]:
    """int[n] labels and float32[k, d] unit centres of unit rows (Dhillon and Modha 2001).

    k-means++ starts; at most ROUNDS rounds. A cluster that runs empty keeps its centre.
    """
    centres = unit[_spread_starts(unit, k, rng)]
    label = np.zeros(len(unit), dtype=np.intp)
    for _round in range(ROUNDS):
        new = nearest(unit, centres)
        if _round and (new == label).all():
            break
        label = new
        sums = np.zeros_like(centres)
        np.add.at(sums, label, unit)
        empty = np.bincount(label, minlength=k) == 0
        centres = np.where(empty[:, None], centres, unit_rows(sums))
    return label, centres


def nearest(unit: FloatArray, centres: FloatArray) -> NDArray[np.intp]:
    """int[n]: the centre with the largest cosine."""
    return np.asarray((unit @ centres.T).argmax(axis=1))


def silhouette(unit: FloatArray, label: NDArray[np.intp]) -> float:
    """Mean silhouette width (Rousseeuw 1987), cosine distance; every label holds at least two.

    Of more than MAX_MEASURED rows as many are taken, evenly spread.
    """
    if len(unit) > MAX_MEASURED:
        at = np.linspace(0, len(unit) - 1, MAX_MEASURED).astype(np.intp)
        unit, label = unit[at], label[at]
    distance = 1.0 - unit @ unit.T
    member = np.eye(int(label.max()) + 1, dtype=np.float32)[label]
    total, size = distance @ member, member.sum(axis=0)
    rows = np.arange(len(unit))
    own = total[rows, label] / np.maximum(size[label] - 1, 1)
    other = total / np.maximum(size, 1)[None, :]
    other[:, size == 0] = np.inf  # none of that label was among the rows taken
    other[rows, label] = np.inf
    closest = other.min(axis=1)
    return float(np.mean((closest - own) / np.maximum(np.maximum(closest, own), 1e-9)))


def by_size(label: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    """int[k]: the labels, the largest group first; equal ones in their order."""
    return np.argsort(-np.bincount(label, minlength=k), kind="stable")


def _spread_starts(unit: FloatArray, k: int, rng: np.random.Generator) -> list[int]:
    """k-means++: each start far from those before it."""
    starts = [int(rng.integers(len(unit)))]
    for _ in range(k - 1):
        far = np.clip(1.0 - (unit @ unit[starts].T).max(axis=1), 0.0, None).astype(np.float64) ** 2
        chance = far / far.sum() if far.sum() > 0 else np.full(len(unit), 1.0 / len(unit))
        starts.append(int(rng.choice(len(unit), p=chance)))
    return starts
