"""Weights of a blend, chosen on a validation split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.evaluation import BATCH_ROWS, Progress, batch_exclude
from ml.models.base import Recommender
from ml.models.hybrid import Hybrid, Part, affine
from ml.shelf import FittedOnce
from ml.split import RankingSplit
from ml.types import FloatArray, ItemFeatures

STEPS = (0.3, -0.3, 0.1, -0.1)  # what a weight is moved by in one try, the sum being 1
HALVINGS = 3
DEPTH = 100  # of each source: films that no source has among these cannot enter the first places


@dataclass(frozen=True, slots=True)
class Candidates:
    """Validation rows reduced to the films that some source ranks high.

    ``z`` float32[n_sources, n, width] are the z-scores as :class:`Hybrid` takes them; ``is_real``
    bool[n, width] is False where a row has fewer films; ``is_truth`` bool[n, width]; ``n_truth``
    int[n] all films to be found.
    """

    z: FloatArray
    is_real: NDArray[np.bool_]
    is_truth: NDArray[np.bool_]
    n_truth: NDArray[np.int64]

    def blended(self, weights: NDArray[np.float64]) -> FloatArray:
        """float32[n, width]: the blend's scores, ``-inf`` where there is no film."""
        total = np.where(self.is_real, np.float32(0), np.float32(-np.inf))
        for s in np.flatnonzero(weights):
            total += np.float32(weights[s]) * self.z[s]
        return total

    def ndcg(self, weights: NDArray[np.float64], k: int) -> float:
        """Mean NDCG@k of the blend with these weights over the rows."""
        return self.ndcg_of(self.blended(weights), k)

    def ndcg_of(self, total: FloatArray, k: int) -> float:
        """Mean NDCG@k of the scores float32[n, width]."""
        gain = 1.0 / np.log2(np.arange(2, k + 2))
        if not len(total):
            return 0.0
        if self.n_truth.max() == 1:  # one film to find: counting those above it is all it takes
            rows = np.flatnonzero(self.is_truth.any(axis=1))
            own = total[rows, self.is_truth[rows].argmax(axis=1)]
            above = (total[rows] > own[:, None]).sum(axis=1)
            return float(gain[above[above < k]].sum() / len(total))
        width = min(k, total.shape[1])
        best = np.argpartition(-total, width - 1, axis=1)[:, :width]
        order = np.argsort(-np.take_along_axis(total, best, axis=1), axis=1, kind="stable")
        found = np.take_along_axis(self.is_truth, np.take_along_axis(best, order, axis=1), axis=1)
        ideal = np.cumsum(gain)[np.minimum(self.n_truth, k) - 1]
        return float(np.mean((found @ gain[:width]) / ideal))


def collect(
    models: Sequence[Recommender], split: RankingSplit, *, max_rows: int = 10_000, seed: int = 0
) -> Candidates:
    """The sources' best films on at most ``max_rows`` rows, drawn at random."""
    rows = np.arange(len(split))
    if len(rows) > max_rows:
        rows = np.sort(np.random.default_rng(seed).choice(rows, size=max_rows, replace=False))
    blocks = [
        _collect_block(models, split, rows[start : start + BATCH_ROWS])
        for start in range(0, len(rows), BATCH_ROWS)
    ]
    width = max(is_real.shape[1] for _, is_real, _ in blocks)

    def joined(parts: list[NDArray]) -> NDArray:
        return np.concatenate([_widened(part, width) for part in parts], axis=-2)

    z, is_real, is_truth = (joined([block[i] for block in blocks]) for i in range(3))
    return Candidates(z, is_real, is_truth, np.diff(split.truth.indptr)[rows].astype(np.int64))


def stacked(parts: Sequence[Candidates]) -> Candidates:
    """The rows of several validation splits as one, where a single one is too small to choose by.

    The sources must be the same kinds in the same order; they are fitted for each split anew.
    """
    width = max(part.is_real.shape[1] for part in parts)
    return Candidates(
        z=np.concatenate([_widened(part.z, width) for part in parts], axis=1),
        is_real=np.concatenate([_widened(part.is_real, width) for part in parts]),
        is_truth=np.concatenate([_widened(part.is_truth, width) for part in parts]),
        n_truth=np.concatenate([part.n_truth for part in parts]),
    )


def _widened(part: NDArray, width: int) -> NDArray:
    """``part`` [..., n, w] padded with zeros to [..., n, width]."""
    return np.pad(part, [(0, 0)] * (part.ndim - 1) + [(0, width - part.shape[-1])])


def _collect_block(
    models: Sequence[Recommender], split: RankingSplit, rows: NDArray[np.intp]
) -> tuple[FloatArray, NDArray[np.bool_], NDArray[np.bool_]]:
    shown = split.histories.select(rows)
    barred = batch_exclude(split, shown, rows).toarray()
    n_items = split.train.n_items
    depth = min(DEPTH, n_items)
    z = np.empty((len(models), len(rows), n_items), dtype=np.float32)
    wanted = np.zeros((len(rows), n_items), dtype=np.bool_)
    has_opinion = np.zeros_like(wanted)
    any_personal = any(model.is_personal for model in models)
    for s, model in enumerate(models):
        scores = model.score(shown)
        finite = np.isfinite(scores)
        if model.is_personal or not any_personal:
            has_opinion |= finite
        mean, scale = affine(scores)
        # A film without a score stands at the mean: 0 of its deviations.
        z[s] = (np.where(finite, scores, mean[:, None]) - mean[:, None]) * scale[:, None]
        ranked = np.where(barred | ~finite, -np.inf, scores)
        best = np.argpartition(-ranked, depth - 1, axis=1)[:, :depth]
        np.put_along_axis(wanted, best, True, axis=1)
    wanted &= has_opinion & ~barred  # as Hybrid: without an opinion a film is not ranked
    width = int(wanted.sum(axis=1).max())
    at = np.argsort(~wanted, axis=1, kind="stable")[:, :width]
    is_real = np.take_along_axis(wanted, at, axis=1)
    picked = np.stack([np.take_along_axis(source, at, axis=1) for source in z])
    truth = np.take_along_axis(split.truth[rows].toarray(), at, axis=1) & is_real
    return picked, is_real, truth


def search_weights(
    candidates: Candidates, *, k: int = 10, start: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], float]:
    """Weights (summing to 1) that maximise NDCG@k, and that NDCG, by coordinate search.

    Starts from the best single source and from all sources alike, or from ``start``. Each round
    moves one weight by one of STEPS (of the sum) and keeps the best move; when none gains more than
    1e-5 the steps are halved, HALVINGS times.
    """
    if start is not None:
        return _climb(candidates, start / start.sum(), k)
    n_sources = len(candidates.z)
    singles = [candidates.ndcg(np.eye(n_sources)[s], k) for s in range(n_sources)]
    starts = [np.eye(n_sources)[int(np.argmax(singles))], np.full(n_sources, 1.0 / n_sources)]
    found = [_climb(candidates, begin, k) for begin in starts]
    return max(found, key=lambda pair: pair[1])


def _climb(
    candidates: Candidates, weights: NDArray[np.float64], k: int
) -> tuple[NDArray[np.float64], float]:
    best = candidates.ndcg(weights, k)
    for halving in range(HALVINGS + 1):
        while True:
            total = candidates.blended(weights)
            tries = [
                (candidates.ndcg_of(total + np.float32(move) * candidates.z[s], k), s, move)
                for s, move in _moves(weights, 0.5**halving)
            ]
            score, s, move = max(tries)
            if score <= best + 1e-5:
                break
            best = score
            weights = weights.copy()
            weights[s] += move
            weights /= weights.sum()  # the order of the films stays the same
    return weights, best


def _moves(weights: NDArray[np.float64], scale: float) -> list[tuple[int, float]]:
    """Every (source, change of its weight) that leaves it at 0 or above and the sum positive."""
    moves = [
        (s, max(scale * step, -float(weights[s])))
        for s in range(len(weights))
        for step in STEPS
        if step > 0 or weights[s] > 0
    ]
    return [(s, move) for s, move in moves if weights.sum() + move > 1e-9]


def tune_hybrid(
    parts: Sequence[Part],
    valid: RankingSplit | Sequence[RankingSplit],
    *,
    k: int = 10,
    seed: int = 0,
    features: ItemFeatures | None = None,
    max_rows: int = 4_000,
    on_progress: Progress | None = None,
    fit: FittedOnce | None = None,
) -> Hybrid:
    """A blend of ``parts`` fitted on the training events of ``valid`` (of the first of several),
    its weights chosen on the rows of all, ``max_rows`` of each: the search takes time by the row.

    Parts whose weight comes out as 0 are left out. The weights of ``parts`` as given don't matter.
    """
    draws = [valid] if isinstance(valid, RankingSplit) else list(valid)
    fit = fit or FittedOnce()
    first: dict[str, Recommender] = {}
    found = []
    for at, draw in enumerate(draws):
        models: dict[str, Recommender] = {}
        for i, part in enumerate(parts):
            if on_progress is not None:
                share = (at * len(parts) + i) / (len(draws) * len(parts))
                on_progress(f"tune: fit {part.label}", share)
            models[part.label] = fit(
                part.model, part.params, draw.train, seed=seed, features=features
            )
        first = first or models
        found.append(collect(list(models.values()), draw, max_rows=max_rows, seed=seed))
    weights, _ = search_weights(stacked(found), k=k)
    kept = {label: float(w) for label, w in zip(first, weights, strict=True) if w > 0}
    return Hybrid.of({label: first[label] for label in kept}, kept)
