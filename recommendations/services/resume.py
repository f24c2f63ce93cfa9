"""A run that was killed is not lost: the next one on the same data goes on where it stopped.

Two stages are worth keeping: what was measured (most of the time), kept in the run's row, and the
fitted model, which lies on disk as a CANDIDATE that no gate has seen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from recommendations.models import ModelVersion, TrainingRun

Status = TrainingRun.Status


def checkpoint_save(run: TrainingRun, name: str, value: Any) -> None:
    """Keeps what a stage found (JSON-able) with the run."""
    run.checkpoint = {**run.checkpoint, name: value}
    run.save(update_fields=["checkpoint", "data_fingerprint", "model_version"])


def interrupted_run(run: TrainingRun, *, recipe: str) -> TrainingRun | None:
    """The latest run before ``run``, if it stopped half-way on the same data and ``recipe``."""
    before = (
        TrainingRun.objects.filter(kind=run.kind, started_at__lte=run.started_at)
        .exclude(pk=run.pk)
        .order_by("-started_at", "-pk")
        .first()
    )
    if before is None or before.status not in (Status.FAILED, Status.CANCELLED):
        return None
    if before.data_fingerprint != run.data_fingerprint:
        return None
    return before if before.checkpoint.get("recipe") == recipe else None


def fitted_version(before: TrainingRun) -> ModelVersion | None:
    """The model that ``before`` had fitted and written, if it is still there unjudged."""
    version = before.model_version
    if version is None or version.status != ModelVersion.Status.CANDIDATE:
        return None
    return version if (Path(settings.MODELS_DIR) / version.path).is_dir() else None
