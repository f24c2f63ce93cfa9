"""Thin doors from Celery to the services."""

from __future__ import annotations

import logging
from collections.abc import Callable

from celery import shared_task
from django.utils import timezone

from recommendations.locks import advisory_lock
from recommendations.models import ModelVersion, ScheduledRun, TrainingRun
from recommendations.services.inference import feedback_since, recommendations_refresh
from recommendations.services.lease import TrainingBusyError
from recommendations.services.training import KIND, train
from recommendations.training_data import NoTrainingDataError

logger = logging.getLogger(__name__)


def _scheduled(name: str, work: Callable[[], dict]) -> None:
    """Runs ``work`` unless another machine is at it, and writes down when and how it went."""
    with advisory_lock(name) as is_mine:
        if not is_mine:
            return
        started = timezone.now()
        ScheduledRun.objects.update_or_create(
            name=name, defaults={"started_at": started, "finished_at": None}
        )
        outcome = work()
        ScheduledRun.objects.filter(name=name).update(finished_at=timezone.now(), outcome=outcome)


@shared_task
def refresh_recommendations_task() -> None:
    """Every minute: new lists for people with new feedback."""
    _scheduled("refresh-recommendations", lambda: {"users": recommendations_refresh()})


@shared_task
def retrain_when_due_task() -> None:
    """Every minute: starts a training once enough feedback has come in since the last one."""
    _scheduled("retrain-when-due", _retrain_when_due)


def _retrain_when_due() -> dict:
    from django.conf import settings

    last = (
        TrainingRun.objects.filter(kind=KIND)
        .exclude(status__in=[TrainingRun.Status.FAILED, TrainingRun.Status.RUNNING])
        .order_by("-started_at")
        .first()
    )
    is_first = not ModelVersion.objects.filter(kind=KIND).exists()
    n_new = feedback_since(last.last_interaction_id if last else 0)
    is_due = is_first or n_new >= settings.RETRAIN_AFTER
    if is_due:
        train_hybrid_task.delay("feedback")
    return {"new_feedback": n_new, "is_due": is_due}


@shared_task
def train_hybrid_task(trigger: str = "schedule") -> None:
    """Trains; a second delivery finds the lease held and returns."""
    try:
        run = train(trigger=trigger)
    except TrainingBusyError:
        logger.info("A training is running already")
    except NoTrainingDataError as error:
        logger.warning("%s", error)
    else:
        logger.info("Training ended: %s %s", run.status, run.error)
