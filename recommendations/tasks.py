"""Thin doors from Celery to the services."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from recommendations.feature_store import build as build_features
from recommendations.locks import advisory_lock
from recommendations.models import TrainingRun
from recommendations.schedule import scheduled as _scheduled
from recommendations.services.drift import drift_check
from recommendations.services.due import training_due
from recommendations.services.experiments import experiments_read
from recommendations.services.expiry import feedback_expire
from recommendations.services.forgetting import deletions_run
from recommendations.services.inference import recommendations_refresh, stale_ranges
from recommendations.services.lease import LEASE, TrainingBusyError
from recommendations.services.rating_training import is_due as ratings_due
from recommendations.services.rating_training import train_ratings
from recommendations.services.registry import vectors_tidy
from recommendations.services.source_training import sources_due, sources_train
from recommendations.services.training import train
from recommendations.services.trending import trending_refresh
from recommendations.sources import Source
from recommendations.training_data import NoTrainingDataError

logger = logging.getLogger(__name__)

SHARD_PEOPLE = 1000
SHARD_EXPIRES_S = 55
SOURCE_EXPIRES_S = 590  # under the period: the next look sends again what is still due
LONG_TRAINING = "long-training"
RETRY_AFTER = timedelta(minutes=15)

Status = TrainingRun.Status


@shared_task
def refresh_recommendations_task() -> None:
    """Every minute: new lists for people with new feedback."""
    _scheduled("refresh-recommendations", _refresh)


def _refresh() -> dict:
    """A few people here; many by all workers, a range of ids each."""
    ranges = stale_ranges(size=SHARD_PEOPLE)
    if len(ranges) <= 1:
        return {"users": recommendations_refresh()}
    for low, high in ranges:
        # Older messages are superseded by the next minute's: who is done is not stale any more.
        refresh_range_task.apply_async((low, high), expires=SHARD_EXPIRES_S)
    return {"shards": len(ranges)}


@shared_task
def refresh_range_task(low: int, high: int) -> None:
    """One shard: people with ids from ``low`` to ``high``."""
    n = recommendations_refresh(users=(low, high))
    logger.info("Stored lists of %s people from %s to %s", n, low, high)


@shared_task
def retrain_when_due_task() -> None:
    """Every minute: starts a training once enough feedback has come in since the last one."""
    _scheduled("retrain-when-due", _retrain_when_due)


def _retrain_when_due() -> dict:
    now = timezone.now()
    due = training_due(now=now)
    said = {"new_feedback": due.n_new, "is_due": due.is_due}
    if due.is_due and due.newest is not None and _is_to_be_left(due.newest, now=now):
        return said | {"waits": due.newest.get_status_display()}
    if due.is_due:
        train_hybrid_task.delay(due.trigger)
    return said


def _is_to_be_left(run: TrainingRun, *, now: datetime) -> bool:
    """One that is at it, and one that failed or was cancelled a moment ago: not every minute."""
    if run.status == Status.RUNNING:
        return abs(now - run.heartbeat_at) < LEASE
    is_recent = run.finished_at is not None and now - run.finished_at < RETRY_AFTER
    return is_recent and run.status in (Status.FAILED, Status.CANCELLED)


@shared_task
def forget_due_task() -> None:
    """Every hour: accounts whose grace period is over, and models that learned from them."""
    _scheduled("forget-due", lambda: {"people": deletions_run()})


@shared_task
def trending_windows_task() -> None:
    """Every five minutes: what is liked lately."""
    _scheduled("trending-windows", trending_refresh)


@shared_task
def read_experiments_task() -> None:
    """Every five minutes: what experiments say, and whether a guard stops one."""
    _scheduled("read-experiments", experiments_read)


@shared_task
def expire_feedback_task() -> None:
    """Every ten minutes: what has had its time goes."""
    _scheduled("expire-feedback", feedback_expire)


@shared_task
def check_drift_task() -> None:
    """Every hour: whether people still do what the model learned from."""
    _scheduled("check-drift", _drift)


def _drift() -> dict:
    found = drift_check()
    return {} if found is None else {"is_drifted": found.is_drifted, "said": found.said}


@shared_task
def build_features_task() -> None:
    """Every six hours: the tables of the feature store."""
    _scheduled("build-features", _build_features)


def _build_features() -> dict:
    try:
        made = build_features()
    except NoTrainingDataError as error:
        return {"said": str(error)}
    return {"folder": made.folder.name}


@shared_task
def train_due_sources_task() -> None:
    """Every ten minutes: sources beside the policy whose ratings are not those of the policy."""
    _scheduled("train-due-sources", _train_due_sources)


def _train_due_sources() -> dict:
    names = [source.name for source in sources_due(now=timezone.now())]
    if names:
        train_next_source_task.apply_async(expires=SOURCE_EXPIRES_S)
    return {"due": names}


@shared_task
def train_next_source_task() -> None:
    """Trains the first source that is due, and sends itself for the next.

    One long training at a time over all workers: several would hold every process of a small site
    for minutes, and the policy's own training and everybody's lists would wait behind them. A
    message each, so that a worker that dies loses one training; the next look goes on.
    """
    with advisory_lock(LONG_TRAINING) as is_mine:
        due = sources_due(now=timezone.now()) if is_mine else []
        if not due or not _train_source(due[0]):
            return
    train_next_source_task.apply_async(expires=SOURCE_EXPIRES_S)


def _train_source(source: Source) -> bool:
    """Whether there is any use in going on with the next one."""
    try:
        [run] = sources_train([source], trigger="schedule")
    except TrainingBusyError:
        logger.info("%s is being trained already", source.name)
        return False
    except NoTrainingDataError as error:
        logger.warning("%s", error)
        return False
    logger.info("Training of %s ended: %s %s", source.name, run.status, run.error)
    return True


@shared_task
def train_ratings_when_due_task() -> None:
    """Every ten minutes: starts a training of the stars where there is none of today."""
    _scheduled("train-ratings-when-due", _train_ratings_when_due)


def _train_ratings_when_due() -> dict:
    due = ratings_due(now=timezone.now())
    if due:
        train_ratings_task.apply_async(expires=SOURCE_EXPIRES_S)
    return {"is_due": due}


@shared_task
def train_ratings_task() -> None:
    """Trains what predicts stars, unless a source is being trained: the next look asks again."""
    with advisory_lock(LONG_TRAINING) as is_mine:
        if not is_mine:
            return
        try:
            run = train_ratings(trigger="schedule")
        except TrainingBusyError:
            logger.info("The stars are being trained already")
        except NoTrainingDataError as error:
            logger.warning("%s", error)
        else:
            logger.info("Training of the stars ended: %s %s", run.status, run.error)


@shared_task
def tidy_item_vectors_task() -> None:
    """Every minute: item vectors of versions that are not served any more go."""
    _scheduled("tidy-item-vectors", lambda: {"rows": vectors_tidy()})


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


def training_request(*, trigger: str) -> bool:
    """Puts a training into the queue; False where the broker cannot be reached."""
    try:
        train_hybrid_task.delay(trigger)
    except OperationalError as error:  # kombu's: Redis is away
        logger.warning("A training could not be queued: %s", error)
        return False
    return True
