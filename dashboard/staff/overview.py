"""The first page: is it good, is it well, what wants a look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from catalog.numbers import decimal_text
from dashboard.models import FeedbackDay, ShownDay, StageHour
from dashboard.monitoring.beat import beat_rows
from dashboard.monitoring.queues import Queues, queues
from dashboard.plots import TimePlot, time_plot
from dashboard.rollup.latency import TOTAL
from dashboard.staff.feedback_page import feedback_tiles
from dashboard.staff.feedback_page import origins as feedback_origins
from dashboard.staff.models_page import trainings_now
from dashboard.staff.periods import Period, feedback_days, ratio, rows_before, shown_days
from dashboard.staff.pipeline_page import pipeline_tiles
from dashboard.staff.quality import Interval, measurement_on
from dashboard.staff.shown_page import origins as shown_origins
from dashboard.staff.shown_page import shown_tiles
from dashboard.staff.tiles import Tile
from dashboard.units import as_number, as_percent
from recommendations.models import DriftCheck, ModelVersion, TrainingRun
from recommendations.services.gate import METRIC
from recommendations.sources import HYBRID

QUEUE_WAITS_S = 120.0  # longer than two beats: nobody works on it
FAILED_LATELY = timedelta(days=1)


@dataclass(frozen=True)
class Worry:
    """Something that somebody should look at, and where."""

    text: str
    url: str


@dataclass(frozen=True)
class Overview:
    """What the page shows."""

    worries: tuple[Worry, ...]
    groups: tuple[tuple[str, str, tuple[Tile, ...]], ...]
    plots: tuple[TimePlot, ...]
    served: ModelVersion | None
    counted_at: datetime | None


def overview(period: Period, *, now: datetime) -> Overview:
    """From the roll-ups, in a fixed number of queries, and one look at Redis."""
    did, shown = feedback_days(period), shown_days(period)
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    totals = list(StageHour.objects.filter(stage=TOTAL, hour__gt=this_hour - timedelta(days=1)))
    served = ModelVersion.objects.filter(kind=HYBRID, status=ModelVersion.Status.ACTIVE).first()
    waiting = queues(now_s=now.timestamp())
    rate = [
        ratio(did[day].n_positive, did[day].n_opinions) if day in did else None
        for day in period.days
    ]
    events = [float(did[day].n_events) if day in did else 0.0 for day in period.days]
    lists = [float(shown[day].n_lists) if day in shown else 0.0 for day in period.days]
    days = period.day_names
    counted = [row.computed_at for row in did.values()]
    counted += [row.computed_at for row in shown.values()]
    return Overview(
        worries=tuple(_worries(served, waiting, now=now)),
        groups=(
            (
                _("People"),
                reverse("dashboard:staff_feedback"),
                feedback_tiles(list(did.values()), rows_before(FeedbackDay, period)),
            ),
            (
                _("Lists"),
                reverse("dashboard:staff_shown"),
                shown_tiles(period, list(shown.values()), rows_before(ShownDay, period)),
            ),
            (
                _("Pipeline"),
                reverse("dashboard:staff_pipeline"),
                pipeline_tiles(totals, list(shown.values()), this_hour=this_hour),
            ),
            (
                _("Models"),
                reverse("dashboard:staff_models"),
                _model_tiles(served, waiting, now=now),
            ),
        ),
        plots=(
            time_plot(
                "positive",
                _("Positive rate"),
                days,
                [(_("Positive"), rate)],
                unit=as_percent,
                top=1.0,
                origins=feedback_origins(period),
            ),
            time_plot(
                "events",
                _("Feedback per day"),
                days,
                [(_("Entries"), events)],
                is_bars=True,
                origins=feedback_origins(period),
            ),
            time_plot(
                "lists",
                _("Lists per day"),
                days,
                [(_("Lists"), lists)],
                is_bars=True,
                origins=shown_origins(period),
            ),
        ),
        served=served,
        counted_at=max(counted, default=None),
    )


def _model_tiles(
    served: ModelVersion | None, waiting: Queues, *, now: datetime
) -> tuple[Tile, ...]:
    if served is None:
        first = Tile(_("Served model"), _("none"), _("popular films stand in"), is_bad=True)
        found, quality = None, Interval(None, None, None)
    else:
        since = served.activated_at or served.created_at
        first = Tile(
            _("Age of the served model"),
            timesince(served.created_at, now, depth=1),
            _("served for %(time)s") % {"time": timesince(since, now, depth=1)},
        )
        found = measurement_on(served, str(served.metrics.get("protocol", "")))
        quality = found.interval(HYBRID) if found else Interval(None, None, None)
    running = trainings_now()
    return (
        first,
        Tile(
            METRIC.upper(),
            "–" if quality.mean is None else decimal_text(quality.mean, places=3),
            _("%(interval)s on %(n)s held-out people, protocol %(name)s")
            % {"interval": quality.text, "n": as_number(found.n_people), "name": found.name}
            if found is not None and quality.mean is not None
            else _("not measured on people"),
        ),
        Tile(
            _("Being trained"),
            str(len(running)),
            ", ".join(t.run.kind for t in running) or _("nothing right now"),
        ),
        Tile(
            _("Tasks waiting"),
            "–" if waiting.error else str(waiting.n_waiting),
            waiting.error or _("%(n)s being worked on") % {"n": waiting.n_taken},
            is_bad=bool(waiting.error),
        ),
    )


def _worries(served: ModelVersion | None, waiting: Queues, *, now: datetime) -> list[Worry]:
    """In the order in which they would hurt."""
    found = []
    pipeline, models = reverse("dashboard:staff_pipeline"), reverse("dashboard:staff_models")
    if served is None:
        found.append(Worry(_("No model is being served: everybody sees popular films."), models))
    if waiting.error:
        found.append(Worry(_("The task queue does not answer: nothing is computed."), pipeline))
    elif (waiting.oldest_s or 0) > QUEUE_WAITS_S:
        found.append(
            Worry(
                _("A task has waited for %(n)s seconds: is a worker running?")
                % {"n": round(waiting.oldest_s or 0)},
                pipeline,
            )
        )
    rows = beat_rows(now=now)
    if late := [row.name for row in rows if row.is_late]:
        found.append(Worry(_("Late by the clock: %(what)s.") % {"what": ", ".join(late)}, pipeline))
    if failed := [row.name for row in rows if row.error]:
        found.append(
            Worry(_("Failed the last time: %(what)s.") % {"what": ", ".join(failed)}, pipeline)
        )
    drift = DriftCheck.objects.order_by("-checked_at").first()
    if drift is not None and drift.is_drifted:
        found.append(Worry(drift.said, models))
    bad = dict(
        TrainingRun.objects.filter(
            status__in=[TrainingRun.Status.FAILED, TrainingRun.Status.REFUSED],
            started_at__gt=now - FAILED_LATELY,
        )
        .order_by()
        .values_list("kind")
        .annotate(n=Count("pk"))
    )
    if bad:
        kinds = ", ".join(sorted(bad))
        found.append(
            Worry(_("Trainings that failed since yesterday: %(what)s.") % {"what": kinds}, models)
        )
    return found
