"""One day of what people did."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

from django.db import connection

from accounts.models import User
from dashboard.models import FeedbackDay
from dashboard.rollup.days import end_of, start_of
from feedback.models import Interaction

LIKED_STARS = 4
# Of one interaction e: 1 somebody wants more of it, 0 they said something else of it, null neither.
VERDICT = f"""
    CASE WHEN e.kind = 'rate' THEN (e.value::numeric >= {LIKED_STARS})::int
         WHEN e.kind = 'react' AND e.value = 'like' THEN 1
         WHEN e.kind = 'react' AND e.value IN ('dislike', 'never') THEN 0 END"""


def feedback_day_roll(day: date, *, now: datetime) -> FeedbackDay:
    """Counts ``day`` anew, whatever was known of it."""
    log = Interaction._meta.db_table
    span = [start_of(day), end_of(day)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT e.kind, e.surface, {VERDICT} AS verdict, count(*) FROM {log} e
            WHERE e.created_at >= %s AND e.created_at < %s GROUP BY 1, 2, 3""",  # noqa: S608
            span,
        )
        rows = cursor.fetchall()
        cursor.execute(
            f"SELECT count(DISTINCT user_id) FROM {log} WHERE created_at >= %s AND created_at < %s",  # noqa: S608
            span,
        )
        (n_people,) = cursor.fetchone() or (0,)
    kinds: Counter[str] = Counter()
    surfaces: Counter[str] = Counter()
    for kind, surface, _verdict, n in rows:
        kinds[kind] += n
        surfaces[surface] += n
    found = FeedbackDay(
        day=day,
        n_events=kinds.total(),
        n_people=n_people,
        n_opinions=sum(n for *_, verdict, n in rows if verdict is not None),
        n_positive=sum(n for *_, verdict, n in rows if verdict),
        n_joined=User.objects.accounts()
        .filter(date_joined__gte=span[0], date_joined__lt=span[1])
        .count(),
        counts={"kind": dict(kinds), "surface": dict(surfaces)},
        computed_at=now,
    )
    found.save()
    return found
