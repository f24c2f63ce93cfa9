"""A model version's card: what it learned from, how it was measured, what it cannot do.

After Mitchell et al. (2019), "Model Cards for Model Reporting". Everything is read from the
version's row and manifest; what neither of them says is said to be unknown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from catalog.numbers import count_text, decimal_text
from catalog.selectors import audience_is_simulated
from dashboard.staff.quality import METRICS, Measurement, SliceFigures, gate_slices, measurements_of
from dashboard.units import as_percent
from ml.artifacts import ArtifactError, Manifest, load_model, read_manifest
from ml.models.registry import UnknownModelError
from recommendations.models import ModelVersion
from recommendations.services.gate import METRIC
from recommendations.sources import HYBRID, SOURCES

FEW_PEOPLE = 100
MIN_INTERVAL = 0.2  # of the mean: wider than that, two versions can hardly be told apart
MAX_FEATURES = 25


@dataclass(frozen=True)
class Fact:
    """One line of a list of facts."""

    name: str
    text: str


@dataclass(frozen=True)
class Importance:
    """What a source or feature weighs, and its part of all."""

    name: str
    text: str
    width: float


@dataclass(frozen=True)
class ModelCard:
    """Everything that the page and the Markdown show."""

    version: ModelVersion
    label: str
    facts: tuple[Fact, ...]
    data: tuple[Fact, ...]
    measurements: tuple[Measurement, ...]
    gate_checks: tuple[Mapping[str, Any], ...]
    gate_slices: tuple[SliceFigures, ...]
    parameters: tuple[Fact, ...]
    importance: tuple[Importance, ...]
    importance_said: str
    limits: tuple[str, ...]
    damage: str = ""


def model_card(version: ModelVersion) -> ModelCard:
    """The card of a version; where its files cannot be read, it says so and goes on."""
    manifest, damage = _manifest_of(version)
    measured = tuple(measurements_of(version))
    importance, said = _importance(version, manifest)
    source = SOURCES.get(version.kind)
    return ModelCard(
        version=version,
        label=str(source.label) if source else version.kind,
        facts=_facts(version, manifest),
        data=_data(version, manifest),
        measurements=measured,
        gate_checks=tuple(version.metrics.get("gate", {}).get("checks", ())),
        gate_slices=gate_slices(version),
        parameters=_parameters(manifest),
        importance=importance,
        importance_said=said,
        limits=tuple(_limits(version, measured, manifest)),
        damage=damage,
    )


def card_markdown(card: ModelCard) -> str:
    """The card as a Markdown file."""
    text = render_to_string("dashboard/staff/model_card.md", {"card": card, "metrics": METRICS})
    lines = [line.rstrip() for line in text.splitlines()]
    kept = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(kept).strip() + "\n"


def _manifest_of(version: ModelVersion) -> tuple[Manifest | None, str]:
    try:
        manifest = read_manifest(Path(settings.MODELS_DIR) / version.path)
    except ArtifactError as error:
        return None, str(error)
    if manifest.sha256 != version.manifest_sha256:
        return None, _("The files are not those that were registered.")
    return manifest, ""


def _facts(version: ModelVersion, manifest: Manifest | None) -> tuple[Fact, ...]:
    facts = [
        Fact(_("Kind"), version.kind),
        Fact(_("Standing"), str(version.get_status_display())),
        Fact(_("Trained"), f"{version.created_at:%Y-%m-%d %H:%M} UTC"),
    ]
    if version.activated_at:
        facts.append(Fact(_("Served since"), f"{version.activated_at:%Y-%m-%d %H:%M} UTC"))
    if manifest is not None:
        n_bytes = sum(array.n_bytes for array in manifest.arrays.values())
        facts += [
            Fact(_("Model"), manifest.model),
            Fact(
                _("Files"),
                _("%(n)s arrays, %(size)s MB")
                % {"n": len(manifest.arrays), "size": decimal_text(n_bytes / 1e6)},
            ),
        ]
    facts.append(Fact("sha256", version.manifest_sha256))
    return tuple(facts)


def _data(version: ModelVersion, manifest: Manifest | None) -> tuple[Fact, ...]:
    known = manifest.metadata if manifest is not None else {}
    facts = []
    for key, name in (
        ("n_ratings", _("Ratings and reactions")),
        ("n_users", _("People")),
    ):
        if key in known:
            facts.append(Fact(name, count_text(known[key])))
    if known.get("movie_ids"):
        facts.append(Fact(_("Films"), count_text(len(known["movie_ids"]))))
    if known.get("data_read_at"):
        facts.append(Fact(_("Read at"), str(known["data_read_at"])[:16].replace("T", " ")))
    facts.append(Fact(_("Fingerprint of the data"), version.data_fingerprint))
    stars = version.metrics.get("profile", {}).get("stars")
    if stars:
        mean = sum(share * (i + 1) / 2 for i, share in enumerate(stars))
        facts.append(
            Fact(
                _("Stars given"), _("%(mean)s on average") % {"mean": decimal_text(mean, places=2)}
            )
        )
    return tuple(facts)


def _parameters(manifest: Manifest | None) -> tuple[Fact, ...]:
    """Settings of the model; of a blend also those of its sources."""
    if manifest is None:
        return ()
    facts = []
    for name, value in sorted(manifest.params.items()):
        if name == "parts":
            facts += [
                Fact(str(part.get("label")), _said(part.get("params") or {})) for part in value
            ]
        elif not isinstance(value, list) or len(value) <= MAX_FEATURES:
            facts.append(Fact(name, _said(value)))
    return tuple(facts)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(v)}" for key, v in value.items()) or _("as by default")
    return value if isinstance(value, str) else json.dumps(value)


def _importance(
    version: ModelVersion, manifest: Manifest | None
) -> tuple[tuple[Importance, ...], str]:
    """What the score is made of: the weights of a blend, or the gain of a learner's features."""
    weights = version.metrics.get("weights")
    if version.kind == HYBRID and weights:
        total = sum(abs(weight) for weight in weights.values()) or 1.0
        rows = sorted(weights.items(), key=lambda item: -item[1])
        return (
            tuple(
                Importance(
                    name, decimal_text(weight, places=2), round(100 * abs(weight) / total, 1)
                )
                for name, weight in rows
            ),
            _("Weights of the sources in the blend, chosen on validation people."),
        )
    gains = _gains(version, manifest)
    if not gains:
        return (), _("This model has no features whose importance could be told apart.")
    best = sorted(gains.items(), key=lambda item: -item[1])[:MAX_FEATURES]
    return (
        tuple(Importance(name, as_percent(gain), round(100 * gain, 1)) for name, gain in best),
        _("Each feature's share of what the trees gained by it."),
    )


def _gains(version: ModelVersion, manifest: Manifest | None) -> dict[str, float]:
    if manifest is None or version.kind != "lambdamart":
        return {}
    try:
        model, _manifest = load_model(Path(settings.MODELS_DIR) / version.path)
    except (ArtifactError, UnknownModelError):
        return {}
    return model.importance()


def _limits(
    version: ModelVersion, measured: tuple[Measurement, ...], manifest: Manifest | None
) -> list[str]:
    """What the figures themselves say about how far they can be trusted."""
    said = []
    if audience_is_simulated():
        said.append(_("It learned from a simulated audience: its figures say nothing of people."))
    with_figures = [m for m in measured if m.models]
    if not with_figures:
        said.append(_("It was never measured on people whom it had not seen."))
    said += _uncertain(with_figures, version.kind)
    if behind := [m.name for m in with_figures if _is_behind_popularity(m, version.kind)]:
        said.append(
            _("It is worse than showing everybody what is popular on: %(names)s.")
            % {"names": ", ".join(behind)}
        )
    for found in with_figures:
        said += _weak_slices(found, version.kind)
    coverage = with_figures[0].interval(version.kind, "coverage@10") if with_figures else None
    if coverage is not None and coverage.mean is not None:
        said.append(
            _("%(share)s of its films are among anybody's first ten; the others it hardly shows.")
            % {"share": as_percent(coverage.mean)}
        )
    if version.kind in SOURCES and not SOURCES[version.kind].is_wide:
        said.append(_("It knows only films that were rated; new ones come from other sources."))
    if manifest is not None and not manifest.metadata.get("data_read_at"):
        said.append(_("It does not say when its ratings were read."))
    said.append(
        _("Ratings are of films that people chose to watch: what they never met is not in them.")
    )
    return said


def _uncertain(measured: Sequence[Measurement], kind: str) -> list[str]:
    """How few people and how wide intervals stand behind the figures."""
    said = []
    few = [f"{m.name} ({m.n_people})" for m in measured if m.n_people < FEW_PEOPLE]
    if few:
        said.append(
            _("Fewer than %(n)s people stand behind its figures on: %(names)s.")
            % {"n": FEW_PEOPLE, "names": ", ".join(few)}
        )
    wide = []
    for found in measured:
        reached = found.interval(kind)
        if reached.mean and reached.high is not None and reached.low is not None:
            width = (reached.high - reached.low) / reached.mean
            if width > MIN_INTERVAL:
                wide.append(f"{found.name} (± {as_percent(width / 2)})")
    if wide:
        said.append(
            _(
                "Its %(metric)s is known roughly only on: %(names)s. "
                "Smaller differences between versions are chance."
            )
            % {"metric": METRIC, "names": ", ".join(wide)}
        )
    return said


def _is_behind_popularity(found: Measurement, kind: str) -> bool:
    """Its whole interval lies below that of popularity."""
    own, popular = found.interval(kind).high, found.interval("popularity").low
    return kind != "popularity" and own is not None and popular is not None and own < popular


def _weak_slices(found: Measurement, kind: str) -> list[str]:
    """Parts that fare clearly worse than the whole: their interval lies below its mean."""
    whole = found.interval(kind).mean
    if whole is None:
        return []
    weak = [
        f"{part.label} ({part.interval.text})"
        for part in found.slices
        if part.interval.high is not None and part.interval.high < whole
    ]
    if not weak:
        return []
    return [
        _("On %(name)s it serves some worse than the %(mean)s of all: %(parts)s.")
        % {"name": found.name, "mean": decimal_text(whole, places=3), "parts": "; ".join(weak)}
    ]
