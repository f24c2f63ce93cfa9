"""Training the served policy: validation -> weights -> test -> refit -> gate -> promotion."""

from __future__ import annotations

import hashlib
import json
import logging

from ml.models.hybrid import Hybrid
from recommendations.models import ModelVersion, TrainingRun
from recommendations.policy import Progress, Verdict, blend_parts, policy_fit, policy_measure
from recommendations.services.drift import training_profile
from recommendations.services.gate import golden_slate
from recommendations.services.lease import (
    TrainingCancelledError,
    heartbeat,
    run_check,
    run_finish,
    run_note,
    run_start,
)
from recommendations.services.registry import (
    PromotionError,
    model_promote,
    version_admit,
    versions_prune,
)
from recommendations.services.resume import checkpoint_save, fitted_version, interrupted_run
from recommendations.services.versions import version_write
from recommendations.sources import HYBRID
from recommendations.training_data import TrainingData, training_data

logger = logging.getLogger(__name__)

KIND = HYBRID


def train(
    *, trigger: str = "command", is_forced: bool = False, on_progress: Progress | None = None
) -> TrainingRun:
    """One training run from start to promotion; the row says how it ended.

    Data that did not change since the active version: SKIPPED, unless ``is_forced``. A candidate
    that does not beat popularity is REFUSED and what is active stays. A run that was killed or
    cancelled half-way is gone on with by the next one on the same data. Raises TrainingBusyError
    while another one runs, and whatever else goes wrong after having closed the row as FAILED.
    """
    run = run_start(kind=KIND, trigger=trigger)

    def tell(stage: str, share: float) -> None:
        run_check(run)
        run_note(run, stage=stage, progress=share)
        if on_progress is not None:
            on_progress(stage, share)

    try:
        with heartbeat(run):
            _train(run, is_forced=is_forced, tell=tell)
    except TrainingCancelledError as error:
        run_finish(run, TrainingRun.Status.CANCELLED, error=str(error))
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
    recipe = _recipe()
    before = interrupted_run(run, recipe=recipe)
    checkpoint_save(run, "recipe", recipe)
    verdict = _measured(run, before, data=data, tell=tell)
    version = fitted_version(before) if before is not None else None
    if version is None:
        tell("Fitting on everything", 0.6)
        hybrid = policy_fit(data, verdict)
        tell("Writing the model", 0.9)
        version = _register(hybrid, data, verdict)
    else:
        tell("Taking the model that the interrupted run had fitted", 0.9)
    run.model_version = version
    run.save(update_fields=["model_version"])
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


def _measured(
    run: TrainingRun, before: TrainingRun | None, *, data: TrainingData, tell: Progress
) -> Verdict:
    """What the held-out people said: by the interrupted run where it got so far, else anew."""
    kept = before.checkpoint.get("verdict") if before is not None else None
    if kept is not None:
        tell("Taking what the interrupted run had measured", 0.55)
        verdict = Verdict(**kept)
    else:
        verdict = policy_measure(data, tell)
    names = ("weights", "metrics", "note", "refusal")
    checkpoint_save(run, "verdict", {name: getattr(verdict, name) for name in names})
    return verdict


def _recipe() -> str:
    """What the policy is made of: an interrupted run of another one is not gone on with."""
    return hashlib.sha256(json.dumps(blend_parts(), sort_keys=True).encode()).hexdigest()


def _refuse(run: TrainingRun, version: ModelVersion, reason: str) -> None:
    version.status, version.note = ModelVersion.Status.FAILED, reason
    version.save(update_fields=["status", "note"])
    run_finish(run, TrainingRun.Status.REFUSED, error=reason)
    logger.warning("Model %s was refused: %s", version.version, reason)


def _register(hybrid: Hybrid, data: TrainingData, verdict: Verdict) -> ModelVersion:
    interactions = data.dataset.interactions
    return version_write(
        hybrid,
        data,
        kind=KIND,
        metadata={
            "data_read_at": data.read_at.isoformat(),
            "last_interaction_id": data.last_interaction_id,
            "golden": golden_slate(hybrid),
            "n_users": interactions.n_users,
            "n_ratings": len(interactions),
            "metrics": verdict.metrics,
        },
        metrics={**verdict.metrics, "profile": training_profile(interactions)},
        note=verdict.note,
    )
