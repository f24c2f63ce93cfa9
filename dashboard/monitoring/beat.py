"""The beat's entries: when each last ran, how long it took, and whether it is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from recommendations.models import ScheduledRun

# Entries whose row has another name than they have.
ROW_NAMES = {"train-ratings": "train-ratings-when-due"}
SLACK = timedelta(seconds=90)


@dataclass(frozen=True)
class BeatRow:
    """One entry. ``error`` is what the last run raised; ``is_late`` after two periods."""

    name: str
    every: timedelta | None
    started_at: datetime | None
    took_s: float | None
    outcome: dict[str, Any]
    is_late: bool

    @property
    def error(self) -> str:
        """Empty where it went well."""
        return str(self.outcome.get("error", ""))

    @property
    def is_running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.started_at is not None and self.took_s is None

    @property
    def said(self) -> str:
        """The outcome in one line."""
        return ", ".join(f"{key}: {value}" for key, value in self.outcome.items())


def beat_rows(*, now: datetime) -> list[BeatRow]:
    """Every entry that leaves a row, by name."""
    periods = {
        ROW_NAMES.get(name, name): timedelta(seconds=float(str(entry["schedule"])))
        for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
    }
    rows = []
    for run in ScheduledRun.objects.order_by("name"):
        every = periods.get(run.name)
        is_done = run.finished_at is not None and run.finished_at >= run.started_at
        took_s = (
            (run.finished_at - run.started_at).total_seconds()
            if is_done and run.finished_at
            else None
        )
        rows.append(
            BeatRow(
                name=run.name,
                every=every,
                started_at=run.started_at,
                took_s=took_s,
                outcome=run.outcome,
                is_late=every is not None and now - run.started_at > 2 * every + SLACK,
            )
        )
    return rows


def last_heartbeat(rows: list[BeatRow]) -> datetime | None:
    """The newest start: beat sent it and a worker took it."""
    return max((row.started_at for row in rows if row.started_at), default=None)
