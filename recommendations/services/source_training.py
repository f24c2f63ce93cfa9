"""Training of one source beside the policy: fit -> files -> golden slate -> served."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Max

from ml.artifacts import ArtifactError
from ml.cluster_slices import cluster_slices
from ml.evaluation import measure
from ml.models.base import Recommender
from ml.models.by_stars import ByStars
from ml.models.rating_base import RatingPredictor
from ml.models.registry import load_class
from ml.models.training import Epoch
from ml.types import Interactions
from recommendations.models import ModelVersion, TrainingRun
from recommendations.policy import SEED, Progress, policy_test, ranker_parts
from recommendations.services.gate import golden_slate, is_same_slate
from recommendations.services.lease import (
    heartbeat,
    run_epoch,
    run_finish,
    run_note,
    run_start,
)
from recommendations.services.registry import PromotionError, model_promote, versions_prune
from recommendations.services.versions import version_write
from recommendations.snapshot import load_serving
from recommendations.sources import HYBRID, Source, Tier, sources_of
from recommendations.training_data import TrainingData, narrowed, training_data, widened

logger = logging.getLogger(__name__)

RANKERS = {"hgb_ranker", "lambdamart"}
LIGHT_EVERY = timedelta(minutes=30)
Status = ModelVersion.Status


def sources_train(
    sources: Iterable[Source],
    *,
    trigger: str = "command",
    is_forced: bool = False,
    is_measured: bool = False,
    on_progress: Progress | None = None,
) -> list[TrainingRun]:
    """One run per source, each with its own lease; the ratings are read once.

    One that fails is closed as FAILED, logged, and the next one is trained: check the rows.
    """
    data = training_data()
    runs = []
    for source in sources:
        tell = partial(_tell, source.name, on_progress)
        try:
            run = source_train(
                source,
                data,
                trigger=trigger,
                is_forced=is_forced,
                is_measured=is_measured,
                tell=tell,
            )
        except (ValueError, ArtifactError, MemoryError) as error:
            logger.exception("Source %s could not be trained", source.name)
            run = TrainingRun.objects.filter(kind=source.name).latest("started_at")
            run.error = str(error)
        runs.append(run)
    return runs


def sources_due(*, now: datetime) -> list[Source]:
    """Sources whose model is missing or of other ratings than the served policy's.

    Light ones at once; heavy ones once in RETRAIN_EVERY_HOURS. Nothing before there is a policy,
    and nothing again so soon where the last attempt did not end well.
    """
    policy = ModelVersion.objects.filter(kind=HYBRID, status=Status.ACTIVE).first()
    if policy is None:
        return []
    active = {
        version.kind: version
        for version in ModelVersion.objects.filter(status=Status.ACTIVE).defer("metrics")
    }
    pause = timedelta(hours=settings.RETRAIN_EVERY_HOURS)
    tried = dict(
        TrainingRun.objects.filter(started_at__gt=now - pause)
        .order_by()
        .values_list("kind")
        .annotate(last=Max("started_at"))
    )
    due = []
    for source in sources_of(Tier.LIGHT, Tier.HEAVY):
        version = active.get(source.name)
        if version is not None and version.data_fingerprint == policy.data_fingerprint:
            continue
        is_settled = version is not None and source.tier is Tier.LIGHT
        last = tried.get(source.name)
        if last is None or (is_settled and now - last > LIGHT_EVERY):
            due.append(source)
    return due


def _tell(name: str, on_progress: Progress | None, stage: str, share: float) -> None:
    if on_progress is not None:
        on_progress(f"{name}: {stage}", share)


def source_train(
    source: Source,
    data: TrainingData,
    *,
    trigger: str = "command",
    is_forced: bool = False,
    is_measured: bool = False,
    tell: Progress = lambda stage, share: None,
) -> TrainingRun:
    """Fits ``source`` on ``data`` and serves it. Unchanged data: SKIPPED, unless ``is_forced``.

    ``is_measured`` also fits it without the test people of the policy's training and keeps the
    figures. Raises TrainingBusyError while another process trains it, ValueError where the source
    lacks what it learns from (texts, facts).
    """
    run = run_start(kind=source.name, trigger=trigger)

    def note(stage: str, share: float) -> None:
        run_note(run, stage=stage, progress=share)
        tell(stage, share)

    try:
        with heartbeat(run):
            _train(run, source, data, is_forced=is_forced, is_measured=is_measured, note=note)
    except BaseException as error:
        run_finish(run, TrainingRun.Status.FAILED, error=f"{type(error).__name__}: {error}")
        raise
    return run


def _train(
    run: TrainingRun,
    source: Source,
    data: TrainingData,
    *,
    is_forced: bool,
    is_measured: bool,
    note: Progress,
) -> None:
    run.data_fingerprint, run.last_interaction_id = data.fingerprint, data.last_interaction_id
    active = ModelVersion.objects.filter(kind=source.name, status=Status.ACTIVE).first()
    if active and active.data_fingerprint == data.fingerprint and not is_forced:
        run_finish(run, TrainingRun.Status.SKIPPED)
        return
    own = data_for(source, data)
    metrics: dict[str, Any] = {}
    if is_measured:
        note("Measuring on the test people", 0.1)
        metrics = source_measure(source, own)
    note("Fitting on everything", 0.5)
    model = source_fit(source, own.dataset.interactions, own, on_epoch=partial(run_epoch, run))
    note("Writing the model", 0.9)
    version = _register(source, model, own, metrics)
    run.model_version = version
    try:
        _must_read_back(version, model)
        model_promote(version, is_admitted=True)
    except PromotionError as error:
        version.status, version.note = Status.FAILED, str(error)
        version.save(update_fields=["status", "note"])
        run_finish(run, TrainingRun.Status.REFUSED, error=str(error))
        return
    versions_prune(kind=source.name)
    run_finish(run, TrainingRun.Status.DONE)


def data_for(source: Source, data: TrainingData) -> TrainingData:
    """The ratings that the source learns from: all films, or the most rated ones."""
    if source.is_wide:
        return widened(data)
    return narrowed(data, max_items=source.max_items) if source.max_items else data


def source_fit(
    source: Source,
    interactions: Interactions,
    data: TrainingData,
    *,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Any:
    """The source's model fitted; a ranker takes the served policy's sources and weights.

    ``on_epoch`` hears of every epoch of a model that learns in epochs.
    """
    params = dict(source.params)
    if source.model in RANKERS:
        params["parts"] = ranker_parts()
    model = load_class(source.model)(**params)
    if hasattr(model, "progress"):
        model.progress = on_epoch
    return model.fit(interactions, seed=SEED, features=data.features)


def as_recommender(model: Any) -> Recommender:
    """What ranks: the model itself, or a list by the stars that it predicts."""
    return ByStars(model) if isinstance(model, RatingPredictor) else model


def source_measure(source: Source, data: TrainingData) -> dict[str, Any]:
    """The source on the policy's test people, fitted without them; as a version's metrics."""
    test = policy_test(data.dataset)

    def fitted() -> Recommender:
        return as_recommender(source_fit(source, test.train, data))

    result = measure(
        fitted,
        test,
        label=source.name,
        features=data.features,
        parts=cluster_slices(test, data.features),
    )
    return {
        "protocol": result.protocol,
        "seed": result.seed,
        "split_sha256": result.split_sha256,
        "n_users": result.n_users,
        "models": {source.name: result.to_json()["metrics"]},
        "slices": result.slices_json(),
    }


def _must_read_back(version: ModelVersion, model: Any) -> None:
    """Raises PromotionError where the files are not the model that was fitted, or say nothing."""
    try:
        loaded = load_serving(version).model
    except ArtifactError as error:
        raise PromotionError(str(error)) from error
    wanted, found = golden_slate(as_recommender(model)), golden_slate(loaded)
    if not any(row["items"] for row in found):
        raise PromotionError("It has no opinion on any film.")
    if not is_same_slate(wanted, found):
        raise PromotionError("Read back from disk it recommends other films than before.")


def _register(
    source: Source, model: Any, data: TrainingData, metrics: dict[str, Any]
) -> ModelVersion:
    return version_write(
        model,
        data,
        kind=source.name,
        metadata={
            "data_read_at": data.read_at.isoformat(),
            "last_interaction_id": data.last_interaction_id,
            "golden": golden_slate(as_recommender(model)),
        },
        metrics=metrics,
    )
