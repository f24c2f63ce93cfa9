"""Days of the log: always UTC, so that a day is one day wherever it is counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)


def start_of(day: date) -> datetime:
    """The first moment of ``day``."""
    return datetime.combine(day, time(), tzinfo=UTC)


def end_of(day: date) -> datetime:
    """The first moment that is ``day`` no more."""
    return start_of(day) + DAY


def day_of(at: datetime) -> date:
    """The day in which ``at`` lies."""
    return at.astimezone(UTC).date()


def days_between(first: date, last: date) -> list[date]:
    """``first`` to ``last``, both included; empty where the last comes before the first."""
    return [first + n * DAY for n in range((last - first).days + 1)]
