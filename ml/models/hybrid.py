"""The served policy: a blend of named sources, z-scored per person, its weights measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.models.base import LinearRecommender, Recommender
from ml.types import FloatArray, Histories, Interactions, ItemFeatures

_SEPARATOR = "."


@dataclass(frozen=True, slots=True)
class Part:
    """One source of a blend: a label, a model's registry name with its settings, and a weight."""

    label: str
    model: str
    weight: float
    params: dict[str, Any] = field(default_factory=dict)


DEFAULT_PARTS = (
    Part("edlae", "edlae", 0.6, {"l2": 300.0}),
    Part("als", "als", 0.4, {"n_factors": 64}),
)


class Hybrid(LinearRecommender):
    """``score(i) = sum_s weight_s (score_s(i) - mean_s) / std_s`` over the sources s.

    Mean and deviation are taken per person over the films with a finite score; a source without an
    opinion on a film adds 0 there (its average). A film on which no personal source has an opinion
    scores ``-inf``, and so does everything for an empty history.

    For one person the z-score is an affine map, so contributions of linear sources stay exact:
    scaled by weight / std, with the shift and the non-personal sources in :meth:`baseline`.
    """

    name = "hybrid"

    def __init__(self, *, parts: Iterable[Part | dict[str, Any]] = DEFAULT_PARTS) -> None:
        self.parts = tuple(p if isinstance(p, Part) else Part(**p) for p in parts)
        labels = [p.label for p in self.parts]
        if not labels or len(set(labels)) < len(labels):
            raise ValueError("a blend needs at least one part, and labels that differ")
        if any(_SEPARATOR in label for label in labels):
            raise ValueError(f"labels must not contain {_SEPARATOR!r}")
        self.models: dict[str, Recommender] = {}

    @classmethod
    def of(cls, models: dict[str, Recommender], weights: dict[str, float]) -> Self:
        """A blend of models that are already fitted on the same items."""
        blend = cls(
            parts=[Part(k, m.name, float(weights[k]), m.params()) for k, m in models.items()]
        )
        blend.models = dict(models)
        blend.n_items = next(iter(models.values())).n_items
        return blend

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        from ml.models.registry import create

        self.models = {
            part.label: create(part.model, part.params).fit(
                interactions, seed=seed, features=features
            )
            for part in self.parts
        }
        self.n_items = interactions.n_items
        return self

    def score(self, histories: Histories) -> FloatArray:
        total = np.zeros((len(histories), self.n_items), dtype=np.float32)
        has_opinion = np.zeros(total.shape, dtype=np.bool_)
        any_personal = any(m.is_personal for m in self.models.values())
        for part in self.parts:
            model = self.models[part.label]
            scores = model.score(histories)
            mean, scale = affine(scores)
            finite = np.isfinite(scores)
            scores[~finite] = np.repeat(mean, (~finite).sum(axis=1))
            total += np.float32(part.weight) * scale[:, None] * (scores - mean[:, None])
            if model.is_personal or not any_personal:
                has_opinion |= finite
        total[~has_opinion] = -np.inf
        return total

    def contributions(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        """float32[n_events, n_items]; raises TypeError if a personal source is not linear."""
        total = np.zeros((len(history.item_index), len(items)), dtype=np.float32)
        for part in self.parts:
            model = self.models[part.label]
            if not model.is_personal:
                continue
            if not isinstance(model, LinearRecommender):
                raise TypeError(f"source {part.label} is not linear: its score has no exact parts")
            scores = model.score(history)
            _, scale = affine(scores)
            share = model.contributions(history, items)
            finite = np.isfinite(scores[0, items])
            total += np.where(finite, np.float32(part.weight * scale[0]) * share, 0.0)
        return total

    def baseline(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        total = np.zeros(len(items), dtype=np.float32)
        for part in self.parts:
            model = self.models[part.label]
            scores = model.score(history)
            mean, scale = affine(scores)
            finite = np.isfinite(scores[0, items])
            own = np.zeros(len(items), dtype=np.float32)
            if isinstance(model, LinearRecommender):
                own = model.baseline(history, items)
            elif not model.is_personal:
                own = scores[0, items]
            shift = np.float32(part.weight) * scale[0] * (own - mean[0])
            total += np.where(finite, shift, 0.0).astype(np.float32)
        return total

    def params(self) -> dict[str, Any]:
        return {"parts": [asdict(part) for part in self.parts]}

    def to_arrays(self) -> dict[str, NDArray]:
        return {
            f"{label}{_SEPARATOR}{name}": array
            for label, model in self.models.items()
            for name, array in model.to_arrays().items()
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        from ml.models.registry import model_class

        blend = cls(**params)
        for part in blend.parts:
            prefix = f"{part.label}{_SEPARATOR}"
            own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            blend.models[part.label] = model_class(part.model).from_arrays(own, part.params)
        blend.n_items = next(iter(blend.models.values())).n_items
        return blend


def affine(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Per row the mean of the finite scores and 1 / their deviation; (0, 0) for a flat row."""
    finite = np.isfinite(scores)
    count = np.maximum(finite.sum(axis=1), 1)
    mean = np.where(finite, scores, 0.0).sum(axis=1, dtype=np.float64) / count
    off = np.where(finite, scores - mean[:, None], 0.0)
    deviation = np.sqrt((off**2).sum(axis=1) / count)
    flat = deviation <= 1e-12
    scale = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, deviation))
    return np.where(flat, 0.0, mean).astype(np.float32), scale.astype(np.float32)
