"""The time that a page looks at, from the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from dashboard.models import FeedbackDay, ShownDay
from dashboard.rollup.days import DAY, day_of, days_between

LENGTHS = (7, 28, 90, 365)
DEFAULT_LENGTH = 28


@dataclass(frozen=True)
class Period:
    """Whole days up to today, today included."""

    n_days: int
    today: date

    @property
    def first(self) -> date:
        """The first day."""
        return self.today - (self.n_days - 1) * DAY

    @property
    def days(self) -> list[date]:
        """All of them, in order."""
        return days_between(self.first, self.today)

    @property
    def day_names(self) -> list[str]:
        """The days as charts call them: today is not over, and its counts are no fall."""
        *past, today = self.days
        return [*(f"{day}" for day in past), _("%(day)s so far") % {"day": today}]

    @property
    def before(self) -> Period:
        """As many days just before: what the figures are compared with."""
        return Period(self.n_days, self.first - timedelta(days=1))

    @property
    def lengths(self) -> tuple[int, ...]:
        """What can be asked for."""
        return LENGTHS


def period_of(raw: str, *, now: datetime) -> Period:
    """From ``?days=``; anything that is not offered is the default."""
    is_offered = raw.isascii() and raw.isdigit() and int(raw) in LENGTHS
    return Period(int(raw) if is_offered else DEFAULT_LENGTH, day_of(now))


def feedback_days(period: Period) -> dict[date, FeedbackDay]:
    """The rows of the period; days without any are not in it."""
    rows = FeedbackDay.objects.filter(day__range=(period.first, period.today))
    return {row.day: row for row in rows}


def shown_days(period: Period) -> dict[date, ShownDay]:
    """The same of what was shown, without the exposure of films, which is large."""
    rows = ShownDay.objects.filter(day__range=(period.first, period.today)).defer("exposure")
    return {row.day: row for row in rows}


def rows_before(model: type[FeedbackDay] | type[ShownDay], period: Period) -> list[Any] | None:
    """The rows of as many days just before; None where the log began in them or after.

    Half a time before would make everything look as if it had grown.
    """
    days = feedback_days if model is FeedbackDay else shown_days
    rows = days(period.before)
    if period.before.first not in rows:  # nothing happened on that day, or nothing was counted yet
        first = model.objects.order_by("day").values_list("day", flat=True).first()
        if first is None or first > period.before.first:
            return None
    return list(rows.values())


def summed_counts(days: list[ShownDay] | list[FeedbackDay], dimension: str) -> dict[str, int]:
    """The counts of one dimension over all days."""
    total: dict[str, int] = {}
    for day in days:
        for name, n in day.counts.get(dimension, {}).items():
            total[name] = total.get(name, 0) + n
    return total


def ratio(part: float, whole: float) -> float | None:
    """``part / whole``; None of nothing."""
    return part / whole if whole else None
