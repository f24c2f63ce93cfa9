"""Drift: how far what people do now is from what the served model learned from.

Population stability index ``sum (p - q) ln(p / q)`` between the training's shares q and today's p
(Siddiqi, "Credit Risk Scorecards", 2006: below 0.1 nothing, above 0.25 another population).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedback.models import Interaction
from ml.models.popularity import Popularity
from ml.types import Interactions
from recommendations.models import DriftCheck, ModelVersion
from recommendations.snapshot import Snapshot, current_snapshot

DRIFTED = 0.25
MIN_RATINGS = 100  # fewer say nothing about shares of tenths
MAX_RATINGS = 100_000
N_TENTHS = 10
UNKNOWN_SHARE = 0.2
STARS = np.arange(1, 11) / 2


def training_profile(interactions: Interactions) -> dict[str, Any]:
    """What a version's metrics keep of its ratings: the share of each half star."""
    counts = np.bincount(
        np.clip(np.rint(2 * interactions.rating).astype(int) - 1, 0, 9), minlength=10
    )
    return {"stars": (counts / max(1, counts.sum())).round(6).tolist()}


def drift_check() -> DriftCheck | None:
    """Compares ratings since the served version's training with it, and writes down the outcome.

    None where no model is served or it does not say what it learned from.
    """
    snapshot = current_snapshot()
    if snapshot is None:
        return None
    version = ModelVersion.objects.get(pk=snapshot.version_id)
    profile = version.metrics.get("profile")
    if profile is None:
        return None
    run = version.runs.order_by("-started_at").first()
    rows = list(
        Interaction.objects.filter(
            kind=Interaction.Kind.RATE, pk__gt=run.last_interaction_id if run else 0
        )
        .order_by("-pk")
        .values_list("movie_id", "value")[:MAX_RATINGS]
    )
    figures: dict[str, Any] = {"n_ratings": len(rows)}
    if len(rows) < MIN_RATINGS:
        said = f"{len(rows)} new ratings since the training: too few to compare."
        return DriftCheck.objects.create(model_version=version, said=said, figures=figures)
    films = snapshot.items.index([movie_id for movie_id, _ in rows])
    stars = np.array([float(value) for _, value in rows])
    now = np.bincount(np.rint(2 * stars).astype(int) - 1, minlength=10)
    figures |= {
        "stars_psi": round(stability_index(now, np.array(profile["stars"])), 4),
        "popularity_psi": _popularity_psi(films, snapshot),
        "unknown_films": round(float(np.mean(films < 0)), 4),
        "mean_stars": round(float(stars.mean()), 3),
        "mean_stars_trained": round(float(STARS @ np.array(profile["stars"])), 3),
    }
    said = _said(figures)
    return DriftCheck.objects.create(
        model_version=version, is_drifted=bool(said), said=said or "As it was.", figures=figures
    )


def stability_index(now: NDArray, trained: NDArray) -> float:
    """PSI of counts ``now`` against shares ``trained``; empty classes count as half an event."""
    total = max(1.0, float(now.sum()))
    p = np.maximum(now, 0.5) / total
    q = np.maximum(trained, 0.5 / total)
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((p - q) * np.log(p / q)))


def _popularity_psi(films: NDArray[np.int32], snapshot: Snapshot) -> float | None:
    """Of tenths of the training's events by the popularity of their films."""
    popularity = next(
        (m for m in snapshot.hybrid.models.values() if isinstance(m, Popularity)), None
    )
    known = films[films >= 0]
    if popularity is None or not len(known):
        return None
    events = np.expm1(popularity.item_score.astype(np.float64))
    order = np.argsort(-events, kind="stable")
    before = np.cumsum(events[order]) - events[order]
    tenth = np.empty(len(events), dtype=np.int64)
    tenth[order] = np.minimum(N_TENTHS * before / max(1e-9, events.sum()), N_TENTHS - 1).astype(int)
    trained = np.bincount(tenth, weights=events, minlength=N_TENTHS) / max(1e-9, events.sum())
    return round(stability_index(np.bincount(tenth[known], minlength=N_TENTHS), trained), 4)


def _said(figures: dict[str, Any]) -> str:
    """What drifted, in sentences; empty where nothing did."""
    said = []
    if figures["stars_psi"] > DRIFTED:
        said.append(
            f"Stars are given differently: {figures['mean_stars']} on average, "
            f"{figures['mean_stars_trained']} in the training."
        )
    if (figures["popularity_psi"] or 0) > DRIFTED:
        said.append("Other films are rated than in the training, by their popularity.")
    if figures["unknown_films"] > UNKNOWN_SHARE:
        said.append(f"{figures['unknown_films']:.0%} of the ratings are of films it does not know.")
    return " ".join(said)
