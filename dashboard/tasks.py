"""Thin doors from Celery to the roll-ups."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import shared_task
from django.utils import timezone

from dashboard.rollup.incremental import NAME, RollUpBusyError, roll_up
from recommendations.schedule import scheduled


@shared_task
def roll_up_task() -> None:
    """Every five minutes: the days that anything was added to are counted anew."""
    scheduled(NAME, _roll_up)


def _roll_up() -> dict[str, Any]:
    try:
        return asdict(roll_up(now=timezone.now()))
    except RollUpBusyError as error:
        return {"said": str(error)}
