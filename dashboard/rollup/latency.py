"""Latency as histograms: hours can be added up, and a quantile still be read off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from dashboard.models import StageHour
from dashboard.rollup.days import end_of, start_of
from feedback.models import Slate

# 0.05 ms to a minute, each edge a fifth above the one before: a quantile is known within a fifth.
EDGES_MS: NDArray[np.float64] = np.round(0.05 * 1.2 ** np.arange(78), 4)
TOTAL = "total"


def stage_hours_roll(day: date) -> list[StageHour]:
    """Every stage of every list that was computed on ``day``, and their sum under TOTAL.

    Lists stored by the batch were not computed when they were shown: they have no times.
    """
    span = [start_of(day), end_of(day)]
    edges = EDGES_MS.tolist()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH times AS (
                SELECT s.request_id, date_trunc('hour', s.created_at, 'UTC') AS hour,
                       t.key AS stage, t.value::float8 AS ms
                FROM {Slate._meta.db_table} s, jsonb_each_text(s.context->'stages_ms') t
                WHERE s.created_at >= %s AND s.created_at < %s
                  AND jsonb_typeof(s.context->'stages_ms') = 'object'),
            everything AS (
                SELECT hour, stage, ms FROM times UNION ALL
                SELECT hour, %s, sum(ms) FROM times GROUP BY request_id, hour)
            SELECT hour, stage, width_bucket(ms, %s::float8[]), count(*), sum(ms)
            FROM everything GROUP BY 1, 2, 3""",  # noqa: S608
            [*span, TOTAL, edges],
        )
        rows = cursor.fetchall()
    found: dict[tuple, StageHour] = {}
    for hour, stage, bucket, n, total_ms in rows:
        entry = found.setdefault(
            (hour, stage),
            StageHour(hour=hour, stage=stage, n=0, total_ms=0.0, buckets=[0] * (len(edges) + 1)),
        )
        entry.n += n
        entry.total_ms += total_ms
        entry.buckets[bucket] += n
    with transaction.atomic():
        StageHour.objects.filter(hour__gte=span[0], hour__lt=span[1]).delete()
        return StageHour.objects.bulk_create(found.values())


def summed(hours: Iterable[StageHour]) -> NDArray[np.int64]:
    """The histogram of several hours together."""
    total = np.zeros(len(EDGES_MS) + 1, dtype=np.int64)
    for hour in hours:
        total += np.asarray(hour.buckets, dtype=np.int64)
    return total


def quantile(buckets: NDArray[np.int64], share: float) -> float | None:
    """The ``share`` quantile in milliseconds, evenly spread within its bucket; None for nothing."""
    n = int(buckets.sum())
    if not n:
        return None
    upto = np.cumsum(buckets)
    bucket = int(np.searchsorted(upto, share * n, side="left"))
    low = 0.0 if bucket == 0 else float(EDGES_MS[bucket - 1])
    high = float(EDGES_MS[min(bucket, len(EDGES_MS) - 1)])
    inside = (share * n - (upto[bucket] - buckets[bucket])) / buckets[bucket]
    return low + (high - low) * float(inside)
