"""Long work for one person: a row with a lease, a heartbeat and its progress.

A message from the broker is only a nudge: who works is decided by a conditional UPDATE. Every batch
is committed together with the heartbeat, under the same condition. So a worker that was thought
dead and comes back finds its lease gone and leaves nothing behind, and whoever takes over begins
where the last committed batch ended.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from celery import Task
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)

# A batch takes under two seconds: a lease that ended was held by the dead.
LEASE = timedelta(seconds=30)
# Taken up so often without one batch done in between, it kills its workers: it is given up.
MAX_DELIVERIES = 5
PUBLISH_AGAIN_AFTER = timedelta(seconds=60)


class WorkStatus(models.TextChoices):
    """How long work stands. Not every kind of work knows every state."""

    QUEUED = "queued", _("Waiting for a worker")
    RUNNING = "running", _("At it")
    READY = "ready", _("Waiting for you")
    DONE = "done", _("Done")
    UNDONE = "undone", _("Taken back")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Failed")


OPEN = (WorkStatus.QUEUED, WorkStatus.RUNNING)


class LeaseLostError(Exception):
    """Somebody else took the work over; whatever is under way must not be committed."""


class WorkCancelledError(Exception):
    """The person wants it to stop."""


class Work(models.Model):
    """What every kind of long work has in its row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="%(class)ss"
    )
    status = models.CharField(max_length=10, choices=WorkStatus.choices, default=WorkStatus.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=500, blank=True)
    is_cancel_requested = models.BooleanField(default=False)
    deliveries = models.PositiveSmallIntegerField(default=0)
    lease_key = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def is_open(self) -> bool:
        """Waits for a worker, or has one."""
        return self.status in OPEN

    @property
    def is_stalled(self) -> bool:
        """Its worker has not been heard of for longer than a lease."""
        if self.status != WorkStatus.RUNNING:
            return False
        return self.lease_until is None or self.lease_until < timezone.now()

    @property
    def percent(self) -> int:
        """Done, 0 to 100."""
        return min(100, round(100 * self.done / self.total)) if self.total else 0


W = TypeVar("W", bound=Work)


def claim(model: type[W], pk: uuid.UUID | str, *, now: datetime) -> W | None:
    """The work, ours from now on; None where it is over, gone, or somebody living is at it."""
    key = uuid.uuid4()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    taken = model._default_manager.filter(free, pk=pk, status__in=OPEN).update(
        status=WorkStatus.RUNNING,
        lease_key=key,
        lease_until=now + LEASE,
        heartbeat_at=now,
        deliveries=F("deliveries") + 1,
    )
    return model._default_manager.get(pk=pk) if taken else None


def beat(work: Work, *, is_progress: bool = True, **changes: Any) -> None:
    """Says that it lives, and writes ``changes``; call it inside the transaction of the batch.

    Raises LeaseLostError where the lease is somebody else's by now, WorkCancelledError where the
    person asked it to stop.
    """
    now = timezone.now()
    if is_progress:
        changes["deliveries"] = 1
    kept = (
        type(work)
        ._default_manager.filter(pk=work.pk, lease_key=work.lease_key, status=WorkStatus.RUNNING)
        .update(heartbeat_at=now, lease_until=now + LEASE, **changes)
    )
    if not kept:
        raise LeaseLostError(f"{work.pk} is somebody else's by now")
    for name, value in changes.items():
        setattr(work, name, value)
    asked = type(work)._default_manager.filter(pk=work.pk, is_cancel_requested=True)
    if asked.exists():
        raise WorkCancelledError(str(work.pk))


def finish(work: Work, status: WorkStatus, message: str = "", **changes: Any) -> bool:
    """Writes how it ended and gives the lease back; False where the lease was lost meanwhile."""
    changes |= {
        "status": status,
        "message": message[:500],
        "finished_at": timezone.now(),
        "lease_key": None,
        "lease_until": None,
        "is_cancel_requested": False,
    }
    written = (
        type(work)
        ._default_manager.filter(pk=work.pk, lease_key=work.lease_key, status=WorkStatus.RUNNING)
        .update(**changes)
    )
    for name, value in changes.items():
        setattr(work, name, value)
    return bool(written)


def cancel(work: Work) -> bool:
    """Asks work under way to stop at its next batch; False where it is not under way."""
    return bool(
        type(work)
        ._default_manager.filter(pk=work.pk, status__in=OPEN)
        .update(is_cancel_requested=True)
    )


def is_given_up(work: Work) -> bool:
    """It was taken up too often without getting on."""
    return work.deliveries > MAX_DELIVERIES


def publish(task: Task, pk: uuid.UUID | str) -> None:
    """Tells a worker; the row is the truth, so a dead broker is no error (beat sends again)."""
    from kombu.exceptions import OperationalError

    try:
        task.delay(str(pk))
    except (OperationalError, OSError) as error:
        logger.warning("%s waits: the broker does not answer (%s)", pk, error)


def waiting(model: type[W], *, now: datetime) -> Iterable[W]:
    """What nobody is at: its message was lost, or its worker died."""
    lost = Q(status=WorkStatus.QUEUED, queued_at__lt=now - PUBLISH_AGAIN_AFTER)
    dead = Q(status=WorkStatus.RUNNING, lease_until__lt=now)
    return model._default_manager.filter(lost | dead).order_by("queued_at")
