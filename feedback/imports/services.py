"""What a person may ask of an import: begin, choose, write, stop, take back, delete."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.models import Movie
from feedback.imports.archive import MAX_UPLOAD_BYTES, printable
from feedback.imports.jobs import KNOWN, waiting_rows
from feedback.imports.matching import Reason
from feedback.imports.models import ImportFile, ImportFilm, ImportJob
from feedback.services import FeedbackError
from feedback.work import OPEN, WorkStatus, cancel, publish, waiting

logger = logging.getLogger(__name__)

Phase = ImportJob.Phase
State = ImportFilm.State
MAX_OPEN = 3


def import_create(*, user: User, filename: str, content: bytes) -> ImportJob:
    """Takes a file in, to be read by a worker. Raises FeedbackError with what to do."""
    if not content:
        raise FeedbackError(_("The file is empty. Download it again where you got it."))
    if len(content) > MAX_UPLOAD_BYTES:
        raise FeedbackError(
            _("The file is larger than %(mb)s MB. Import its parts one by one.")
            % {"mb": MAX_UPLOAD_BYTES // 1024 // 1024}
        )
    with transaction.atomic():
        User.objects.select_for_update().only("pk").get(pk=user.pk)
        if ImportJob.objects.filter(user=user, status__in=OPEN).count() >= MAX_OPEN:
            raise FeedbackError(_("Some of your imports are still under way. Wait for them first."))
        job = ImportJob.objects.create(user=user, filename=printable(filename)[-120:])
        ImportFile.objects.create(job=job, content=content)
        _send(job)
    return job


def import_apply(job: ImportJob) -> bool:
    """Asks for everything that was found to be written; False where that is not its turn."""
    n_waiting = waiting_rows(job).count()
    allowed = [WorkStatus.READY, WorkStatus.DONE, WorkStatus.UNDONE, WorkStatus.FAILED]
    if not n_waiting:
        return False
    return _queue(job, Phase.APPLY, allowed=allowed, total=n_waiting)


def import_undo(job: ImportJob) -> bool:
    """Asks for everything that it wrote to be taken back; False where there is nothing."""
    n_changes = job.changes.count()
    allowed = [WorkStatus.DONE, WorkStatus.READY, WorkStatus.FAILED]
    return bool(n_changes) and _queue(job, Phase.UNDO, allowed=allowed, total=n_changes)


def import_cancel(job: ImportJob) -> bool:
    """Stops what is under way, at once where no worker took it up yet."""
    unclaimed = Q(lease_key__isnull=True)
    with transaction.atomic():
        held = ImportJob.objects.select_for_update().filter(unclaimed, pk=job.pk).first()
        if held is None or held.status != WorkStatus.QUEUED:
            return cancel(job)
        is_new = held.phase in (Phase.READ, Phase.MATCH)
        if is_new:
            held.delete()
            return True
        held.status = WorkStatus.READY if held.phase == Phase.APPLY else WorkStatus.DONE
        held.save(update_fields=["status"])
    return True


def import_forget(job: ImportJob) -> None:
    """Removes the import from the list; what it wrote stays. Not while it is under way."""
    ImportJob.objects.filter(pk=job.pk).exclude(status__in=OPEN).delete()


def film_choose(film: ImportFilm, movie: Movie) -> None:
    """The person says which film it is."""
    film.state, film.movie = State.CHOSEN, movie
    film.reason, film.confidence = Reason.BY_HAND.value, 1.0
    film.save(update_fields=["state", "movie", "reason", "confidence"])


def film_skip(film: ImportFilm) -> None:
    """The person leaves it out."""
    film.state, film.movie = State.SKIPPED, None
    film.save(update_fields=["state", "movie"])


def film_is_open(film: ImportFilm) -> bool:
    """May still be chosen anew: none of its rows was written."""
    return film.state not in KNOWN or not film.rows.filter(is_applied=True).exists()


def imports_resume(*, now: datetime | None = None) -> int:
    """Sends again what waits or whose worker died; how many."""
    lost = list(waiting(ImportJob, now=now or timezone.now()))
    for job in lost:
        _publish(job)
    return len(lost)


def imports_sweep(*, now: datetime | None = None) -> int:
    """Deletes imports after ``IMPORT_KEEP_DAYS``; what they wrote is the person's, and stays."""
    before = (now or timezone.now()) - timedelta(days=settings.IMPORT_KEEP_DAYS)
    old = ImportJob.objects.filter(created_at__lt=before).exclude(status__in=OPEN)
    n_old = old.count()
    old.delete()
    return n_old


def _queue(
    job: ImportJob, phase: ImportJob.Phase, *, allowed: list[WorkStatus], total: int
) -> bool:
    """Hands it to a worker, once however often the button is pressed."""
    with transaction.atomic():
        asked = ImportJob.objects.filter(pk=job.pk, status__in=allowed).update(
            status=WorkStatus.QUEUED,
            phase=phase,
            total=total,
            done=0,
            message="",
            deliveries=0,
            lease_key=None,
            lease_until=None,
            is_cancel_requested=False,
            queued_at=timezone.now(),
            finished_at=None,
        )
        if asked:
            _send(job)
    return bool(asked)


def _send(job: ImportJob) -> None:
    transaction.on_commit(lambda: _publish(job))


def _publish(job: ImportJob) -> None:
    from feedback.tasks import run_import_task

    publish(run_import_task, job.pk)
