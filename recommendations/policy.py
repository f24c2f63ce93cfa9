"""Fitting the served policy: which sources blend into it, and with what weights.

Weights are chosen on held-out people who came back: events more than an hour after the one before.
People rate page after page, and within a page the next film is often the next line of the page;
who comes back an hour later is the person that a list is for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ml.cluster_slices import cluster_slices
from ml.data import Dataset
from ml.evaluation import Result, compare, measure
from ml.models.base import Recommender
from ml.models.hybrid import Hybrid, Part
from ml.models.item_to_item import ItemToItem
from ml.models.registry import create
from ml.protocols_return import returning
from ml.protocols_users import strong
from ml.shelf import fingerprint
from ml.split import RankingSplit, SplitError
from ml.tuning import collect, search_weights, stacked
from ml.types import Interactions
from recommendations.dial_costs import dial_costs
from recommendations.services.gate import METRIC, is_behind, signed
from recommendations.snapshot import current_snapshot
from recommendations.sources import HYBRID, Tier, sources_of
from recommendations.training_data import TrainingData

logger = logging.getLogger(__name__)

SEED = 7
CHAMPION = "champion"
ENOUGH_PEOPLE = 250  # held-out people whose mean is steadier than the search's steps
SMALL_DRAWS = 3  # of a smaller audience; one for the very first model, which people wait for
ENOUGH_RETURNS = 200  # events after a pause, of the test people
# Held-out people of a large audience, for each of choice and test, with up to 40 events each: to
# ask about 15 % of 138,493 people takes longer than to fit the sources.
MOST_PEOPLE = 1000
# Where there are too few people to hold any out, nothing can be measured: equal parts of the two
# strongest sources of the literature, said so in the version's note.
UNMEASURED_WEIGHTS = {"edlae": 0.5, "als": 0.5}
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Verdict:
    """What the held-out people said. ``refusal`` is empty where the gate lets it through.

    ``results`` are the measurements on the test people by label, for whoever compares further.
    """

    weights: dict[str, float]
    metrics: dict[str, Any]
    note: str = ""
    refusal: str = ""
    results: dict[str, Result] = field(default_factory=dict, repr=False, compare=False)


def blend_parts() -> dict[str, tuple[str, dict[str, Any]]]:
    """Label -> (model, settings) of the sources that may take part in the blend."""
    return {source.name: (source.model, source.params) for source in sources_of(Tier.BLEND)}


def ranker_parts() -> list[dict[str, Any]]:
    """The sources of a learner that re-orders a pool, with the weights that pick the pool: those
    of the served policy, or of an unmeasured one where nothing is served yet."""
    snapshot = current_snapshot()
    weights = UNMEASURED_WEIGHTS
    if snapshot is not None:
        weights = {part.label: part.weight for part in snapshot.hybrid.parts}
    return [
        asdict(Part(label, model, weights.get(label, 0.0), params))
        for label, (model, params) in blend_parts().items()
    ]


def policy_measure(data: TrainingData, tell: Progress) -> Verdict:
    """Fits without the held-out people, chooses weights on some of them, reports on the others.

    What is asked for is what people watched when they came back (protocol ``returning``); of an
    audience that hardly ever did, a fifth of held-out people's liked films (``strong``). The test
    people take part in no choice.
    """
    is_first = current_snapshot() is None
    try:
        test, validations = _splits(data.dataset, n_draws=1 if is_first else SMALL_DRAWS)
    except SplitError as error:
        return Verdict(UNMEASURED_WEIGHTS, {}, note=f"Not measured: {error}")
    candidates = []
    models: dict[str, Recommender] = {}
    for i, valid in enumerate(validations):
        tell(
            "Learning what to weigh, without the held-out people", 0.05 + 0.3 * i / len(validations)
        )
        models = _fit(valid.train, data)
        candidates.append(collect(list(models.values()), valid, seed=SEED))
    found, _ = search_weights(stacked(candidates), k=100)
    weights = dict(zip(blend_parts(), found.tolist(), strict=True))
    tell("Measuring on the test people", 0.4)
    if not models or fingerprint(validations[-1].train) != fingerprint(test.train):
        models = _fit(test.train, data)
    fitted: dict[str, Recommender] = {**models, HYBRID: _blend(models, weights)}
    served = _served_weights()
    if served is not None:
        fitted[CHAMPION] = _blend(models, served)
    parts = cluster_slices(test, data.features)
    results = {
        label: measure(
            partial(_as_it_is, model), test, label=label, features=data.features, parts=parts
        )
        for label, model in fitted.items()
    }
    refusal = recipe_refusal(results)
    measured = _metrics_json(results, weights)
    tell("Measuring what the dials cost", 0.55)
    measured["dials"] = dial_costs(_blend(models, weights), test, data.items)
    return Verdict(weights, measured, refusal=refusal, results=results)


def _served_weights() -> dict[str, float] | None:
    """The recipe being served; None where there is none, or one of other sources."""
    snapshot = current_snapshot()
    if snapshot is None:
        return None
    weights = {part.label: part.weight for part in snapshot.hybrid.parts}
    return weights if weights.keys() == blend_parts().keys() else None


def recipe_refusal(results: dict[str, Result]) -> str:
    """Why these weights are none to serve, judged by people whom no model saw; empty if they are.

    Both recipes are fitted on the same ratings: what differs are the weights alone.
    """
    n_people = results[HYBRID].n_users
    gain = compare(results[HYBRID], results["popularity"], METRIC)
    if gain.mean <= 0:
        figures = f"{METRIC} {signed(gain)} on {n_people} held-out people"
        return f"It does not beat popularity: {figures}."
    if CHAMPION not in results:
        return ""
    reached = results[CHAMPION].metrics[METRIC].mean
    gain = compare(results[HYBRID], results[CHAMPION], METRIC)
    if is_behind(gain, reached=reached, n_people=n_people):
        figures = f"{METRIC} {signed(gain)} of {reached:.4f} on {n_people} held-out people"
        return f"Its weights are worse than those being served: {figures}."
    return ""


def policy_fit(data: TrainingData, verdict: Verdict) -> Hybrid:
    """The policy fitted on everything, with the weights that were found."""
    return _blend(_fit(data.dataset.interactions, data), verdict.weights)


def _blend(models: dict[str, Recommender], weights: dict[str, float]) -> Hybrid:
    return Hybrid.of(models, {label: weights.get(label, 0.0) for label in models})


def _as_it_is(model: Recommender) -> Recommender:
    """For :func:`measure`, which fits: these models are fitted already."""
    return model


def _metrics_json(results: dict[str, Result], weights: dict[str, float]) -> dict[str, Any]:
    first = results[HYBRID]
    return {
        "protocol": first.protocol,
        "seed": first.seed,
        "split_sha256": first.split_sha256,
        "n_users": first.n_users,
        "weights": weights,
        "models": {label: result.to_json()["metrics"] for label, result in results.items()},
        "slices": first.slices_json(),
    }


def policy_refit(
    interactions: Interactions, data: TrainingData, weights: dict[str, float]
) -> Hybrid:
    """The policy with these weights, fitted on ``interactions`` alone: for another protocol."""
    return _blend(_fit(interactions, data), weights)


def policy_test(data: Dataset) -> RankingSplit:
    """The split that every policy and source is measured on. Raises SplitError."""
    return _splits(data, n_draws=0)[0]


def _splits(data: Dataset, *, n_draws: int) -> tuple[RankingSplit, list[RankingSplit]]:
    """The test split, and validation splits with other people. Raises SplitError."""
    try:
        came_back = partial(returning, max_people=MOST_PEOPLE)
        test = came_back(data, seed=SEED, part="test")
        if len(test) >= ENOUGH_RETURNS:
            return test, _validation_splits(data, test, came_back, n_draws)
    except SplitError as error:
        logger.info("Nobody came back (%s): measured on liked films in any order", error)
    test = strong(data, seed=SEED, part="test")
    return test, _validation_splits(data, test, strong, n_draws)


def _validation_splits(
    data: Dataset, test: RankingSplit, protocol: Callable[..., RankingSplit], n_draws: int
) -> list[RankingSplit]:
    """Validation people to choose weights by, none of whom is a test person.

    Those that belong to the test split, where they are enough: both are kept from the same models,
    which are then fitted once for both. A tenth of a few hundred people is too few to choose by:
    small audiences are held out ``n_draws`` times, with other seeds, and what that gains is
    measured by ``benchmarks/blend_weights.py``.
    """
    if n_draws and len(np.unique(test.group)) >= ENOUGH_PEOPLE:
        return [protocol(data, seed=SEED, part="valid")]
    is_test = np.isin(data.interactions.user_index, test.group)
    rest = replace(data, interactions=data.interactions.select(~is_test))
    return [protocol(rest, seed=SEED + i, part="valid") for i in range(n_draws)]


def _fit(interactions: Interactions, data: TrainingData) -> dict[str, Recommender]:
    """Every source of the blend; those that differ in how they weigh the history share a table."""
    fitted: dict[str, Recommender] = {}
    shelf: dict[str, Recommender] = {}
    for label, (name, params) in blend_parts().items():
        history = {key: params[key] for key in ("decay", "floor") if key in params}
        own = {key: value for key, value in params.items() if key not in history}
        key = json.dumps([name, own], sort_keys=True)
        known = shelf.get(key)
        if isinstance(known, ItemToItem) and {"decay", "floor"} <= set(known.params()):
            asked = {"decay": 1.0, "floor": 0.0, **history}
            fitted[label] = known.with_history(**asked)
            continue
        model = create(name, params).fit(interactions, seed=SEED, features=data.features)
        fitted[label] = shelf[key] = model
    return fitted
