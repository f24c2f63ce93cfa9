"""The models: what is served, how good every version was, what is being trained, what drifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from dashboard.plots import IntervalPlot, Measured, Origin, TimePlot, interval_plot, time_plot
from dashboard.staff.quality import (
    MIN_PEOPLE,
    Interval,
    SliceFigures,
    gate_slices,
    measurement_on,
    protocol_names,
)
from dashboard.units import as_ratio, as_score
from recommendations.models import DriftCheck, ModelVersion, TrainingRun
from recommendations.services.drift import DRIFTED
from recommendations.services.gate import METRIC
from recommendations.sources import HYBRID

SHOWN_VERSIONS = 12
SHOWN_RUNS = 12
SHOWN_CURVES = 4
SHOWN_DRIFT = 60
# A version's figures are long: they are read of those whose figures are shown.
_HEAVY = ("model_version__metrics",)


@dataclass(frozen=True)
class Served:
    """What answers right now, per kind."""

    version: ModelVersion
    reached: Interval
    n_people: int


@dataclass(frozen=True)
class Duel:
    """The newest candidate against the champion of its day, as the gate measured them."""

    version: ModelVersion
    plot: IntervalPlot | None
    checks: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Training:
    """A run that goes on, or one of the last."""

    run: TrainingRun
    curve: TimePlot | None

    @property
    def n_lit(self) -> int:
        """Bulbs of twelve."""
        return round(12 * self.run.progress)


@dataclass(frozen=True)
class ModelsPage:
    """What the page shows."""

    served: tuple[Served, ...]
    kinds: tuple[str, ...]
    kind: str
    plots: tuple[IntervalPlot, ...]
    duel: Duel | None
    slices: IntervalPlot | None
    drift: TimePlot
    drift_checks: tuple[DriftCheck, ...]
    runs: tuple[TrainingRun, ...]
    curves: tuple[Training, ...]
    versions: tuple[ModelVersion, ...]


def models_page(kind: str) -> ModelsPage:
    """Everything of one ``kind``, and what is served of all; an unknown kind is the policy."""
    everything = list(ModelVersion.objects.defer("metrics").order_by("kind", "-created_at"))
    kinds = tuple(sorted({v.kind for v in everything} | {HYBRID}, key=lambda k: (k != HYBRID, k)))
    kind = kind if kind in kinds else HYBRID
    own = [version for version in everything if version.kind == kind]
    newest = [version.pk for version in own[:SHOWN_VERSIONS]]
    whole = list(
        ModelVersion.objects.filter(
            Q(pk__in=newest) | Q(status=ModelVersion.Status.ACTIVE)
        ).order_by("kind", "-created_at")
    )
    measured = [version for version in whole if version.kind == kind]
    checks = tuple(
        DriftCheck.objects.select_related("model_version")
        .defer(*_HEAVY)
        .order_by("-checked_at")[:SHOWN_DRIFT]
    )
    runs = tuple(
        TrainingRun.objects.select_related("model_version")
        .defer(*_HEAVY)
        .filter(kind=kind)
        .order_by("-started_at")[:SHOWN_RUNS]
    )
    return ModelsPage(
        served=tuple(_served(v) for v in whole if v.status == ModelVersion.Status.ACTIVE),
        kinds=kinds,
        kind=kind,
        plots=_version_plots(measured[:SHOWN_VERSIONS], kind),
        duel=_duel(measured),
        slices=_slices_plot(measured),
        drift=_drift_plot(checks),
        drift_checks=checks[:SHOWN_RUNS],
        runs=runs,
        curves=tuple(
            Training(run, curve_of(run))
            for run in runs
            if run.curve and run.status != TrainingRun.Status.RUNNING
        )[:SHOWN_CURVES],
        versions=tuple(own),
    )


def trainings_now() -> tuple[Training, ...]:
    """What is being trained at this moment, with its curve so far."""
    running = TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING).order_by("kind")
    return tuple(Training(run, curve_of(run)) for run in running)


def curve_of(run: TrainingRun) -> TimePlot | None:
    """Loss and quality by epoch, each on a scale of its own height; None without epochs."""
    if not run.curve:
        return None
    quality = [point.get("quality") for point in run.curve]
    losses = [point["loss"] for point in run.curve]
    highest = max(losses) or 1.0
    of = run.curve[-1]["n_epochs"]
    return time_plot(
        f"curve-{run.pk}",
        _("%(kind)s: epoch %(n)s of at most %(of)s")
        % {"kind": run.kind, "n": run.curve[-1]["epoch"], "of": of},
        [str(point["epoch"]) for point in run.curve],
        [
            (_("loss, as a share of its highest"), [loss / highest for loss in losses]),
            (_("recall@20 on people held out inside the training"), quality),
        ],
        unit=as_ratio,
        top=1.0,
        over=_("Epoch"),
        origins=(
            Origin(
                _("the run"), reverse("admin:recommendations_trainingrun_change", args=[run.pk])
            ),
        ),
    )


def card_url(version: ModelVersion) -> str:
    """The version's card."""
    return reverse("dashboard:staff_model", args=[version.version])


def _served(version: ModelVersion) -> Served:
    found = measurement_on(version, str(version.metrics.get("protocol", "")))
    if found is None:
        return Served(version, Interval(None, None, None), 0)
    return Served(version, found.interval(version.kind), found.n_people)


def _version_plots(versions: Sequence[ModelVersion], kind: str) -> tuple[IntervalPlot, ...]:
    """One plot per protocol, the newest version first, popularity of the newest beside them."""
    plots = []
    for name in protocol_names(versions):
        found = [(v, m) for v in versions if (m := measurement_on(v, name)) is not None]
        rows = []
        newest = found[0][1]
        for version, measured in found:
            reached = measured.interval(kind)
            if reached.mean is None:
                continue
            is_same = measured.split_sha256 == newest.split_sha256
            rows.append(
                Measured(
                    label=_short(version),
                    mean=reached.mean,
                    low=reached.low,
                    high=reached.high,
                    note=_("%(n)s people%(others)s; %(status)s")
                    % {
                        "n": measured.n_people,
                        "others": "" if is_same else _(", other ones than the newest version's"),
                        "status": version.get_status_display().lower(),
                    },
                    url=card_url(version),
                    is_marked=version.status == ModelVersion.Status.ACTIVE,
                )
            )
        popular = newest.interval("popularity")
        if popular.mean is not None:
            rows.append(
                Measured(
                    label="popularity",
                    mean=popular.mean,
                    low=popular.low,
                    high=popular.high,
                    note=_("what everybody likes, on the newest version's people"),
                )
            )
        plots.append(
            interval_plot(
                f"protocol-{name.replace('@', '-')}",
                f"{METRIC.upper()} · {name}",
                rows,
                note=_("%(n)s people whom no version had seen; lit: being served.")
                % {"n": newest.n_people},
                origins=[Origin(_short(v), card_url(v)) for v, _m in found[:3]],
            )
        )
    return tuple(plots)


def _duel(versions: Sequence[ModelVersion]) -> Duel | None:
    newest = next((v for v in versions if v.metrics.get("gate")), None)
    if newest is None:
        return None
    gate = newest.metrics["gate"]
    rows = []
    for label, raw in gate.get("gains", {}).items():
        gain = Interval.of(raw)
        if gain.mean is not None:
            name = _("%(what)s, everybody") % {"what": label}
            rows.append(Measured(name, gain.mean, gain.low, gain.high))
    rows += [
        Measured(part.label, part.interval.mean, part.interval.low, part.interval.high)
        for part in gate_slices(newest)
        if part.interval.mean is not None
    ]
    plot = (
        interval_plot(
            "duel",
            _("Candidate minus what it is compared with, %(metric)s") % {"metric": METRIC},
            rows,
            note=_("Right of 0 the candidate is better. All have learned from these people."),
            unit=lambda value: f"{value:+.3f}" if value else "0",
            origins=[Origin(_short(newest), card_url(newest))],
        )
        if rows
        else None
    )
    return Duel(newest, plot, tuple(gate.get("checks", ())))


def _slices_plot(versions: Sequence[ModelVersion]) -> IntervalPlot | None:
    """The served version's slices, on the protocol of its training."""
    served = next((v for v in versions if v.status == ModelVersion.Status.ACTIVE), None)
    if served is None:
        return None
    found = measurement_on(served, str(served.metrics.get("protocol", "")))
    if found is None or not found.slices:
        return None
    return interval_plot(
        "slices",
        _("%(metric)s by parts of people and films") % {"metric": METRIC.upper()},
        [
            Measured(
                part.label,
                part.interval.mean,
                part.interval.low,
                part.interval.high,
                note=_slice_note(part),
            )
            for part in found.slices
            if part.interval.mean is not None
        ],
        unit=as_score,
        note=_("Protocol %(name)s, the version being served.") % {"name": found.name},
        origins=[Origin(_short(served), card_url(served))],
    )


def _slice_note(part: SliceFigures) -> str:
    if not part.n_people:
        return _("%(n)s rows") % {"n": part.n}
    figures = {"n": part.n, "people": part.n_people}
    if part.n_people >= MIN_PEOPLE:
        return _("%(n)s rows of %(people)s people") % figures
    return _("%(n)s rows of %(people)s people: too few for an interval") % figures


def _drift_plot(checks: Sequence[DriftCheck]) -> TimePlot:
    in_order = list(reversed(checks))

    def of(name: str) -> list[float | None]:
        return [check.figures.get(name) for check in in_order]

    return time_plot(
        "drift",
        _("How far people have moved from what the model learned"),
        [f"{check.checked_at:%m-%d %H:%M}" for check in in_order],
        [
            (_("stars (PSI)"), of("stars_psi")),
            (_("films' popularity (PSI)"), of("popularity_psi")),
            (_("films it does not know"), of("unknown_films")),
            (_("worth a look"), [DRIFTED for _check in in_order]),
        ],
        unit=as_ratio,
        note=_("Population stability: below 0.1 nothing happened, above 0.25 it is another crowd."),
        over=_("Checked at"),
        origins=(Origin(_("the checks"), reverse("admin:recommendations_driftcheck_changelist")),),
    )


def _short(version: ModelVersion) -> str:
    return version.version.removeprefix(f"{version.kind}-")
