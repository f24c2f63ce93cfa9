"""A training run's lease: its heartbeat tells the living from the dead, on any machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from ml.models.training import Epoch
from recommendations.models import TrainingRun

HEARTBEAT_EVERY_S = 5.0
LEASE = timedelta(seconds=60)  # twelve missed heartbeats: the process is gone

Status = TrainingRun.Status


class TrainingBusyError(Exception):
    """Somebody else is training this kind right now."""


class TrainingCancelledError(Exception):
    """Somebody asked the run to stop; the message says when it was noticed."""


def run_cancel(run: TrainingRun) -> bool:
    """Asks a running training to stop at its next stage; False where it is not running."""
    asked = TrainingRun.objects.filter(pk=run.pk, status=Status.RUNNING).update(
        is_cancel_requested=True
    )
    return bool(asked)


def run_check(run: TrainingRun) -> None:
    """Raises TrainingCancelledError where the run shall not go on.

    A stage is minutes of linear algebra, which nothing can interrupt: so between stages.
    """
    asked = TrainingRun.objects.filter(pk=run.pk).values_list("is_cancel_requested", flat=True)
    if asked.first():
        raise TrainingCancelledError(f"Cancelled after: {run.stage or 'the start'}.")


def run_start(*, kind: str, trigger: str) -> TrainingRun:
    """A new RUNNING row. A run whose heartbeat stopped is closed first; its stages are kept.

    Raises TrainingBusyError while a living one holds the lease.
    """
    now = timezone.now()
    # A heartbeat far ahead was written before somebody set the clock back, by nobody alive.
    is_dead = Q(heartbeat_at__lt=now - LEASE) | Q(heartbeat_at__gt=now + LEASE)
    TrainingRun.objects.filter(is_dead, kind=kind, status=Status.RUNNING).update(
        status=Status.FAILED,
        error="The process that trained ended without a word (killed, or the machine stopped).",
        finished_at=now,
    )
    try:
        with transaction.atomic():
            return TrainingRun.objects.create(kind=kind, trigger=trigger)
    except IntegrityError as error:
        raise TrainingBusyError(
            "A training is already running. Wait for it, or look at it in the admin."
        ) from error


@contextmanager
def heartbeat(run: TrainingRun) -> Iterator[None]:
    """Keeps the lease while the block runs, also through minutes inside a matrix inversion."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(HEARTBEAT_EVERY_S):
                TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now())
        finally:
            connection.close()  # this thread's own

    thread = threading.Thread(target=beat, name="training-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def run_note(run: TrainingRun, *, stage: str, progress: float) -> None:
    """Says what is being done; also a heartbeat."""
    now = timezone.now()
    run.stage, run.progress, run.heartbeat_at = stage, progress, now
    run.log += f"{now:%H:%M:%S} {stage}\n"
    run.save(update_fields=["stage", "progress", "log", "heartbeat_at"])


def run_epoch(run: TrainingRun, epoch: Epoch) -> None:
    """Adds a point to the run's learning curve; also a heartbeat."""
    run.curve.append(asdict(epoch))
    run.heartbeat_at = timezone.now()
    run.save(update_fields=["curve", "heartbeat_at"])


def run_finish(run: TrainingRun, status: TrainingRun.Status, *, error: str = "") -> None:
    """Closes the run."""
    run.status, run.error, run.finished_at = status, error, timezone.now()
    if status is Status.DONE:
        run.progress = 1.0
    run.save(
        update_fields=[
            *("status", "error", "finished_at", "progress"),
            *("model_version", "data_fingerprint", "last_interaction_id"),
        ]
    )
