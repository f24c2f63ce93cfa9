"""Feedback over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from dashboard.models import FeedbackDay
from dashboard.plots import Origin, Shares, TimePlot, shares, time_plot
from dashboard.staff.periods import Period, feedback_days, ratio, rows_before, summed_counts
from dashboard.staff.tiles import Tile, share_tile, tile
from dashboard.units import as_percent
from feedback.models import Interaction


@dataclass(frozen=True)
class FeedbackPage:
    """What the page shows."""

    tiles: tuple[Tile, ...]
    plots: tuple[TimePlot, ...]
    shares: tuple[Shares, ...]
    counted_at: datetime | None


def origins(period: Period) -> tuple[Origin, ...]:
    """The roll-up as a file, and the log itself."""
    table = reverse("dashboard:staff_csv", args=["feedback"]) + f"?days={period.n_days}"
    log = reverse("admin:feedback_interaction_changelist")
    return Origin(_("the days, as CSV"), table), Origin(_("the log"), log)


def feedback_page(period: Period) -> FeedbackPage:
    """From the roll-ups, in a fixed number of queries."""
    rows, before = feedback_days(period), rows_before(FeedbackDay, period)
    known = list(rows.values())
    days = period.day_names
    from_where = origins(period)
    kinds = dict(Interaction.Kind.choices)

    def of(name: str) -> list[float | None]:
        return [float(getattr(rows[day], name)) if day in rows else 0.0 for day in period.days]

    rate = [
        ratio(rows[day].n_positive, rows[day].n_opinions) if day in rows else None
        for day in period.days
    ]
    return FeedbackPage(
        tiles=feedback_tiles(known, before),
        plots=(
            time_plot(
                "events",
                _("Feedback per day"),
                days,
                [(_("Entries"), of("n_events"))],
                is_bars=True,
                origins=from_where,
            ),
            time_plot(
                "people",
                _("People per day"),
                days,
                [(_("Gave feedback"), of("n_people")), (_("Registered"), of("n_joined"))],
                origins=from_where,
            ),
            time_plot(
                "positive",
                _("Positive rate"),
                days,
                [(_("Positive"), rate)],
                unit=as_percent,
                top=1.0,
                note=_(
                    "Four stars or more, and likes, of all ratings, likes, dislikes and nevers."
                ),
                origins=from_where,
            ),
        ),
        shares=(
            shares(
                "kinds",
                _("What people did"),
                {kinds.get(k, k): n for k, n in summed_counts(known, "kind").items()},
                of=_("Entries"),
                origins=from_where,
            ),
            shares(
                "surfaces",
                _("Where they did it"),
                summed_counts(known, "surface"),
                of=_("Entries"),
                origins=from_where,
            ),
        ),
        counted_at=max((row.computed_at for row in known), default=None),
    )


def feedback_tiles(known: list[FeedbackDay], before: list[FeedbackDay] | None) -> tuple[Tile, ...]:
    """The figures of a period against those of the one before, where there was a whole one."""

    def total(rows: list[FeedbackDay], name: str) -> int:
        return sum(getattr(row, name) for row in rows)

    def opinions(rows: list[FeedbackDay]) -> tuple[int, int]:
        return total(rows, "n_positive"), total(rows, "n_opinions")

    ever = FeedbackDay.objects.aggregate(n=Sum("n_events"))["n"] or 0
    return (
        tile(
            _("Feedback entries"),
            total(known, "n_events"),
            None if before is None else total(before, "n_events"),
        ),
        tile(_("Feedback entries ever"), ever, note=_("since the log began")),
        share_tile(
            _("Positive rate"),
            *opinions(known),
            None if before is None else opinions(before),
            of=_("opinions"),
        ),
        tile(
            _("People on a usual day"),
            _usual(known),
            None if before is None else _usual(before),
        ),
        tile(
            _("Accounts"),
            User.objects.accounts().count(),
            note=_("%(n)s new in this time") % {"n": total(known, "n_joined")},
        ),
    )


def _usual(rows: list[FeedbackDay]) -> float | None:
    """The median over days on which anybody came."""
    counts = sorted(row.n_people for row in rows if row.n_people)
    return float(counts[len(counts) // 2]) if counts else None
