"""Which models take part in which protocol, and with which settings.

The settings were chosen on validation splits; the blends' weights are chosen there anew in every
run (:mod:`ml.tuning`), so that they fit the data at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ml.models.base import Recommender
from ml.models.hybrid import Part
from ml.models.registry import MODELS, RATING_MODELS, UnknownModelError, create
from ml.protocols import Task
from ml.split import RankingSplit
from ml.tuning import tune_hybrid
from ml.types import ItemFeatures

HYBRID = "hybrid"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named model with its settings; ``parts`` are the sources of a blend to be tuned."""

    label: str
    model: str
    params: dict[str, Any] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()


def _part(label: str, model: str, **params: Any) -> Part:
    return Part(label, model, 1.0, params)


TWO_MEMORIES: dict[str, Any] = {"memories": [[0.5, 0.0], [0.95, 0.05]], "l2": 30.0}
RECENT = {"decay": 0.8, "floor": 0.02}  # QUALITY's weights of a history by recency

# What the learners of the next film re-order. Sources of weight 0 do not choose candidates, but the
# learner sees them: what the very last films lead to, and who liked them.
_NEXT_POOL: list[dict[str, Any]] = [
    {"label": "edlae", "model": "edlae", "weight": 0.35},
    {"label": "edlae_recent", "model": "edlae", "weight": 0.35, "params": RECENT},
    {"label": "transition", "model": "transition", "weight": 0.35},
    {"label": "slit", "model": "slit", "weight": 0.75},
    {"label": "edlae_last", "model": "edlae", "weight": 0.0, "params": {"decay": 0.3}},
    {
        "label": "transition_last",
        "model": "transition",
        "weight": 0.0,
        "params": {"gamma": 0.5, "decay": 0.5},
    },
    {
        "label": "als_recent",
        "model": "als",
        "weight": 0.0,
        "params": {"n_factors": 64, "decay": 0.9, "floor": 0.1},
    },
]
_LEARNERS: dict[str, dict[str, Any]] = {
    "lambdamart": {"parts": _NEXT_POOL},
    "hgb_ranker": {"parts": _NEXT_POOL},
}

# Settings by protocol family where they differ from the model's own.
SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "strong": {"edlae": {"l2": 250.0}},
    "ratio-811": {"edlae": {"l2": 250.0}, "ease": {"l2": 400.0}},
    "ms-100k": {"edlae": {"l2": 100.0, "dropout": 0.67}, "ease": {"l2": 400.0}},
    "last-out": _LEARNERS,
    "prequential": _LEARNERS,
}

# Variants of a model that have a name of their own.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "popularity-1d": ("popularity", {"window_days": 1.0}),
    "popularity-7d": ("popularity", {"window_days": 7.0}),
    "popularity-30d": ("popularity", {"window_days": 30.0}),
    "popularity-90d": ("popularity", {"window_days": 90.0}),
    "popularity-365d": ("popularity", {"window_days": 365.0}),
    "pearson": ("item_item", {"kind": "pearson", "shrinkage": 50.0, "min_common": 5}),
    "edlae-recent": ("edlae", RECENT),
    "ease-recent": ("ease", RECENT),
    "slit-2": ("slit", TWO_MEMORIES),
    "als-64": ("als", {"n_factors": 64}),
    "als-256": ("als", {"n_factors": 256}),
}

_TASTE = (  # everything one likes, whatever the order
    _part("edlae", "edlae", l2=250.0),
    _part("als", "als", n_factors=64),
    _part("als-wide", "als", n_factors=128),
    _part("kernel", "kernel_ridge"),
    _part("graph", "graph_filter"),
    _part("popular", "popularity"),
)
_NEXT = (  # what comes next
    _part("als", "als", n_factors=64),
    _part("als-recent", "als", n_factors=64, decay=0.9, floor=0.05),
    _part("edlae-recent", "edlae", l2=250.0, **RECENT),
    _part("transition", "transition"),
    _part("slit", "slit"),
    _part("slit-2", "slit", **TWO_MEMORIES),
    _part("recent", "popularity", window_days=30.0),
)
HYBRID_PARTS: dict[str, tuple[Part, ...]] = {
    "strong": _TASTE,
    "ratio-811": _TASTE,
    "ms-100k": (_part("edlae", "edlae", l2=100.0, dropout=0.67), *_TASTE[1:]),
    "sparse": _TASTE,
    "cold-item": _TASTE,
    "last-out": _NEXT,
    "prequential": _NEXT,
    "temporal": (*_NEXT, _part("recent-week", "popularity", window_days=7.0)),
}


def recipe_of(label: str, family: str) -> Recipe:
    """The recipe of a registered model or variant in a protocol; raises UnknownModelError."""
    if label == HYBRID:
        return Recipe(label, HYBRID, parts=HYBRID_PARTS.get(family, _TASTE))
    model, params = VARIANTS.get(label, (label, {}))
    if model in RATING_MODELS:
        raise UnknownModelError(f"{label} predicts stars: it takes part in the protocol 'rating'")
    if model not in MODELS:
        known = sorted({*MODELS, *VARIANTS})
        raise UnknownModelError(f"no model is called {label!r}; known: {', '.join(known)}")
    own = SETTINGS.get(family, {}).get(model, {})
    return Recipe(label, model, {**own, **params})


def fit_recipe(
    recipe: Recipe,
    split: RankingSplit,
    task: Task,
    valid: RankingSplit | None,
    *,
    seed: int,
    features: ItemFeatures | None = None,
) -> Recommender:
    """The recipe's model fitted on the split; a blend is tuned on ``valid`` first."""
    if not recipe.parts:
        return create(recipe.model, recipe.params).fit(split.train, seed=seed, features=features)
    if valid is None:
        raise ValueError(f"{recipe.label} needs a validation split")
    blend = tune_hybrid(recipe.parts, valid, k=task.k, seed=seed, features=features)
    if _same_events(valid, split):
        return blend
    return blend.fit(split.train, seed=seed, features=features)


def _same_events(a: RankingSplit, b: RankingSplit) -> bool:
    pairs: Sequence[tuple[Any, Any]] = [
        (getattr(a.train, name), getattr(b.train, name))
        for name in ("user_index", "item_index", "rating", "timestamp")
    ]
    return all(len(x) == len(y) and bool((x == y).all()) for x, y in pairs)
