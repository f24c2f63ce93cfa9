"""What people were shown in earlier visits: a visit is a day, so that a list holds still for one.

Everything here depends only on slates from before today: the same person's list is the same on
page, API and in a batch at the same moment, and a stored list stays true until a new day is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from feedback.models import VISITED_SURFACES, Impression, Slate, WatchlistEntry

WINDOW = timedelta(days=28)  # before the last visit; two half-lives of what was ignored


@dataclass(frozen=True)
class Shown:
    """Films shown before today, by film id, and when the last of these visits was.

    ``times`` counts the days on which a film was shown, ``days`` how long before the last visit it
    was shown last. ``last`` are the films of the last visit. ``pinned`` films never sink: the
    person put them on the watchlist.
    """

    times: Mapping[int, int] = field(default_factory=dict)
    days: Mapping[int, int] = field(default_factory=dict)
    last: frozenset[int] = frozenset()
    pinned: frozenset[int] = frozenset()
    last_visit_on: date | None = None


NOTHING_SHOWN = Shown()


def today_starts(now: datetime) -> datetime:
    """Midnight UTC: where the visit of ``now`` began."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def last_visits(user_ids: Iterable[int], *, now: datetime | None = None) -> dict[int, date]:
    """The day of each person's last visit before today; absent without one. One query."""
    before = today_starts(now or timezone.now())
    rows = (
        Slate.objects.filter(user_id__in=list(user_ids), surface__in=VISITED_SURFACES)
        .filter(created_at__lt=before)
        .order_by()
        .values_list("user_id")
        .annotate(last=Max("created_at"))
    )
    return {user_id: last.astimezone(UTC).date() for user_id, last in rows}


def shown_to(
    user_ids: Iterable[int],
    *,
    now: datetime | None = None,
    visited: dict[int, date] | None = None,
) -> dict[int, Shown]:
    """What each person was shown; absent who never came before today. At most three queries.

    ``visited`` is what :func:`last_visits` said of them, where it was asked already.
    """
    now = now or timezone.now()
    visited = last_visits(user_ids, now=now) if visited is None else visited
    if not visited:
        return {}
    first = datetime.combine(min(visited.values()), datetime.min.time(), UTC) - WINDOW
    rows = (
        Impression.objects.filter(
            slate__user_id__in=list(visited), slate__surface__in=VISITED_SURFACES
        )
        .filter(slate__created_at__gte=first, slate__created_at__lt=today_starts(now))
        .values_list("slate__user_id", "movie_id", "slate__created_at")
    )
    on_days: dict[int, dict[int, set[date]]] = {user_id: {} for user_id in visited}
    for user_id, movie_id, at in rows.iterator(chunk_size=5_000):
        on = at.astimezone(UTC).date()
        if on > visited[user_id] - WINDOW:
            on_days[user_id].setdefault(movie_id, set()).add(on)
    pinned: dict[int, set[int]] = {}
    for user_id, movie_id in WatchlistEntry.objects.filter(user_id__in=list(visited)).values_list(
        "user_id", "movie_id"
    ):
        pinned.setdefault(user_id, set()).add(movie_id)
    return {
        user_id: Shown(
            times={movie_id: len(days) for movie_id, days in films.items()},
            days={m: (visited[user_id] - max(days)).days for m, days in films.items()},
            last=frozenset(m for m, days in films.items() if visited[user_id] in days),
            pinned=frozenset(pinned.get(user_id, ())),
            last_visit_on=visited[user_id],
        )
        for user_id, films in on_days.items()
    }
