"""Thin doors from Celery to the services."""

from __future__ import annotations

import logging

from celery import shared_task

from feedback.imports.jobs import import_run
from feedback.imports.services import imports_resume, imports_sweep

logger = logging.getLogger(__name__)


@shared_task
def run_import_task(import_id: str) -> None:
    """Does what the import waits for; a second delivery finds the lease held and returns."""
    job = import_run(import_id)
    if job is not None:
        logger.info("Import %s: %s, %s of %s", job.pk, job.status, job.done, job.total)


@shared_task
def resume_work_task() -> None:
    """Every half minute: what was lost with the broker or with its worker is sent again."""
    n_imports = imports_resume()
    if n_imports:
        logger.info("Sent %s imports again", n_imports)


@shared_task
def sweep_work_task() -> None:
    """Every day: what is kept for a time only goes."""
    logger.info("Deleted %s old imports", imports_sweep())
