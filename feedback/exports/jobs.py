"""Exports: asked for by their person, made by a worker, gone when they expire."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from feedback.exports.models import ExportFile, ExportJob
from feedback.exports.writing import export_write
from feedback.work import (
    OPEN,
    LeaseLostError,
    WorkCancelledError,
    WorkStatus,
    beat,
    claim,
    finish,
    is_given_up,
    publish,
    waiting,
)

_IN_MEMORY = 8 * 1024 * 1024


def export_request(user: User) -> ExportJob:
    """An export for the worker; the one under way where there is one."""
    with transaction.atomic():
        User.objects.select_for_update().only("pk").get(pk=user.pk)
        job = ExportJob.objects.filter(user=user, status__in=OPEN).first()
        if job is None:
            job = ExportJob.objects.create(user=user)
        pk = job.pk
        transaction.on_commit(lambda: _publish(pk))
    return job


def export_run(pk: uuid.UUID | str) -> ExportJob | None:
    """Makes the file; None where it is over, gone, or somebody else is at it.

    A killed worker leaves nothing: the next one begins anew, which takes seconds.
    """
    job = claim(ExportJob, pk, now=timezone.now())
    if job is None:
        return None
    if is_given_up(job):
        finish(job, WorkStatus.FAILED, _("Given up after several tries. Ask for it again."))
        return job
    try:
        _make(job)
    except WorkCancelledError:
        finish(job, WorkStatus.CANCELLED)
    except LeaseLostError:
        pass  # another worker makes it
    except BaseException:
        ExportJob.objects.filter(pk=job.pk, lease_key=job.lease_key).update(
            lease_until=timezone.now()
        )
        raise
    return job


def _make(job: ExportJob) -> None:
    now = timezone.now()
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        counts = export_write(
            job.user, file, now=now, tell=lambda done: beat(job, is_progress=False, done=done)
        )
        file.seek(0)
        content = file.read()
    with transaction.atomic():
        beat(job, total=sum(counts.values()))
        ExportFile.objects.update_or_create(job=job, defaults={"content": content})
        finish(
            job,
            WorkStatus.DONE,
            n_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            expires_at=now + timedelta(hours=settings.EXPORT_KEEP_HOURS),
        )


def export_content(job: ExportJob, *, now: datetime | None = None) -> bytes | None:
    """The ZIP; None where it is not there yet, or not any more."""
    if job.expires_at is None or job.expires_at <= (now or timezone.now()):
        return None
    content = ExportFile.objects.filter(job=job).values_list("content", flat=True).first()
    return None if content is None else bytes(content)


def export_filename(job: ExportJob) -> str:
    """What its person finds among their downloads."""
    return f"marquee-export-{job.created_at:%Y-%m-%d}.zip"


def exports_of(user: User) -> QuerySet[ExportJob]:
    """A person's exports, the latest first."""
    return ExportJob.objects.filter(user=user).order_by("-created_at", "-pk")


def exports_resume(*, now: datetime | None = None) -> int:
    """Sends again what waits or whose worker died; how many."""
    lost = list(waiting(ExportJob, now=now or timezone.now()))
    for job in lost:
        _publish(job.pk)
    return len(lost)


def exports_sweep(*, now: datetime | None = None) -> int:
    """Deletes what has expired, and exports that came to nothing days ago; how many."""
    now = now or timezone.now()
    expired = Q(expires_at__lte=now)
    nothing = Q(expires_at__isnull=True, created_at__lt=now - timedelta(days=7))
    old = ExportJob.objects.filter(expired | nothing).exclude(status__in=OPEN)
    n_old = old.count()
    old.delete()
    return n_old


def _publish(pk: uuid.UUID) -> None:
    from feedback.tasks import run_export_task

    publish(run_export_task, pk)
