"""What the staff pages about experiments show."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from catalog.numbers import count_text, decimal_text, short_text, signed_text
from recommendations.experiments.chart import IntervalChart, interval_chart
from recommendations.experiments.models import Experiment, ExperimentReading
from recommendations.experiments.verdicts import Guard, Verdict
from recommendations.experiments.words import answer_said, details_said, guard_said, policy_label


@dataclass(frozen=True)
class ExperimentRow:
    """An experiment in the list of all."""

    experiment: Experiment
    label_a: str
    label_b: str
    said: str


@dataclass(frozen=True)
class GuardRow:
    """A guard, what it looks at, and whether it tripped."""

    name: str
    said: str
    is_tripped: bool


@dataclass(frozen=True)
class ExperimentPage:
    """One experiment with its answer; ``reading`` and what comes from it are None before one."""

    experiment: Experiment
    label_a: str
    label_b: str
    is_interleaved: bool
    reading: ExperimentReading | None
    said: str
    details: list[str]
    chart: IntervalChart | None
    figures: list[tuple[str, str]]
    guards: list[GuardRow]


def experiment_rows() -> list[ExperimentRow]:
    """All experiments, newest first, each with its answer; two queries."""
    newest = {
        reading.experiment_id: reading
        for reading in ExperimentReading.objects.order_by("experiment_id", "-taken_at").distinct(
            "experiment_id"
        )
    }
    rows = []
    for experiment in Experiment.objects.order_by("-created_at", "-pk"):
        reading = newest.get(experiment.pk)
        said = ""
        if reading is not None:
            said = answer_said(experiment, Verdict.of_json(reading.figures))
        rows.append(
            ExperimentRow(
                experiment,
                policy_label(experiment.policy_a),
                policy_label(experiment.policy_b),
                said,
            )
        )
    return rows


def experiment_page(experiment: Experiment) -> ExperimentPage:
    """One query: the newest reading."""
    reading = experiment.readings.order_by("-taken_at").first()
    is_interleaved = experiment.kind == Experiment.Kind.INTERLEAVED
    verdict = Verdict.of_json(reading.figures) if reading is not None else None
    return ExperimentPage(
        experiment=experiment,
        label_a=policy_label(experiment.policy_a),
        label_b=policy_label(experiment.policy_b),
        is_interleaved=is_interleaved,
        reading=reading,
        said=answer_said(experiment, verdict) if verdict else "",
        details=details_said(experiment, verdict) if verdict else [],
        chart=interval_chart(verdict.points, scale=100.0) if verdict else None,
        figures=_figures(experiment, verdict) if verdict else [],
        guards=_guards(verdict) if verdict else [],
    )


def _figures(experiment: Experiment, verdict: Verdict) -> list[tuple[str, str]]:
    is_interleaved = experiment.kind == Experiment.Kind.INTERLEAVED
    rows = [
        (_("People counted"), count_text(verdict.n_people)),
        (_("Lists counted"), count_text(verdict.n_lists)),
        (_("Too new to count"), count_text(verdict.n_waiting)),
    ]
    if is_interleaved:
        rows += [
            (_("Likes on A's films"), count_text(verdict.n_a)),
            (_("Likes on B's films"), count_text(verdict.n_b)),
            (_("B's lead per list, of 100"), _interval(verdict, 100.0)),
        ]
    else:
        rows += [
            (_("People in A, in B"), f"{count_text(verdict.n_a)}, {count_text(verdict.n_b)}"),
            (_("Likes per list in A, in B"), f"{_or(verdict.mean_a)}, {_or(verdict.mean_b)}"),
            (_("B minus A, likes per 100 lists"), _interval(verdict, 100.0)),
            (
                _("Variance that earlier behaviour explains (CUPED)"),
                f"{100 * verdict.explained:.0f} %",
            ),
        ]
    rows += [
        (
            _("Chance of this if both were alike, looked at all the time"),
            short_text(float(f"{verdict.p_value:.2g}")),
        ),
        (
            _("Chance of arms of these sizes in a fair split"),
            short_text(float(f"{verdict.split_p_value:.2g}")),
        ),
    ]
    return rows


def _interval(verdict: Verdict, scale: float) -> str:
    if verdict.lo is None or verdict.hi is None:
        return _("too few yet")
    mean, lo, hi = (
        signed_text(scale * value) for value in (verdict.estimate, verdict.lo, verdict.hi)
    )
    return f"{mean} [{lo}, {hi}]"


def _or(value: float | None) -> str:
    return "-" if value is None else decimal_text(value, places=3)


def _guards(verdict: Verdict) -> list[GuardRow]:
    names = {
        Guard.MISMATCH: _("The split is fair"),
        Guard.HARM: _("B is not liked less"),
        Guard.NOES: _("B is not refused more"),
        Guard.FILLED: _("B has enough films for everybody"),
    }
    return [
        GuardRow(
            name, guard_said(guard) if guard in verdict.tripped else "", guard in verdict.tripped
        )
        for guard, name in names.items()
    ]
