"""Rows of enrichment runs: who may run, how far it is, and what to do about the dead.

A session-level advisory lock says who runs: Postgres drops it the moment a killed process'
connection is gone, so the next run need not wait for a lease to end. The lease and heartbeat in
the row are for people and for the sweeper.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection, transaction

from accounts.models import User
from catalog.tmdb.models import EnrichmentRun

logger = logging.getLogger(__name__)

Status = EnrichmentRun.Status
# Any constant: pg_advisory_lock's key for enrichment.
_RUN_LOCK = 0x746D6462
LEASE = timedelta(minutes=2)
# A job that was delivered this often kills its workers: it is not run again.
MAX_DELIVERIES = 5


class AlreadyRunningError(Exception):
    """Another process enriches; the message says since when."""


def run_create(
    *,
    trigger: str,
    now: datetime,
    max_films: int | None = None,
    refresh_older_than_days: int | None = None,
    requested_by: User | None = None,
) -> EnrichmentRun:
    """A run that waits for somebody to run it."""
    return EnrichmentRun.objects.create(
        trigger=trigger,
        max_films=max_films,
        refresh_older_than_days=refresh_older_than_days,
        requested_by=requested_by,
        created_at=now,
    )


def run_request(
    *,
    trigger: str,
    now: datetime,
    refresh_older_than_days: int | None = None,
    requested_by: User | None = None,
) -> EnrichmentRun:
    """A run for the worker; the one that waits or runs already where there is one."""
    with transaction.atomic():
        _serialise()
        run = (
            EnrichmentRun.objects.filter(status__in=(Status.QUEUED, Status.RUNNING))
            .order_by("created_at")
            .first()
        )
        if run is None or run.is_stalled:
            run = run_create(
                trigger=trigger,
                now=now,
                refresh_older_than_days=refresh_older_than_days,
                requested_by=requested_by,
            )
    run_id = run.pk
    transaction.on_commit(lambda: run_publish(run_id))
    return run


def run_publish(run_id: uuid.UUID) -> None:
    """Tell the worker; the row is the truth, so a dead broker is no error (beat sends again)."""
    from kombu.exceptions import OperationalError

    from catalog.tasks import enrich_tmdb_task

    try:
        enrich_tmdb_task.delay(str(run_id))
    except (OperationalError, OSError) as error:
        logger.warning("Enrichment %s waits: the broker does not answer (%s)", run_id, error)


def run_start(run: EnrichmentRun, *, now: datetime) -> None:
    """Make ``run`` the one that runs, on this database connection.

    Raises ``AlreadyRunningError`` where another process lives and enriches.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_RUN_LOCK])
        if not cursor.fetchone()[0]:
            other = EnrichmentRun.objects.filter(status=Status.RUNNING).first()
            how_far = f": {other.done:,} of {other.total:,} films are done" if other else ""
            raise AlreadyRunningError(f"Another enrichment is running{how_far}.")
    # The lock was free, so whoever is said to be running was killed.
    EnrichmentRun.objects.filter(status=Status.RUNNING).exclude(pk=run.pk).update(
        status=Status.STOPPED, finished_at=now, message="Killed; a later run went on from there."
    )
    run.status = Status.RUNNING
    run.started_at = run.started_at or now
    run.deliveries += 1
    run.heartbeat_at = now
    run.lease_until = now + LEASE
    run.save(update_fields=["status", "started_at", "deliveries", "heartbeat_at", "lease_until"])


def run_beat(run: EnrichmentRun, *, total: int, counts: Mapping[str, int], now: datetime) -> None:
    """Say how far it is, and that it lives."""
    run.total, run.counts = total, dict(counts)
    run.heartbeat_at, run.lease_until = now, now + LEASE
    run.save(update_fields=["total", "counts", "heartbeat_at", "lease_until"])


def run_finish(
    run: EnrichmentRun, status: EnrichmentRun.Status, message: str, *, now: datetime
) -> None:
    """Write how it ended."""
    run.status, run.message = status, message[:500]
    run.finished_at, run.lease_until = now, None
    run.save(update_fields=["status", "message", "finished_at", "lease_until"])


def run_lock_give_back() -> None:
    """Let others run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_RUN_LOCK])


def _serialise() -> None:
    """Two clicks at once ask for one run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_RUN_LOCK + 1])
