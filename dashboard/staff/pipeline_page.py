"""How the lists come about: latency by stage, what failed, what waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from dashboard.models import StageHour
from dashboard.monitoring.beat import BeatRow, beat_rows
from dashboard.monitoring.queues import Queues, queues
from dashboard.plots import Origin, Shares, TimePlot, shares, time_plot
from dashboard.rollup.latency import TOTAL, quantile, summed
from dashboard.staff.periods import Period, ratio, shown_days, summed_counts
from dashboard.staff.tiles import Tile, share_tile, tile
from dashboard.units import as_ms, as_number, as_percent

HOUR = timedelta(hours=1)
SHOWN_HOURS = 48
STAGES = (
    "history and limits",
    "candidates",
    "pool and filtering",
    "ranking",
    "re-ranking",
    "explanation",
    TOTAL,
)
BUDGET_MS = 400.0  # of a page's whole list at the 95th percentile


@dataclass(frozen=True)
class StageRow:
    """One stage over the last day and the last week."""

    name: str
    n: int
    p50: str
    p95: str
    week_p50: str
    week_p95: str


@dataclass(frozen=True)
class Now:
    """What is so at this moment: the part that the page fetches again."""

    queues: Queues
    beat: list[BeatRow]
    at: datetime


@dataclass(frozen=True)
class PipelinePage:
    """What the page shows."""

    tiles: tuple[Tile, ...]
    stages: tuple[StageRow, ...]
    plots: tuple[TimePlot, ...]
    skipped: Shares
    fallbacks: Shares
    origins: tuple[Origin, ...]
    now: Now
    counted_at: datetime | None


def now_of(*, now: datetime) -> Now:
    """Queues and beat, read at this moment."""
    return Now(queues(now_s=now.timestamp()), beat_rows(now=now), now)


def pipeline_page(period: Period, *, now: datetime) -> PipelinePage:
    """From the roll-ups, and Redis for what waits."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    week = list(StageHour.objects.filter(hour__gt=this_hour - timedelta(days=7)))
    of_stage: defaultdict[str, list[StageHour]] = defaultdict(list)
    for row in week:
        of_stage[row.stage].append(row)
    rows = shown_days(period)
    known = list(rows.values())
    hourly = Origin(_("the hours, as CSV"), reverse("dashboard:staff_csv", args=["stages"]))
    daily = Origin(
        _("the days, as CSV"),
        reverse("dashboard:staff_csv", args=["shown"]) + f"?days={period.n_days}",
    )
    lists = Origin(_("the lists"), reverse("admin:feedback_slate_changelist"))
    fallback = [
        ratio(rows[day].n_fallback, rows[day].n_lists) if day in rows else None
        for day in period.days
    ]
    stored = [
        ratio(rows[day].n_stored, rows[day].n_lists) if day in rows else None for day in period.days
    ]
    return PipelinePage(
        tiles=pipeline_tiles(of_stage[TOTAL], known, this_hour=this_hour),
        stages=_stage_rows(of_stage, this_hour=this_hour),
        plots=(
            _hourly_plot(of_stage[TOTAL], this_hour=this_hour, origins=(hourly, lists)),
            time_plot(
                "fallback",
                _("Lists that were filled up with popular films, and lists made beforehand"),
                period.day_names,
                [(_("Filled up"), fallback), (_("Made beforehand"), stored)],
                unit=as_percent,
                origins=(daily, lists),
            ),
        ),
        skipped=shares(
            "skipped",
            _("Sources left out of a list, and why"),
            summed_counts(known, "skipped"),
            of=_("Lists"),
            note=_("A source that fails or is too slow is skipped; the list is made without it."),
            origins=(daily, lists),
        ),
        fallbacks=shares(
            "fallbacks",
            _("What stood in for the list that was asked for"),
            {k: n for k, n in summed_counts(known, "fallback").items() if k != "none"},
            of=_("Lists"),
            origins=(daily, lists),
        ),
        origins=(hourly, lists),
        now=now_of(now=now),
        counted_at=max((row.computed_at for row in known), default=None),
    )


def pipeline_tiles(
    totals: Sequence[StageHour], known: list, *, this_hour: datetime
) -> tuple[Tile, ...]:
    """Speed of the last day, and how often a list was not what was asked for."""
    lately = summed(row for row in totals if row.hour > this_hour - timedelta(days=1))
    p50, p95, n_timed = quantile(lately, 0.5), quantile(lately, 0.95), float(lately.sum())
    n_lists = sum(row.n_lists for row in known)
    n_skipped = sum(sum(row.counts.get("skipped", {}).values()) for row in known)
    return (
        tile(
            _("A usual list"),
            p50,
            unit=as_ms,
            note=_("median of the last 24 hours, lists: %(n)s") % {"n": as_number(n_timed)},
        ),
        tile(
            _("A slow list"),
            p95,
            unit=as_ms,
            note=_("95th percentile of the last 24 hours, lists: %(n)s")
            % {"n": as_number(n_timed)},
            is_bad=p95 is not None and p95 > BUDGET_MS,
        ),
        share_tile(
            _("Filled up"), sum(row.n_fallback for row in known), n_lists, None, of=_("lists")
        ),
        tile(_("Sources left out"), float(n_skipped), is_bad=n_skipped > 0),
    )


def _stage_rows(
    of_stage: dict[str, list[StageHour]], *, this_hour: datetime
) -> tuple[StageRow, ...]:
    others = sorted(of_stage.keys() - set(STAGES))
    rows = []
    for name in (*STAGES[:-1], *others, TOTAL):
        hours = of_stage.get(name, [])
        lately = summed(h for h in hours if h.hour > this_hour - timedelta(days=1))
        week = summed(hours)
        if not week.any():
            continue
        rows.append(
            StageRow(
                name=_("together") if name == TOTAL else name,
                n=int(lately.sum()),
                p50=_ms(quantile(lately, 0.5)),
                p95=_ms(quantile(lately, 0.95)),
                week_p50=_ms(quantile(week, 0.5)),
                week_p95=_ms(quantile(week, 0.95)),
            )
        )
    return tuple(rows)


def _hourly_plot(
    totals: Sequence[StageHour], *, this_hour: datetime, origins: Sequence[Origin]
) -> TimePlot:
    by_hour = {row.hour: row for row in totals}
    hours = [this_hour - n * HOUR for n in range(SHOWN_HOURS - 1, -1, -1)]

    def line(share: float) -> list[float | None]:
        return [
            quantile(summed([by_hour[hour]]), share) if hour in by_hour else None for hour in hours
        ]

    return time_plot(
        "latency",
        _("Time to make a list, by hour (UTC)"),
        [f"{hour:%m-%d %H}:00" for hour in hours],
        [(_("median"), line(0.5)), (_("95th percentile"), line(0.95))],
        unit=as_ms,
        note=_("Lists made beforehand are not among them. Known to within a fifth."),
        origins=origins,
        over=_("Hour"),
    )


def _ms(value: float | None) -> str:
    return "–" if value is None else as_ms(value)
