"""Roll-ups as CSV: what a chart was drawn from, to be checked or drawn otherwise."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

from dashboard.models import FeedbackDay, ShownDay, StageHour
from dashboard.staff.periods import Period

HOURS_KEPT = timedelta(days=7)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class UnknownTableError(LookupError):
    """There is no roll-up of that name."""


def csv_lines(name: str, period: Period, *, now: datetime) -> Iterator[str]:
    """One line per row, the header first. Raises UnknownTableError."""
    if name == "feedback":
        fields = ["day", "n_events", "n_people", "n_opinions", "n_positive", "n_joined", "counts"]
        rows = FeedbackDay.objects.filter(day__range=(period.first, period.today)).order_by("day")
        return _written(fields, rows.values_list(*fields))
    if name == "shown":
        fields = [
            field.name
            for field in ShownDay._meta.concrete_fields
            if field.name not in ("exposure", "computed_at")
        ]
        days = ShownDay.objects.filter(day__range=(period.first, period.today)).order_by("day")
        return _written(fields, days.values_list(*fields))
    if name == "stages":
        fields = ["hour", "stage", "n", "total_ms", "buckets"]
        hours = StageHour.objects.filter(hour__gt=now - HOURS_KEPT).order_by("hour", "stage")
        return _written(fields, hours.values_list(*fields))
    raise UnknownTableError(name)


def _written(fields: list[str], rows: Any) -> Iterator[str]:
    line = StringIO()
    writer = csv.writer(line)
    for row in (fields, *rows):
        writer.writerow([_cell(value) for value in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _cell(value: Any) -> Any:
    """A table program must not take a name for a formula."""
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
