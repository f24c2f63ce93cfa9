"""A version's recipe on every protocol: fitted anew on each one's training part, then measured.

What is served has learned from everybody, so its own files cannot be measured on people: the same
recipe (models, settings, weights) is fitted without them, as the training does for its own
protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from ml.cluster_slices import cluster_slices
from ml.evaluation import Result, measure
from ml.models.base import Recommender
from ml.models.popularity import Popularity
from ml.protocols import Task, tasks_of
from ml.protocols_users import LIKED
from ml.split import RankingSplit, SplitError
from recommendations.models import ModelVersion
from recommendations.policy import SEED, Progress, policy_refit
from recommendations.services.source_training import as_recommender, data_for, source_fit
from recommendations.sources import HYBRID, SOURCES
from recommendations.training_data import TrainingData, training_data

PROTOCOLS = ("strong", "last-out", "temporal", "sparse", "cold-item")


class NotMeasurableError(ValueError):
    """The version's recipe cannot be fitted again; the message says why."""


def version_measure(
    version: ModelVersion,
    protocols: Sequence[str] = PROTOCOLS,
    *,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Measures and keeps the figures in the version's metrics, under ``protocols``.

    A protocol that these ratings are too few for is kept with the reason. Raises
    UnknownProtocolError, NotMeasurableError, NoTrainingDataError.
    """
    fit = _recipe_of(version)
    tasks = tasks_of(protocols)
    data = training_data()
    if version.kind in SOURCES:
        data = data_for(SOURCES[version.kind], data)
    found: dict[str, Any] = {}
    for place, task in enumerate(tasks):
        if on_progress is not None:
            on_progress(task.name, place / len(tasks))
        found[task.name] = _measured(version.kind, task, fit, data)
    with transaction.atomic():
        row = ModelVersion.objects.select_for_update().get(pk=version.pk)
        row.metrics = {**row.metrics, "protocols": {**row.metrics.get("protocols", {}), **found}}
        row.save(update_fields=["metrics"])
    version.metrics = row.metrics
    return found


Fit = Callable[[RankingSplit, TrainingData], Recommender]


def _recipe_of(version: ModelVersion) -> Fit:
    if version.kind == HYBRID:
        weights = version.metrics.get("weights")
        if not weights:
            raise NotMeasurableError(
                f"{version.version} does not say with what weights it was made."
            )
        return lambda split, data: policy_refit(split.train, data, weights)
    source = SOURCES.get(version.kind)
    if source is None:
        raise NotMeasurableError(
            f"{version.version} is of kind {version.kind}, which does not rank films."
        )
    return lambda split, data: as_recommender(source_fit(source, split.train, data))


def _measured(kind: str, task: Task, fit: Fit, data: TrainingData) -> dict[str, Any]:
    try:
        split = task.build(data.dataset, SEED, "test")
    except SplitError as error:
        return {"note": str(error), "measured_at": timezone.now().isoformat()}
    parts = cluster_slices(split, data.features)
    own = measure(lambda: fit(split, data), split, label=kind, features=data.features, parts=parts)
    baseline = measure(
        lambda: Popularity(min_rating=LIKED).fit(split.train),
        split,
        label="popularity",
        features=data.features,
    )
    return _as_json(own, baseline, data)


def _as_json(own: Result, baseline: Result, data: TrainingData) -> dict[str, Any]:
    return {
        "protocol": own.protocol,
        "seed": own.seed,
        "n_users": own.n_users,
        "split_sha256": own.split_sha256,
        "data_fingerprint": data.fingerprint,
        "measured_at": timezone.now().isoformat(),
        "models": {r.model: r.to_json()["metrics"] for r in (own, baseline)},
        "slices": own.slices_json(),
    }
