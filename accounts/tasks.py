"""Thin doors from Celery to the services."""

from __future__ import annotations

import logging

from celery import shared_task

from accounts.api.idempotency import answers_sweep
from accounts.retention import accounts_tidy
from accounts.visitors import visitors_sweep

logger = logging.getLogger(__name__)


@shared_task
def sweep_visitors_task() -> None:
    """Every day: visitors who never came back, and all that was theirs, are deleted."""
    logger.info("Deleted %s idle visitors", visitors_sweep())


@shared_task
def tidy_accounts_task() -> None:
    """Every hour: sessions, cache rows and log-in tries that are over are deleted."""
    gone = ", ".join(f"{n} {what}" for what, n in accounts_tidy().items())
    logger.info("Deleted what was over: %s", gone)


@shared_task
def sweep_kept_answers_task() -> None:
    """Every hour: answers that no Idempotency-Key can ask for any more are deleted."""
    logger.info("Deleted %s kept answers", answers_sweep())
