"""Training what predicts stars: beside the policy, with versions of its own (kind ``rating``).

It never ranks. It is served where its 80 % intervals, for people it has not met, hold what they
say: that is its gate.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.utils import timezone

from ml.data import Dataset
from ml.metrics import interval_coverage, mae, rmse
from ml.models.star_fold import StarFold
from ml.types import FloatArray, Histories, Interactions, ItemFeatures
from recommendations.models import ModelVersion, TrainingRun
from recommendations.policy import SEED, Progress
from recommendations.services.lease import heartbeat, run_finish, run_note, run_start
from recommendations.services.registry import versions_prune
from recommendations.services.versions import version_write
from recommendations.sources import HYBRID
from recommendations.training_data import TrainingData, training_data

logger = logging.getLogger(__name__)

KIND = "rating"
LEVEL = 0.8
# Smaller than the research setting (24 factors, 180 sweeps), which gains a hundredth of a star and
# takes four times as long.
SAMPLER = {"dim": 16, "sweeps": 100, "burn_in": 20, "thin": 4, "rank": 60}
MAX_RATINGS = 2_000_000  # more people than that teach it nothing that it does not know
HELD_SHARE = 0.1
HISTORY_LENGTHS = (5, 20)
N_TRUTHS = 20
# An interval that is not within this of its word is not shown.
MAX_OFF = 0.08
EVERY = timedelta(days=1)
FEW_TRUTHS = 200  # below this nothing can be said about coverage


@dataclass(frozen=True)
class _Truths:
    """Predictions for people who were not part of the fit, and what they really gave."""

    stars: FloatArray
    low: FloatArray
    high: FloatArray
    actual: FloatArray


def train_ratings(
    *, trigger: str = "command", is_forced: bool = False, on_progress: Progress | None = None
) -> TrainingRun:
    """One training of the star predictor; the row says how it ended, as for the policy.

    Raises TrainingBusyError while another one runs.
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


def is_due(*, now: datetime) -> bool:
    """Whether to train: the policy is served, and this has no version or one older than a day."""
    active = ModelVersion.objects.filter(status=ModelVersion.Status.ACTIVE)
    if not active.filter(kind=HYBRID).exists():
        return False
    last = TrainingRun.objects.filter(kind=KIND).order_by("-started_at").first()
    return last is None or last.started_at < now - EVERY


def _train(run: TrainingRun, *, is_forced: bool, tell: Progress) -> None:
    tell("Reading ratings", 0.02)
    data = training_data()
    run.data_fingerprint = data.fingerprint
    run.last_interaction_id = data.last_interaction_id
    active = ModelVersion.objects.filter(kind=KIND, status=ModelVersion.Status.ACTIVE).first()
    if active and active.data_fingerprint == data.fingerprint and not is_forced:
        run_finish(run, TrainingRun.Status.SKIPPED)
        return
    ratings = _some_people(data.dataset)
    tell("Measuring on people that it has not met", 0.1)
    metrics = _measure(ratings, data.features)
    tell("Fitting on everything", 0.55)
    model = StarFold(**SAMPLER).fit(ratings, seed=SEED, features=data.features)
    tell("Writing the model", 0.95)
    version = _register(model, data, metrics)
    run.model_version = version
    refusal = _refusal(metrics)
    if refusal:
        version.status, version.note = ModelVersion.Status.FAILED, refusal
        version.save(update_fields=["status", "note"])
        run_finish(run, TrainingRun.Status.REFUSED, error=refusal)
        logger.warning("Model %s was refused: %s", version.version, refusal)
        return
    _promote(version)
    versions_prune(kind=KIND)
    run_finish(run, TrainingRun.Status.DONE)


def _some_people(dataset: Dataset) -> Interactions:
    """All ratings, or those of as many people as make MAX_RATINGS."""
    events = dataset.interactions
    if len(events) <= MAX_RATINGS:
        return events
    order = np.random.default_rng(SEED).permutation(events.n_users)
    counts = np.bincount(events.user_index, minlength=events.n_users)
    kept = order[np.cumsum(counts[order]) <= MAX_RATINGS]
    return events.select(np.isin(events.user_index, kept))


def _measure(ratings: Interactions, features: ItemFeatures) -> dict[str, float]:
    """Coverage of the intervals and errors for a tenth of the people, folded in."""
    rng = np.random.default_rng(SEED)
    people = np.unique(ratings.user_index)
    held = np.sort(rng.permutation(people)[: max(1, int(len(people) * HELD_SHARE))])
    is_held = np.isin(ratings.user_index, held)
    if is_held.all() or not is_held.any():
        return {"n": 0.0}
    model = StarFold(**SAMPLER).fit(ratings.select(~is_held), seed=SEED, features=features)
    everyone = Histories.from_interactions(ratings.select(is_held), users=held)
    parts = [
        _person(model, everyone, i, length)
        for length in HISTORY_LENGTHS
        for i in np.flatnonzero(np.diff(everyone.indptr) > length).tolist()
    ]
    if not parts:
        return {"n": 0.0}
    truths = _Truths(*(np.concatenate([getattr(p, name) for p in parts]) for name in _FIELDS))
    mean = np.full_like(truths.actual, ratings.rating.mean())
    return {
        "n": float(len(truths.actual)),
        "n_people": float(len(held)),
        "coverage80": float(interval_coverage(truths.low, truths.high, truths.actual)),
        "width80": float((truths.high - truths.low).mean()),
        "rmse": float(rmse(truths.stars, truths.actual)),
        "mae": float(mae(truths.stars, truths.actual)),
        "rmse_of_the_mean": float(rmse(mean, truths.actual)),
    }


_FIELDS = ("stars", "low", "high", "actual")


def _person(model: StarFold, everyone: Histories, i: int, length: int) -> _Truths:
    start, stop = int(everyone.indptr[i]), int(everyone.indptr[i + 1])
    first, later = slice(start, start + length), slice(start + length, start + length + N_TRUTHS)
    later = slice(later.start, min(later.stop, stop))
    known = Histories.from_lists(
        [everyone.item_index[first]], ratings=[everyone.rating[first].tolist()]
    )
    found = model.predict_interval_for(known, everyone.item_index[later], level=LEVEL)
    return _Truths(found[0][0], found[1][0], found[2][0], everyone.rating[later])


def _refusal(metrics: dict[str, float]) -> str:
    if metrics["n"] < FEW_TRUTHS:
        return ""  # too little to judge by: the version's metrics say so
    off = abs(metrics["coverage80"] - LEVEL)
    if off > MAX_OFF:
        return (
            f"Its 80 % intervals hold {100 * metrics['coverage80']:.1f} % of the stars of people "
            f"that it has not met."
        )
    if metrics["rmse"] >= metrics["rmse_of_the_mean"]:
        return (
            f"It is no nearer than the mean of all stars: RMSE {metrics['rmse']:.3f} against "
            f"{metrics['rmse_of_the_mean']:.3f}."
        )
    return ""


def _register(model: StarFold, data: TrainingData, metrics: dict[str, float]) -> ModelVersion:
    return version_write(
        model,
        data,
        kind=KIND,
        metadata={"metrics": metrics},
        metrics=metrics,
        note="" if metrics["n"] >= FEW_TRUTHS else "Too few people to measure the intervals on.",
    )


def _promote(version: ModelVersion) -> None:
    """Makes it the active one of its kind."""
    with transaction.atomic():
        # Two promotions at once queue on the same rows.
        list(ModelVersion.objects.select_for_update().filter(kind=KIND))
        ModelVersion.objects.filter(kind=KIND, status=ModelVersion.Status.ACTIVE).update(
            status=ModelVersion.Status.RETIRED
        )
        version.status, version.activated_at = ModelVersion.Status.ACTIVE, timezone.now()
        version.save(update_fields=["status", "activated_at"])
