"""What is liked here lately: windows over live feedback, recomputed by beat."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from recommendations.models import TrendingWindow

WINDOWS_DAYS = (1, 7, 30)
MAX_FILMS = 100
# One person's click is no trend.
MIN_PEOPLE = 2

# A person counts once per film, by their latest sign of liking it; half as much at half the window.
_SQL = """
    WITH latest AS (
        SELECT i.movie_id, i.user_id, MAX(i.created_at) AS at
        FROM feedback_interaction i
        JOIN catalog_movie m ON m.id = i.movie_id AND NOT m.is_hidden
        WHERE i.created_at > %(since)s AND i.created_at <= %(now)s AND (
            (i.kind = 'rate' AND i.value IN ('4.0', '4.5', '5.0'))
            OR (i.kind = 'react' AND i.value = 'like')
            OR i.kind = 'watchlist'
        )
        GROUP BY i.movie_id, i.user_id
    )
    SELECT movie_id, COUNT(*),
        SUM(POWER(0.5, EXTRACT(EPOCH FROM %(now)s - at) / %(half_life_s)s))::float8 AS score
    FROM latest GROUP BY movie_id HAVING COUNT(*) >= %(min_people)s
    ORDER BY score DESC, movie_id LIMIT %(max_films)s
"""


def trending_refresh(*, now: datetime | None = None) -> dict[str, int]:
    """Recomputes every window; films in each."""
    now = now or timezone.now()
    found = {}
    for days in WINDOWS_DAYS:
        with connection.cursor() as cursor:
            cursor.execute(
                _SQL,
                {
                    "since": now - timedelta(days=days),
                    "now": now,
                    "half_life_s": days * 86_400 / 2,
                    "min_people": MIN_PEOPLE,
                    "max_films": MAX_FILMS,
                },
            )
            rows = cursor.fetchall()
        TrendingWindow.objects.update_or_create(
            days=days,
            defaults={
                "movie_ids": [row[0] for row in rows],
                "scores": [row[2] for row in rows],
                "n_events": sum(row[1] for row in rows),
                "computed_at": now,
            },
        )
        found[f"{days} days"] = len(rows)
    return found


def trending_movie_ids(*, days: int = 7) -> list[int]:
    """The films of a window, best first; one query. Empty before the first beat."""
    window = TrendingWindow.objects.filter(days=days).values_list("movie_ids", flat=True).first()
    return list(window or [])
