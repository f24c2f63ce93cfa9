"""Thin doors from Celery to the services."""

from __future__ import annotations

import logging

from celery import shared_task

from feedback.exports.jobs import export_run, exports_resume, exports_sweep
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
def run_export_task(export_id: str) -> None:
    """Makes an export; a second delivery finds the lease held and returns."""
    job = export_run(export_id)
    if job is not None:
        logger.info("Export %s: %s, %s rows", job.pk, job.status, job.total)


@shared_task
def resume_work_task() -> None:
    """Every half minute: what was lost with the broker or with its worker is sent again."""
    n_imports, n_exports = imports_resume(), exports_resume()
    if n_imports or n_exports:
        logger.info("Sent %s imports and %s exports again", n_imports, n_exports)


@shared_task
def sweep_work_task() -> None:
    """Every hour: what is kept for a time only goes."""
    logger.info("Deleted %s imports and %s exports", imports_sweep(), exports_sweep())
