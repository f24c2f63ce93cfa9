"""One run of a beat entry: alone across all machines, and written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from recommendations.locks import advisory_lock
from recommendations.models import ScheduledRun


def scheduled(name: str, work: Callable[[], dict[str, Any]]) -> None:
    """Runs ``work`` unless another machine is at it, and writes down when and how it went."""
    with advisory_lock(name) as is_mine:
        if not is_mine:
            return
        started = timezone.now()
        ScheduledRun.objects.update_or_create(
            name=name, defaults={"started_at": started, "finished_at": None}
        )
        outcome: dict[str, Any] = {}
        try:
            outcome = work()
        except Exception as error:
            outcome = {"error": f"{type(error).__name__}: {error}"}
            raise
        finally:
            ScheduledRun.objects.filter(name=name).update(
                finished_at=timezone.now(), outcome=outcome
            )
