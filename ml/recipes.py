"""Which models take part in which protocol, and with which settings.

The settings were chosen on validation splits; the blends' weights are chosen there anew in every
run (:mod:`ml.tuning`), so that they fit the data at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ml.models.base import Recommender
from ml.models.hybrid import Hybrid, Part
from ml.models.registry import MODELS, RATING_MODELS, UnknownModelError
from ml.protocols import Task
from ml.shelf import FittedOnce
from ml.split import RankingSplit
from ml.tuning import tune_hybrid
from ml.types import ItemFeatures

HYBRID = "hybrid"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named model with its settings; ``parts`` are the sources of a blend to be tuned.

    Those named in ``twice`` are in the blend as fitted on all events and as fitted for the choice
    of weights, half the weight each: two networks err in different ways (Breiman, "Bagging
    Predictors", 1996), and the second one is there already.
    """

    label: str
    model: str
    params: dict[str, Any] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    twice: tuple[str, ...] = ()


def _part(label: str, model: str, **params: Any) -> Part:
    return Part(label, model, 1.0, params)


TWO_MEMORIES: dict[str, Any] = {"memories": [[0.5, 0.0], [0.95, 0.05]], "l2": 30.0}
SMALL_VAE: dict[str, Any] = {"n_hidden": 200, "n_latent": 64, "n_epochs": 100, "batch_size": 64}
RECENT = {"decay": 0.8, "floor": 0.02}  # QUALITY's weights of a history by recency
# Settings of EDLAE with a reach: of ML-1M's sittings, and of the shorter ones of the last days.
NEAR: dict[str, Any] = {"l2": 150.0, "reach": 100.0}
NEARER: dict[str, Any] = {"l2": 100.0, "reach": 30.0}
NEAREST: dict[str, Any] = {"l2": 60.0, "reach": 3.0}
NEAR_SMALL: dict[str, Any] = {"l2": 75.0, "dropout": 0.67, "reach": 30.0}

# What the learners of the next film re-order; a hundred candidates hold nearly all that is ever
# lifted among the first ten.
_MOMENT_POOL: list[dict[str, Any]] = [
    {"label": "moments", "model": "like_moments", "weight": 0.7},
    {"label": "slit_2", "model": "slit", "weight": 0.6, "params": TWO_MEMORIES},
    {"label": "edlae_recent", "model": "edlae", "weight": 0.3, "params": {"l2": 250.0, **RECENT}},
    {
        "label": "als_recent",
        "model": "als",
        "weight": 0.2,
        "params": {"n_factors": 64, "decay": 0.9, "floor": 0.05},
    },
    {"label": "transition", "model": "transition", "weight": 0.2},
]
# With a transformer beside them, at the weights that the blend's search found (validation of
# last-out). Sources of weight 0 choose no candidates, but the learner sees them.
_SASREC_WEIGHTS = {"moments": 0.09, "slit_2": 0.06, "als_recent": 0.13}
_SASREC_POOL: list[dict[str, Any]] = [
    {"label": "sasrec", "model": "sequential", "weight": 0.67},
    *({**part, "weight": _SASREC_WEIGHTS.get(part["label"], 0.0)} for part in _MOMENT_POOL),
    {"label": "recent", "model": "popularity", "weight": 0.05, "params": {"window_days": 30.0}},
]
_NEXT_LEARNER: dict[str, Any] = {"parts": _MOMENT_POOL, "n_candidates": 100, "sees_blend": True}
_LEARNERS: dict[str, dict[str, Any]] = {"lambdamart": _NEXT_LEARNER, "hgb_ranker": _NEXT_LEARNER}

_LIKED_POOL: list[dict[str, Any]] = [
    {"label": "edlae", "model": "edlae", "weight": 0.15, "params": {"l2": 250.0}},
    {"label": "als", "model": "als", "weight": 0.3, "params": {"n_factors": 64}},
    {"label": "als_wide", "model": "als", "weight": 0.25, "params": {"n_factors": 128}},
    {"label": "kernel", "model": "kernel_ridge", "weight": 0.3, "params": {"l2": 4.0}},
]

# Settings by protocol family where they differ from the model's own.
SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "strong": {"edlae": {"l2": 250.0}},
    "ratio-811": {"edlae": {"l2": 250.0}, "ease": {"l2": 400.0}},
    "ms-100k": {
        "edlae": {"l2": 400.0, "dropout": 0.67},
        "ease": {"l2": 400.0},
        "als": {"n_factors": 16, "alpha0": 0.3},
        "kernel_ridge": {"l2": 6.0},
        "vae": SMALL_VAE,
    },
    # The paper's loss keeps popularity in the films' norms, which is what a few films need; with
    # cosines it was behind popularity (validation, mean of the lengths: NDCG@10 .312 against .270).
    "sparse": {
        "lightgcn": {
            "loss": "bpr",
            "free_people": True,
            "n_layers": 2,
            "learning_rate": 0.01,
            "batch_size": 2048,
            "n_epochs": 60,
            "eval_every": 10,
        },
    },
    "last-out": _LEARNERS,
    "prequential": _LEARNERS,
}

# New films among all: weights and boosts chosen on ML-1M's validation films (three seeds, NDCG@10
# among all .3425; the iALS map alone .3370, EDLAE without new films .2671).
_COLD_BLEND: dict[str, Any] = {
    "parts": [
        {"label": "als-map", "model": "cold_map", "weight": 0.7, "params": {"boost": 2.25}},
        {
            "label": "edlae-map",
            "model": "cold_map",
            "weight": 0.3,
            "params": {"base": "edlae", "ridge": 1.0, "boost": 2.25},
        },
    ]
}

# Three unlike sources with round weights, nothing tuned on the data at hand (QUALITY's blend for
# ratio-811): what is left when the search for weights is too dear.
_UNTUNED_BLEND: dict[str, Any] = {
    "parts": [
        {"label": "edlae", "model": "edlae", "weight": 1.0, "params": {"l2": 250.0}},
        {"label": "kernel", "model": "kernel_ridge", "weight": 1.0},
        {"label": "als", "model": "als", "weight": 0.5, "params": {"n_factors": 64}},
    ]
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
    "edlae-near": ("edlae", NEAR),
    "edlae-nearer": ("edlae", NEARER),
    "edlae-near-small": ("edlae", NEAR_SMALL),
    "edlae-near-recent": ("edlae", {**NEARER, **RECENT}),
    "slit-2": ("slit", TWO_MEMORIES),
    "untuned-blend": ("hybrid", _UNTUNED_BLEND),
    "cold-blend": ("hybrid", _COLD_BLEND),
    "lightgcn-cosine": (
        "lightgcn",
        {
            "loss": "softmax",
            "free_people": False,
            "n_layers": 3,
            "batch_size": 256,
            "n_epochs": 100,
            "eval_every": 5,
        },
    ),
    "als-64": ("als", {"n_factors": 64}),
    "als-256": ("als", {"n_factors": 256}),
    "stacked": ("lambdamart", {"parts": _LIKED_POOL, "target": "strangers", "sees_blend": True}),
    # One label a person: its sources learn from what the blend's do, so SASRec is on the shelf.
    "lambdamart-sasrec": (
        "lambdamart",
        {**_NEXT_LEARNER, "parts": _SASREC_POOL, "n_labels": 1},
    ),
}

_TASTE = (  # everything one likes, whatever the order
    _part("edlae", "edlae", l2=250.0),
    _part("als", "als", n_factors=64),
    _part("als-wide", "als", n_factors=128),
    _part("near", "edlae", **NEAR),
    _part("nearer", "edlae", **NEARER),
    _part("kernel", "kernel_ridge"),
    _part("kernel-sharp", "kernel_ridge", l2=4.0),
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
_NEXT_FILM = (  # what comes next, where everyone's sequences may be searched for moments like it
    _part("als-recent", "als", n_factors=64, decay=0.9, floor=0.05),
    _part("edlae-recent", "edlae", l2=250.0, **RECENT),
    _part("transition", "transition"),
    _part("slit-2", "slit", **TWO_MEMORIES),
    _part("near-recent", "edlae", **NEARER, **RECENT),
    _part("near-last", "edlae", **NEAREST, decay=0.7, floor=0.01),
    _part("moments", "like_moments"),
    _part("recent", "popularity", window_days=30.0),
)
_FEW = (  # a few films of someone new: facts and popularity weigh more
    _part("edlae", "edlae", l2=250.0),
    _part("als", "als", n_factors=64),
    _part("als-narrow", "als", n_factors=16, alpha0=0.3),
    _part("kernel", "kernel_ridge"),
    _part("lightgcn", "lightgcn"),
    _part("facts", "cold_map"),
    _part("text", "semantic"),
    _part("popular", "popularity"),
)
HYBRID_PARTS: dict[str, tuple[Part, ...]] = {
    "strong": _TASTE,
    "ratio-811": (
        _part("edlae", "edlae", l2=250.0),
        _part("edlae-liked", "edlae", l2=250.0, min_rating=4.0),
        _part("near", "edlae", **NEAR),
        _part("nearer", "edlae", **NEARER),
        _part("als", "als", n_factors=64),
        _part("als-wide", "als", n_factors=128),
        _part("kernel", "kernel_ridge"),
        _part("kernel-sharp", "kernel_ridge", l2=4.0),
        _part("popular", "popularity"),
    ),
    "ms-100k": (
        _part("edlae", "edlae", l2=400.0, dropout=0.67),
        _part("edlae-liked", "edlae", l2=300.0, dropout=0.67, min_rating=4.0),
        _part("near", "edlae", **NEAR_SMALL),
        _part("near-wide", "edlae", l2=150.0, dropout=0.67, reach=150.0),
        _part("near-narrow", "edlae", l2=150.0, dropout=0.67, reach=5.0),
        _part("als", "als", n_factors=64, l2=0.03),
        _part("als-32", "als", n_factors=32, l2=0.03),
        _part("als-narrow", "als", n_factors=16, alpha0=0.3),
        _part("kernel", "kernel_ridge", l2=6.0),
        _part("graph", "graph_filter"),
        _part("vae", "vae", **SMALL_VAE),
        _part("popular", "popularity"),
    ),
    "sparse": _FEW,
    "cold-item": _TASTE,
    "last-out": _NEXT_FILM,
    "prequential": _NEXT,
    "temporal": (*_NEXT, _part("recent-week", "popularity", window_days=7.0)),
}
# Blends with a name of their own, in whichever protocol: their parts, and which of them are in it
# twice.
_WITH_SASREC = (*_NEXT_FILM, _part("sasrec", "sequential"))
BLENDS: dict[str, tuple[tuple[Part, ...], tuple[str, ...]]] = {
    "hybrid-sasrec": (_WITH_SASREC, ()),
    "hybrid-two-sasrecs": (_WITH_SASREC, ("sasrec",)),
}


def recipe_of(label: str, family: str) -> Recipe:
    """The recipe of a registered model or variant in a protocol; raises UnknownModelError."""
    if label == HYBRID:
        return Recipe(label, HYBRID, parts=HYBRID_PARTS.get(family, _TASTE))
    if label in BLENDS:
        parts, twice = BLENDS[label]
        return Recipe(label, HYBRID, {"parts": [asdict(p) for p in parts]}, parts, twice)
    model, params = VARIANTS.get(label, (label, {}))
    if model in RATING_MODELS:
        raise UnknownModelError(f"{label} predicts stars: it takes part in the protocol 'rating'")
    if model not in MODELS:
        known = sorted({*MODELS, *VARIANTS, *BLENDS})
        raise UnknownModelError(f"no model is called {label!r}; known: {', '.join(known)}")
    own = SETTINGS.get(family, {}).get(model, {})
    return Recipe(label, model, {**own, **params})


def fit_recipe(
    recipe: Recipe,
    split: RankingSplit,
    task: Task,
    valid: Sequence[RankingSplit],
    *,
    seed: int,
    features: ItemFeatures | None = None,
    fit: FittedOnce | None = None,
) -> Recommender:
    """The recipe's model fitted on the split; a blend is tuned on the draws of ``valid`` first."""
    fit = fit or FittedOnce()
    if not recipe.parts:
        return fit(recipe.model, recipe.params, split.train, seed=seed, features=features)
    if not valid:
        raise ValueError(f"{recipe.label} needs a validation split")
    blend = tune_hybrid(recipe.parts, valid, k=task.k, seed=seed, features=features, fit=fit)
    models: dict[str, Recommender] = {}
    weights: dict[str, float] = {}
    for part in blend.parts:
        label, weight = part.label, part.weight
        models[label] = fit(part.model, part.params, split.train, seed=seed, features=features)
        if label in recipe.twice:
            weight /= 2
            models[f"{label}-earlier"] = blend.models[label]
            weights[f"{label}-earlier"] = weight
        weights[label] = weight
    return Hybrid.of(models, weights)
