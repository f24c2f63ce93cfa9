"""The served policy: a blend of named sources, z-scored per person, its weights measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ml.compiled import HYBRID, kernels, load_kernels
from ml.models.base import LinearRecommender, Recommender
from ml.types import FloatArray, Histories, Interactions, ItemFeatures

_SEPARATOR = "."
_COMPILED_ROWS = 64  # so many people are worth loading numba for: a seventh of numpy's time
_LANES = 64  # as in hybrid_kernels, which only who serves imports


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


# Per label the rows' means and 1 / deviations, as :func:`affine` gives them.
Affines: TypeAlias = dict[str, tuple[FloatArray, FloatArray]]


class Hybrid(LinearRecommender):
    """``score(i) = sum_s weight_s (score_s(i) - mean_s) / std_s`` over the sources s.

    Mean and deviation are taken per person over the films with a finite score; a source without an
    opinion on a film adds 0 there (its average). A film on which no personal source has an opinion
    scores ``-inf``, and so does everything for an empty history. A source of weight 0 is kept in
    the blend's files for those who ask for it by name, and is not asked for the blend's score.

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

    def active(self) -> tuple[Part, ...]:
        """The parts that take part in the score: those with a weight."""
        return tuple(part for part in self.parts if part.weight)

    def score(self, histories: Histories) -> FloatArray:
        return self.blended(
            {part.label: self.models[part.label].score(histories) for part in self.active()},
            len(histories),
        )

    def blended(self, scored: Mapping[str, FloatArray], n: int) -> FloatArray:
        """float32[n, n_items] from the parts' own scores; a part that is missing adds nothing.

        ``scored`` maps labels to what ``score`` of that part gave. The arrays are not changed.
        """
        affines = self.affines_of(scored)
        total = np.empty((n, self.n_items), dtype=np.float32)
        for i in range(n):  # a person's rows stay in a core's cache; whole matrices would not
            total[i] = self.blended_row(scored, i, affines=affines)
        return total

    def affines_of(self, scored: Mapping[str, FloatArray]) -> Affines:
        """What puts each part's scores on one scale: its :func:`affine`."""
        found: Affines = {}
        for part in self._asked(scored):
            scores = scored[part.label]
            if self.models[part.label].is_personal or not len(scores):
                found[part.label] = affine(scores)
            else:  # everybody's row is the first
                mean, scale = affine(scores[:1])
                found[part.label] = np.repeat(mean, len(scores)), np.repeat(scale, len(scores))
        return found

    def blended_row(
        self,
        scored: Mapping[str, FloatArray],
        i: int,
        items: NDArray[np.integer] | slice = slice(None),
        *,
        affines: Affines,
    ) -> FloatArray:
        """float32[m]: row ``i`` of :meth:`blended` at these ``items`` alone."""
        asked = self._asked(scored)
        any_personal = any(self.models[part.label].is_personal for part in asked)
        n = self.n_items if isinstance(items, slice) else len(items)
        total, has_opinion = np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.bool_)
        for part in asked:
            row = scored[part.label][i, items]
            mean, scale = (values[i] for values in affines[part.label])
            finite = np.isfinite(row)
            off = row - mean
            if not finite.all():
                off = np.where(finite, off, np.float32(0))
            off *= np.float32(part.weight) * scale
            total += off
            if self.models[part.label].is_personal or not any_personal:
                has_opinion |= finite
        total[~has_opinion] = -np.inf
        return total

    def contributions(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        """float32[n_events, n_items]; raises TypeError if a personal source is not linear."""
        return sum_of(self.parts_of(history, items)[0], (len(history.item_index), len(items)))

    def baseline(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        return sum_of(self.parts_of(history, items)[1], (len(items),))

    def parts_of(
        self,
        history: Histories,
        items: NDArray[np.integer],
        *,
        scored: Mapping[str, FloatArray] | None = None,
        affines: Affines | None = None,
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Per part what it adds: contributions float[n_events, n] and baseline [n] for n ``items``.

        ``scored`` and ``affines`` (see :meth:`affines_of`) save doing it again. Sources without a
        history (popularity) add to the baseline alone. Raises TypeError if a personal one is not
        linear.
        """
        if scored is None:
            scored = {part.label: self.models[part.label].score(history) for part in self.active()}
        shares: dict[str, FloatArray] = {}
        baselines: dict[str, FloatArray] = {}
        for part in self._asked(scored):
            model = self.models[part.label]
            scores = scored[part.label]
            known = None if affines is None else affines.get(part.label)
            mean, scale = affine(scores) if known is None else known
            factor = np.float64(part.weight) * scale[0]
            finite = np.isfinite(scores[0, items])
            own = np.zeros(len(items), dtype=np.float32)
            if isinstance(model, LinearRecommender):
                own = model.baseline(history, items)
                share = factor * model.contributions(history, items)
                shares[part.label] = np.where(finite, share, 0.0).astype(np.float32)
            elif model.is_personal:
                raise TypeError(f"source {part.label} is not linear: its score has no exact parts")
            else:
                own = np.where(finite, scores[0, items], 0.0)
            shift = factor * (own - mean[0])
            baselines[part.label] = np.where(finite, shift, 0.0).astype(np.float32)
        return shares, baselines

    def _asked(self, scored: Mapping[str, FloatArray]) -> list[Part]:
        return [part for part in self.active() if part.label in scored]

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


def sum_of(parts: Mapping[str, FloatArray], shape: tuple[int, ...]) -> FloatArray:
    """float32 of ``shape``: the sum of the parts; zeros where there are none."""
    total = np.zeros(shape, dtype=np.float32)
    for part in parts.values():
        total += part
    return total


def affine(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Per row the mean of the finite scores and 1 / their deviation; (0, 0) for a flat row.

    Row by row: 26,744 scores fit a core's cache, which took 256 people from 560 to 20 ms.
    """
    mean = np.zeros(len(scores), dtype=np.float32)
    scale = np.zeros(len(scores), dtype=np.float32)
    compiled = kernels(HYBRID) if len(scores) < _COMPILED_ROWS else load_kernels(HYBRID)
    moments = _moments if compiled is None else compiled.moments
    for i, row in enumerate(scores):
        middle, deviation = moments(row)
        if deviation > 1e-12:
            mean[i], scale[i] = middle, 1.0 / deviation
    return mean, scale


def _moments(row: FloatArray) -> tuple[float, float]:
    """As the compiled one, bit for bit: sums in lanes, whose order is the same everywhere."""
    finite = np.isfinite(row)
    n = np.count_nonzero(finite)
    if not n:
        return 0.0, 0.0
    known = np.zeros(-(-len(row) // _LANES) * _LANES)
    own = known[: len(row)]
    own[:] = np.where(finite, row, np.float32(0))
    mean = _sum_in_lanes(known) / n
    own -= mean
    own *= finite
    known *= known
    return mean, float(np.sqrt(_sum_in_lanes(known) / n))


def _sum_in_lanes(values: NDArray[np.float64]) -> float:
    lanes = values.reshape(-1, _LANES).sum(axis=0)
    while len(lanes) > 1:
        lanes = lanes.reshape(2, -1).sum(axis=0)
    return float(lanes[0])
