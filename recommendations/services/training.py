"""Training the served policy: validation -> weights -> test -> refit -> gate -> promotion."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from django.conf import settings
from django.utils import timezone

from ml.artifacts import save_artifact
from ml.evaluation import Result, compare, measure
from ml.models.base import Recommender
from ml.models.hybrid import Hybrid
from ml.models.registry import create
from ml.protocols_users import strong
from ml.split import RankingSplit, SplitError
from ml.tuning import collect, search_weights, stacked
from ml.types import Interactions
from recommendations.models import ModelVersion, TrainingRun
from recommendations.services.gate import METRIC, golden_slate
from recommendations.services.lease import heartbeat, run_finish, run_note, run_start
from recommendations.services.registry import (
    PromotionError,
    model_promote,
    version_admit,
    versions_prune,
)
from recommendations.training_data import TrainingData, training_data

logger = logging.getLogger(__name__)

KIND = "hybrid"
SEED = 7
LIKED = 4.0  # stars from which a rating counts as a wish for more
ENOUGH_PEOPLE = 500  # held-out people whose mean is steadier than the search's steps
Progress = Callable[[str, float], None]

# The sources of the policy: registry name and settings. Weights are chosen by validation.
SOURCES: dict[str, tuple[str, dict]] = {
    "ease": ("edlae", {"l2": 200.0, "n_kept": 400, "min_rating": LIKED}),
    "item_item": ("item_item", {"n_neighbors": 100, "shrinkage": 20.0, "min_rating": LIKED}),
    "als": ("als", {"n_factors": 64, "n_epochs": 12, "min_rating": LIKED}),
    "popularity": ("popularity", {"min_rating": LIKED}),
}
# Where there are too few people to hold any out, nothing can be measured: equal parts of the two
# strongest sources of the literature, said so in the version's note.
UNMEASURED_WEIGHTS = {"ease": 0.5, "item_item": 0.0, "als": 0.5, "popularity": 0.0}


@dataclass(frozen=True)
class Verdict:
    """What the held-out people said. ``refusal`` is empty where the gate lets it through."""

    weights: dict[str, float]
    metrics: dict
    note: str = ""
    refusal: str = ""


def train(
    *, trigger: str = "command", is_forced: bool = False, on_progress: Progress | None = None
) -> TrainingRun:
    """One training run from start to promotion; the row says how it ended.

    Data that did not change since the active version: SKIPPED, unless ``is_forced``. A candidate
    that does not beat popularity is REFUSED and what is active stays. Raises TrainingBusyError
    while another one runs, and whatever else goes wrong after having closed the row as FAILED.
    """
    run = run_start(kind=KIND, trigger=trigger)

    def tell(stage: str, share: float) -> None:
        run_note(run, stage=stage, progress=share)
        if on_progress is not None:
            on_progress(stage, share)

    try:
        with heartbeat(run):
            _train(run, is_forced=is_forced, tell=tell)
    except BaseException as error:
        run_finish(run, TrainingRun.Status.FAILED, error=f"{type(error).__name__}: {error}")
        raise
    return run


def _train(run: TrainingRun, *, is_forced: bool, tell: Progress) -> None:
    tell("Reading ratings", 0.02)
    data = training_data()
    run.data_fingerprint = data.fingerprint
    run.last_interaction_id = data.last_interaction_id
    active = ModelVersion.objects.filter(kind=KIND, status=ModelVersion.Status.ACTIVE).first()
    if active and active.data_fingerprint == data.fingerprint and not is_forced:
        run_finish(run, TrainingRun.Status.SKIPPED)
        return
    verdict = _measure(data, tell)
    tell("Fitting on everything", 0.6)
    hybrid = Hybrid.of(_fit(data.dataset.interactions, data), verdict.weights)
    tell("Writing the model", 0.9)
    version = _register(hybrid, data, verdict)
    run.model_version = version
    if verdict.refusal:
        _refuse(run, version, verdict.refusal)
        return
    tell("Passing the gate", 0.92)
    try:
        version_admit(version, data=data)
        tell("Promoting", 0.97)
        model_promote(version, is_admitted=True)
    except PromotionError as error:
        _refuse(run, version, version.note or str(error))
        return
    versions_prune(kind=KIND)
    run_finish(run, TrainingRun.Status.DONE)


def _refuse(run: TrainingRun, version: ModelVersion, reason: str) -> None:
    version.status, version.note = ModelVersion.Status.FAILED, reason
    version.save(update_fields=["status", "note"])
    run_finish(run, TrainingRun.Status.REFUSED, error=reason)
    logger.warning("Model %s was refused: %s", version.version, reason)


def _measure(data: TrainingData, tell: Progress) -> Verdict:
    """Fits without the held-out people, chooses weights on some of them, reports on the others.

    Protocol ``strong``: full-catalogue ranking of a fifth of held-out people's liked films. The
    test people take part in no choice.
    """
    try:
        test = strong(data.dataset, seed=SEED, part="test")
        validations = _validation_splits(data, test)
    except SplitError as error:
        return Verdict(UNMEASURED_WEIGHTS, {}, note=f"Not measured: {error}")
    candidates = []
    for i, valid in enumerate(validations):
        tell(
            "Learning what to weigh, without the held-out people", 0.05 + 0.3 * i / len(validations)
        )
        candidates.append(collect(list(_fit(valid.train, data).values()), valid, seed=SEED))
    found, _ = search_weights(stacked(candidates), k=100)
    weights = dict(zip(SOURCES, found.tolist(), strict=True))
    tell("Measuring on the test people", 0.4)
    models = _fit(test.train, data)
    fitted: dict[str, Recommender] = {**models, KIND: Hybrid.of(models, weights)}
    results = {
        label: measure(partial(_as_it_is, model), test, label=label)
        for label, model in fitted.items()
    }
    gain = compare(results[KIND], results["popularity"], METRIC)
    refusal = ""
    if gain.mean <= 0:
        refusal = (
            f"It does not beat popularity: {METRIC} {gain.mean:+.4f} "
            f"({gain.lo:+.4f} to {gain.hi:+.4f}) on {results[KIND].n_users} held-out people."
        )
    return Verdict(weights, _metrics_json(results, weights), refusal=refusal)


def _as_it_is(model: Recommender) -> Recommender:
    """For :func:`measure`, which fits: these models are fitted already."""
    return model


def _metrics_json(results: dict[str, Result], weights: dict[str, float]) -> dict:
    first = results[KIND]
    return {
        "protocol": first.protocol,
        "seed": first.seed,
        "split_sha256": first.split_sha256,
        "n_users": first.n_users,
        "weights": weights,
        "models": {label: result.to_json()["metrics"] for label, result in results.items()},
    }


def _validation_splits(data: TrainingData, test: RankingSplit) -> list[RankingSplit]:
    """Validation people to choose weights by, none of whom is a test person.

    A tenth of a few hundred people is too few to choose by, so small audiences are held out three
    times, with other seeds: ``benchmarks/blend_weights.py`` measures what that gains.
    """
    is_test = np.isin(data.dataset.interactions.user_index, test.group)
    rest = replace(data.dataset, interactions=data.dataset.interactions.select(~is_test))
    n_seeds = 1 if len(test) >= ENOUGH_PEOPLE else 3
    return [strong(rest, seed=SEED + i, part="valid") for i in range(n_seeds)]


def _fit(interactions: Interactions, data: TrainingData) -> dict[str, Recommender]:
    return {
        label: create(name, params).fit(interactions, seed=SEED, features=data.features)
        for label, (name, params) in SOURCES.items()
    }


def _register(hybrid: Hybrid, data: TrainingData, verdict: Verdict) -> ModelVersion:
    """Writes the files, then the row: a row never names files that are not there."""
    now = timezone.now()
    # Two trainings in one second (tests, or two machines) still get two names.
    version = f"{KIND}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    manifest = save_artifact(
        hybrid,
        Path(settings.MODELS_DIR) / version,
        metadata={
            "version": version,
            "created_at": now.isoformat(),
            "movie_ids": data.items.ids.tolist(),
            "items_fingerprint": data.items.fingerprint,
            "data_fingerprint": data.fingerprint,
            "data_read_at": data.read_at.isoformat(),
            "last_interaction_id": data.last_interaction_id,
            "golden": golden_slate(hybrid),
            "n_users": data.dataset.interactions.n_users,
            "n_ratings": len(data.dataset.interactions),
            "metrics": verdict.metrics,
        },
    )
    return ModelVersion.objects.create(
        kind=KIND,
        version=version,
        path=version,
        manifest_sha256=manifest.sha256,
        data_fingerprint=data.fingerprint,
        metrics=verdict.metrics,
        note=verdict.note,
    )
