"""Which days to count anew: those that anything was added to, whenever it happened.

An event may arrive late (a phone without a network), a page may add films to yesterday's list, an
answer may come days after the list that it answers. All are found by the number of their row, not
by their time. Deletions leave no row: once a day the last weeks are counted anew as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Max, Min

from dashboard.models import FeedbackDay, RollUpMark, ShownDay
from dashboard.rollup.days import DAY, day_of, days_between
from dashboard.rollup.feedback import feedback_day_roll
from dashboard.rollup.latency import stage_hours_roll
from dashboard.rollup.shown import ANSWERED_WITHIN, catalogue, shown_day_roll
from feedback.models import Impression, Interaction, Slate
from recommendations.locks import advisory_lock

NAME = "roll-up"
# Longer than any transaction that writes feedback lives.
SETTLED_AFTER = timedelta(minutes=5)
# Counted anew once a day: as long as what people see by default, and some days.
SETTLE_DAYS = 35

Progress = Callable[[date, int, int], None]


class RollUpBusyError(Exception):
    """Another process is counting right now."""


@dataclass(frozen=True)
class Rolled:
    """How many days were counted."""

    feedback_days: int
    shown_days: int


def roll_up(*, now: datetime, on_progress: Progress | None = None) -> Rolled:
    """Counts the days that changed since the last run, and today.

    Once a day also the last SETTLE_DAYS. Raises RollUpBusyError while another process counts.
    """
    with advisory_lock(f"{NAME}-days") as is_mine:
        if not is_mine:
            raise RollUpBusyError("Another process is counting right now: try again in a minute.")
        last_ids = _last_ids()
        mark, _ = RollUpMark.objects.get_or_create(
            name="log",
            defaults={
                "next_at": now,
                "next_interaction_id": last_ids[0],
                "next_impression_id": last_ids[1],
            },
        )
        today = day_of(now)
        did, shown = _touched(mark)
        lately = {today, today - DAY}
        if mark.settled_on != today:
            since = today - SETTLE_DAYS * DAY
            did |= set(FeedbackDay.objects.filter(day__gte=since).values_list("day", flat=True))
            shown |= set(ShownDay.objects.filter(day__gte=since).values_list("day", flat=True))
        rolled = _roll(did | lately, shown | lately, now=now, on_progress=on_progress)
        _advance(mark, last_ids, now=now)
    return rolled


def roll_up_range(
    first: date | None, last: date | None, *, now: datetime, on_progress: Progress | None = None
) -> Rolled:
    """Counts every day from ``first`` to ``last`` anew; without them, from the log's start to now.

    What was shown on days whose slates are no longer kept stays as it was counted then.
    """
    with advisory_lock(f"{NAME}-days") as is_mine:
        if not is_mine:
            raise RollUpBusyError("Another process is counting right now: try again in a minute.")
        days = set(days_between(first or _first_day(now), last or day_of(now)))
        return _roll(days, days, now=now, on_progress=on_progress)


def first_kept_day(now: datetime) -> date:
    """The first day of which every slate is still there."""
    return day_of(now - timedelta(days=settings.SLATE_KEEP_DAYS)) + DAY


def _first_day(now: datetime) -> date:
    known = [
        Interaction.objects.aggregate(at=Min("created_at"))["at"],
        Slate.objects.aggregate(at=Min("created_at"))["at"],
    ]
    return min((day_of(at) for at in known if at is not None), default=day_of(now))


def _last_ids() -> tuple[int, int]:
    """Read before the log is: what is added while we count belongs to the next run."""
    interaction = Interaction.objects.aggregate(last=Max("pk"))["last"] or 0
    return interaction, Impression.objects.aggregate(last=Max("pk"))["last"] or 0


def _touched(mark: RollUpMark) -> tuple[set[date], set[date]]:
    """Days of feedback, and days of lists, that rows behind the mark belong to."""
    log, slates = Interaction._meta.db_table, Slate._meta.db_table
    impressions = Impression._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT DISTINCT (created_at AT TIME ZONE 'UTC')::date
            FROM {log} WHERE id > %s""",  # noqa: S608
            [mark.interaction_id],
        )
        did = {day for (day,) in cursor.fetchall()}
        cursor.execute(
            f"""SELECT (s.created_at AT TIME ZONE 'UTC')::date
            FROM {log} e JOIN {slates} s ON s.request_id = e.request_id
            WHERE e.id > %s AND e.created_at < s.created_at + %s
            UNION SELECT (s.created_at AT TIME ZONE 'UTC')::date
            FROM {impressions} i JOIN {slates} s ON s.request_id = i.slate_id
            WHERE i.id > %s""",  # noqa: S608
            [mark.interaction_id, str(ANSWERED_WITHIN), mark.impression_id],
        )
        shown = {day for (day,) in cursor.fetchall()}
    return did, shown


def _roll(
    did: Collection[date],
    shown: Iterable[date],
    *,
    now: datetime,
    on_progress: Progress | None,
) -> Rolled:
    kept_from = first_kept_day(now)
    shown = {day for day in shown if day >= kept_from}
    days = sorted({*did, *shown})
    films = catalogue()
    for place, day in enumerate(days):
        if on_progress is not None:
            on_progress(day, place, len(days))
        if day in did:
            _keep_if_any(feedback_day_roll(day, now=now))
        if day in shown:
            _keep_if_any(shown_day_roll(day, films, now=now))
            stage_hours_roll(day)
    return Rolled(len(set(did)), len(shown))


def _keep_if_any(row: FeedbackDay | ShownDay) -> None:
    """A day on which nothing happened has no row."""
    is_empty = (
        not (row.n_events or row.n_joined) if isinstance(row, FeedbackDay) else not row.n_lists
    )
    if is_empty:
        row.delete()


def _advance(mark: RollUpMark, last_ids: tuple[int, int], *, now: datetime) -> None:
    if now - mark.next_at >= SETTLED_AFTER:
        mark.interaction_id, mark.impression_id = (
            mark.next_interaction_id,
            mark.next_impression_id,
        )
        mark.next_interaction_id, mark.next_impression_id = last_ids
        mark.next_at = now
    mark.settled_on, mark.rolled_at = day_of(now), now
    mark.save()
