"""Whether the policy is to be trained again, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from recommendations.models import ModelVersion, TrainingRun
from recommendations.services.forgetting import is_retraining_due
from recommendations.services.inference import feedback_since
from recommendations.services.training import KIND

Status = TrainingRun.Status


@dataclass(frozen=True, slots=True)
class Due:
    """``n_new`` feedback events since the last training, counted up to RETRAIN_AFTER.

    ``trigger`` is what a training would be started by; ``newest`` is the latest run however it
    went.
    """

    n_new: int
    is_due: bool
    trigger: str
    newest: TrainingRun | None


def training_due(*, now: datetime) -> Due:
    """By new feedback, by the clock, because somebody was forgotten, or for want of a model."""
    runs = TrainingRun.objects.filter(kind=KIND).order_by("-started_at")
    last = runs.exclude(status__in=[Status.FAILED, Status.RUNNING, Status.CANCELLED]).first()
    is_first = not ModelVersion.objects.filter(kind=KIND).exists()
    n_new = feedback_since(last.last_interaction_id if last else 0)
    hours = settings.RETRAIN_EVERY_HOURS
    is_old = last is not None and now - last.started_at >= timedelta(hours=hours) and n_new > 0
    # Somebody was forgotten: what learned from them is replaced at once.
    is_forgetting = last is not None and is_retraining_due(last.started_at)
    return Due(
        n_new=n_new,
        is_due=is_first or is_old or is_forgetting or n_new >= settings.RETRAIN_AFTER,
        trigger="schedule" if is_old else "feedback",
        newest=runs.first(),
    )
