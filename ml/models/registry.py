"""Names of the models -> classes, imported only when asked for.

Importing this module (or ``ml``) never imports torch, lightgbm, implicit or numba.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ml.models.base import Recommender

MODELS: dict[str, str] = {
    "popularity": "ml.models.popularity:Popularity",
    "trending": "ml.models.trending:Trending",
    "transition": "ml.models.transition:Transition",
    "slit": "ml.models.slit:Slit",
    "like_moments": "ml.models.like_moments:LikeMoments",
    "item_item": "ml.models.item_item:ItemItem",
    "als": "ml.models.als:Als",
    "ease": "ml.models.ease:Ease",
    "edlae": "ml.models.ease:Edlae",
    "hybrid": "ml.models.hybrid:Hybrid",
    "genre_cosine": "ml.models.genre_cosine:GenreCosine",
    "genre_neighbors": "ml.models.genre_neighbors:GenreNeighbors",
    "semantic": "ml.models.semantic:Semantic",
    "cold_map": "ml.models.cold_map:ColdMap",
    "logistic": "ml.models.logistic:Logistic",
    "hgb_ranker": "ml.models.hgb_ranker:HgbRanker",
    "lambdamart": "ml.models.lambdamart:LambdaMart",
    "graph_filter": "ml.models.graph_filter:GraphFilter",
    "kernel_ridge": "ml.models.kernel_ridge:KernelRidge",
    "lightgcn": "ml.models.lightgcn:LightGCN",
    "sequential": "ml.models.sequential:Sequential",
    "vae": "ml.models.vae:Vae",
    "two_tower": "ml.models.two_tower:TwoTower",
}

# Models that predict stars (ml.models.rating_base); they are measured by RMSE and never rank.
RATING_MODELS: dict[str, str] = {
    "bayesian_mf": "ml.models.bayesian_mf:BayesianMF",
    "neural_rating": "ml.models.neural_rating:NeuralRating",
    "star_fold": "ml.models.star_fold:StarFold",
}


class UnknownModelError(ValueError):
    """No model of that name; the message lists those there are."""


def load_class(name: str) -> type[Any]:
    """The class of either kind registered as ``name``; raises :class:`UnknownModelError`."""
    known = MODELS | RATING_MODELS
    if name not in known:
        raise UnknownModelError(f"no model is called {name!r}; known: {', '.join(sorted(known))}")
    module, _, attribute = known[name].partition(":")
    found: type[Any] = getattr(import_module(module), attribute)
    return found


def model_class(name: str) -> type[Recommender]:
    """The recommender registered as ``name``; raises :class:`UnknownModelError`."""
    if name not in MODELS:
        raise UnknownModelError(f"no model is called {name!r}; known: {', '.join(sorted(MODELS))}")
    return load_class(name)


def create(name: str, params: dict[str, Any] | None = None) -> Recommender:
    """An unfitted recommender with the given settings (JSON-able, as ``params()`` has them)."""
    return model_class(name)(**(params or {}))
