"""Enrichment as the worker does it: in slices shorter than a task may last."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from catalog.images import images_cache, images_wanted
from catalog.tmdb.client import client_from_settings
from catalog.tmdb.enrichment import Options, Report, enrich
from catalog.tmdb.errors import NoKeyError
from catalog.tmdb.models import EnrichmentRun, EnrichmentState
from catalog.tmdb.retention import REFRESH_AFTER, expired_drop
from catalog.tmdb.runs import (
    MAX_DELIVERIES,
    AlreadyRunningError,
    run_finish,
    run_publish,
    run_request,
)

logger = logging.getLogger(__name__)

Status = EnrichmentRun.Status
# A task may last an hour (CELERY_TASK_TIME_LIMIT); what is left goes into the next run.
SLICE = timedelta(minutes=40)
IMAGES_PER_SLICE = 2000


def run_by_worker(run_id: str) -> Report | None:
    """Run the run with this id; None where it is done, gone, or somebody else is at it.

    A second delivery of the same message finds the lock held, or the run ended.
    """
    run = EnrichmentRun.objects.filter(pk=run_id).first()
    if run is None or not run.is_open:
        return None
    now = timezone.now()
    if run.deliveries >= MAX_DELIVERIES:
        run_finish(run, Status.FAILED, f"Given up after {run.deliveries} tries.", now=now)
        return None
    try:
        client = client_from_settings()
    except NoKeyError as error:
        run_finish(run, Status.FAILED, str(error), now=now)
        return None
    older_than = run.refresh_older_than_days
    options = Options(
        limit=run.max_films,
        refresh_older_than=timedelta(days=older_than) if older_than is not None else None,
        max_duration=SLICE,
        region=settings.TMDB_REGION,
    )
    try:
        report = enrich(client, run, options, progress=_silent)
    except AlreadyRunningError as error:
        logger.info("Enrichment %s: %s", run_id, error)
        return None
    if report.left and not report.error:
        run_request(trigger="slice", now=timezone.now(), refresh_older_than_days=older_than)
    return report


def runs_resume() -> int:
    """Publish runs that wait or whose worker died; returns how many."""
    open_runs = EnrichmentRun.objects.filter(status__in=(Status.QUEUED, Status.RUNNING))
    waiting = [
        run
        for run in open_runs
        if run.is_stalled
        or (run.status == Status.QUEUED and run.created_at < timezone.now() - timedelta(minutes=1))
    ]
    for run in waiting:
        run_publish(run.pk)
    return len(waiting)


def keep_fresh() -> int:
    """Drop what is too old, and ask for a refresh of what will be; returns films dropped."""
    now = timezone.now()
    is_aging = EnrichmentState.objects.filter(fetched_at__lt=now - REFRESH_AFTER).exists()
    dropped = expired_drop(now=now)
    if settings.TMDB_API_KEY and is_aging:
        run_request(trigger="refresh", now=now, refresh_older_than_days=REFRESH_AFTER.days)
    return dropped


def images_cache_some() -> int:
    """Fetch a slice of the missing pictures; returns how many were tried."""
    if not settings.TMDB_API_KEY:
        return 0
    wanted = images_wanted(now=timezone.now(), limit=IMAGES_PER_SLICE)
    counts = images_cache(wanted)
    return counts.total()


def images_publish() -> bool:
    """Ask the worker for a slice of pictures; whether the broker took it."""
    from kombu.exceptions import OperationalError

    from catalog.tasks import cache_images_task

    try:
        cache_images_task.delay()
    except (OperationalError, OSError) as error:
        logger.warning("Pictures wait: the broker does not answer (%s)", error)
        return False
    return True


def _silent(what: str, done: int, total: int | None) -> None:
    """The run's row shows the progress."""
