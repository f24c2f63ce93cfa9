"""What is known of a version's quality: one reader for the models page and the model cards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.clusters.words import cluster_name, marks_of_key
from dashboard.plots import interval_text
from ml.cluster_slices import PREFIX
from ml.protocols import TASKS
from recommendations.models import ModelVersion
from recommendations.services.gate import METRIC

#: What is shown of a measurement; the first is what versions are compared by.
METRICS = (
    METRIC,
    "ndcg@10",
    "recall@10",
    "hit@10",
    "mrr",
    "coverage@10",
    "novelty@10",
    "diversity@10",
)
#: The bootstrap of fewer people knows no more than these: one has an interval of no width.
MIN_PEOPLE = 10
SLICE_LABELS = {
    "history<=5": gettext_lazy("New users (up to 5 films)"),
    "history 6-20": gettext_lazy("Light users (6 to 20)"),
    "history>20": gettext_lazy("Heavy users (over 20)"),
    "popular": gettext_lazy("Popular films"),
    "middle": gettext_lazy("Films in between"),
    "rare": gettext_lazy("Rare films"),
    "film age<=5": gettext_lazy("Films up to 5 years old"),
    "film age>5": gettext_lazy("Older films"),
    "not english": gettext_lazy("Films not in English"),
    "tied": gettext_lazy("Watched in one sitting"),
    "later": gettext_lazy("Watched later"),
    "hour later": gettext_lazy("Watched over an hour later"),
}
#: The gate's own names of the same parts.
GATE_LABELS = {
    "new users": SLICE_LABELS["history<=5"],
    "light users": SLICE_LABELS["history 6-20"],
    "heavy users": SLICE_LABELS["history>20"],
    "popular films": SLICE_LABELS["popular"],
    "films in between": SLICE_LABELS["middle"],
    "rare films": SLICE_LABELS["rare"],
}


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval, any of them unknown."""

    mean: float | None
    low: float | None
    high: float | None

    @property
    def text(self) -> str:
        """ "0.512 [0.481, 0.540]", or a dash."""
        return interval_text(self.mean, self.low, self.high) or "–"

    @classmethod
    def of(cls, raw: dict[str, Any] | None) -> Interval:
        """From how metrics keep it."""
        raw = raw or {}
        return cls(raw.get("mean"), raw.get("lo"), raw.get("hi"))


@dataclass(frozen=True)
class SliceFigures:
    """One part of the held-out rows."""

    label: str
    n: int
    interval: Interval
    n_people: int = 0  # 0 where they were not counted


@dataclass(frozen=True)
class Measurement:
    """One version on one protocol. ``models`` also holds what it was measured beside.

    ``note`` says why there are no figures, where there are none.
    """

    name: str
    protocol: str
    n_people: int
    seed: int | None
    split_sha256: str
    models: dict[str, dict[str, Interval]]
    raw_slices: dict[str, Any]
    note: str = ""

    @cached_property
    def slices(self) -> tuple[SliceFigures, ...]:
        """Part by part; pages that compare versions look at those of one."""
        return tuple(_slice_figures(key, values) for key, values in self.raw_slices.items())

    def interval(self, label: str, metric: str = METRIC) -> Interval:
        """Of one model; unknown where it was not measured."""
        return self.models.get(label, {}).get(metric, Interval(None, None, None))

    @property
    def metric_names(self) -> list[str]:
        """What was measured, in the order in which it is shown."""
        known = {name for values in self.models.values() for name in values}
        return [name for name in METRICS if name in known]


def measurements_of(version: ModelVersion) -> list[Measurement]:
    """The training's own measurement first, then those of ``measure_model`` by name."""
    metrics = version.metrics
    found = []
    if metrics.get("models"):
        found.append(_measurement(str(metrics.get("protocol", "")), metrics))
    order = {task.name: place for place, task in enumerate(TASKS)}
    protocols = metrics.get("protocols", {})
    for name, raw in sorted(protocols.items(), key=lambda item: order.get(item[0], len(order))):
        found.append(_measurement(name, raw))
    return found


def measurement_on(version: ModelVersion, name: str) -> Measurement | None:
    """Of one protocol, the training's own if it is that one."""
    return next((m for m in measurements_of(version) if m.name == name and m.models), None)


def protocol_names(versions: Iterable[ModelVersion]) -> list[str]:
    """Every protocol that any of them was measured on, the trainings' own first."""
    names: dict[str, None] = {}
    for version in versions:
        for found in measurements_of(version):
            if found.models:
                names.setdefault(found.name)
    return list(names)


def _measurement(name: str, raw: dict[str, Any]) -> Measurement:
    return Measurement(
        name=name,
        protocol=str(raw.get("protocol", name)),
        n_people=int(raw.get("n_users", 0)),
        seed=raw.get("seed"),
        split_sha256=str(raw.get("split_sha256", "")),
        models={
            label: {metric: Interval.of(value) for metric, value in values.items()}
            for label, values in raw.get("models", {}).items()
        },
        raw_slices=raw.get("slices", {}),
        note=str(raw.get("note", "")),
    )


def _slice_figures(key: str, values: dict[str, Any]) -> SliceFigures:
    """Without an interval where so few people were drawn from that it would be far too narrow."""
    n = int((values.get("n") or {}).get("mean") or 0)
    n_people = int((values.get("people") or {}).get("mean") or 0)
    found = Interval.of(values.get(METRIC))
    if (n_people or n) < MIN_PEOPLE:
        found = Interval(found.mean, None, None)
    return SliceFigures(_slice_label(key), n, found, n_people)


def _slice_label(key: str) -> str:
    if key.startswith(PREFIX):
        kind = key.removeprefix(PREFIX)
        return _("Kind: %(name)s") % {"name": cluster_name(marks_of_key(kind), key=kind)}
    return str(SLICE_LABELS.get(key, key))


def gate_slices(version: ModelVersion) -> tuple[SliceFigures, ...]:
    """How the version differs from the champion of its day, part by part."""
    slices = version.metrics.get("gate", {}).get("slices", {})
    return tuple(
        SliceFigures(str(GATE_LABELS.get(name, name)), int(raw["n"]), Interval.of(raw["gain"]))
        for name, raw in slices.items()
    )
