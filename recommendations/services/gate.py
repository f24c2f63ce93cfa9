"""The gate: what a version must show before it is served, measured on its files as they lie there.

Nothing here is read from the version's own figures: its files are loaded as the web would load
them, and they rank the whole catalogue for the same people as the champion and popularity. People's
events are in the training of both, since what is served learned from everything: this finds models
that are broken, swapped or shallow. What a recipe is worth on people it never saw is measured by
the training itself, with twins fitted without them (:mod:`recommendations.services.training`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.models import Movie
from ml.artifacts import ArtifactError, Manifest, read_manifest
from ml.bootstrap import Interval, paired_difference
from ml.evaluation import Result, compare, interval_json, measure, slice_masks
from ml.models.base import Recommender
from ml.models.popularity import Popularity
from ml.protocols_users import LIKED, strong
from ml.split import RankingSplit, SplitError
from ml.types import Histories
from recommendations.models import ModelVersion
from recommendations.services.remapped import Remapped
from recommendations.snapshot import Snapshot, load_snapshot
from recommendations.training_data import NoTrainingDataError, TrainingData, training_data

METRIC = "ndcg@100"
SEED = 7
MAX_PEOPLE = 1000  # their mean is steady to a hundredth of itself, and 26,744 films take seconds
# Of the champion's figure: what a refit moves it by chance among ENOUGH_PEOPLE; among fewer, wider
# by the square root, as the spread of their mean is.
MARGIN = 0.02
SLICE_MARGIN = 0.10
ENOUGH_PEOPLE = 500
MIN_SLICE_PEOPLE = 50  # fewer people say nothing about a slice
MIN_COVERAGE = 0.5  # of the champion's: a model that fell back on few films has less
MIN_KNOWN_FILMS = 0.9  # of the map's films that the catalogue has
GOLDEN_DEPTH = 10
GOLDEN_SIZES = (1, 3, 10, 30)
GOLDEN_STARS = 4.0  # models of stars have no opinion without any


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``said`` is for people, whichever way it went."""

    name: str
    is_passed: bool
    said: str


@dataclass(frozen=True)
class GateVerdict:
    """All checks, and the figures behind them."""

    checks: tuple[Check, ...]
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def is_passed(self) -> bool:
        """Whether the version may be served."""
        return all(check.is_passed for check in self.checks)

    @property
    def reason(self) -> str:
        """Why not, in sentences; empty where it may."""
        return " ".join(check.said for check in self.checks if not check.is_passed)

    def to_json(self) -> dict[str, Any]:
        """As it is kept in the version's metrics."""
        return {
            "is_passed": self.is_passed,
            "checks": [asdict(check) for check in self.checks],
            **self.figures,
        }


def gate_check(version: ModelVersion, *, data: TrainingData | None = None) -> GateVerdict:
    """Looks at everything that can be wrong with ``version``; changes nothing.

    ``data`` are the ratings to measure on; read anew where they are not given.
    """
    try:
        manifest = read_manifest(Path(settings.MODELS_DIR) / version.path)
        candidate = load_snapshot(version)
    except ArtifactError as error:
        return GateVerdict((Check("files", False, f"Its files cannot be used: {error}."),))
    champion = ModelVersion.objects.filter(
        kind=version.kind, status=ModelVersion.Status.ACTIVE
    ).first()
    before = _champion_of(champion) if champion and champion.pk != version.pk else None
    checks = [
        Check("files", True, "Every file has the checksum of its manifest."),
        _map_check(candidate, manifest),
        _freshness_check(manifest, champion if before is not None else None),
        *_score_checks(candidate, manifest),
    ]
    # Not-a-number poisons every mean: such a model is not measured at all.
    if not all(check.is_passed for check in checks if check.name == "numbers"):
        return GateVerdict(tuple(checks))
    try:
        measured, figures = _measured(candidate, before, data or training_data())
    except (SplitError, NoTrainingDataError) as error:
        checks.append(Check("people", True, f"Not measured on people: {error}"))
        return GateVerdict(tuple(checks))
    return GateVerdict((*checks, *measured), figures)


def golden_histories(n_items: int) -> Histories:
    """A few fixed made-up histories: the same for every model of the same size."""
    rng = np.random.default_rng(SEED)
    sizes = [min(size, n_items) for size in GOLDEN_SIZES]
    return Histories.from_lists(
        [rng.choice(n_items, size, replace=False) for size in sizes],
        ratings=[[GOLDEN_STARS] * size for size in sizes],
    )


def golden_slate(model: Recommender) -> list[dict[str, list]]:
    """What ``model`` recommends to the golden histories: kept in the manifest, asked for again.

    A history without any opinion has no entries.
    """
    best = model.recommend(golden_histories(model.n_items), GOLDEN_DEPTH)
    rows = []
    for items, scores in zip(best.item_index, best.score, strict=True):
        known = items >= 0
        rows.append({"items": items[known].tolist(), "scores": scores[known].tolist()})
    return rows


def _champion_of(champion: ModelVersion) -> Snapshot | None:
    """The champion as it is served; None where its files are gone, and anything is better."""
    try:
        return load_snapshot(champion)
    except ArtifactError:
        return None


def _map_check(candidate: Snapshot, manifest: Manifest) -> Check:
    """Positions of films: one shuffled map recommends the wrong films with the best of scores."""
    if manifest.metadata.get("items_fingerprint") != candidate.items.fingerprint:
        return Check("films map", False, "Its map of films is not the one it was trained with.")
    ids = candidate.items.ids.tolist()
    n_known = Movie.objects.filter(pk__in=ids).count()
    if n_known < MIN_KNOWN_FILMS * len(ids):
        said = f"Of its {len(ids)} films the catalogue has only {n_known}: it is of another one."
        return Check("films map", False, said)
    return Check("films map", True, f"{n_known} of its {len(ids)} films are in the catalogue.")


def _freshness_check(manifest: Manifest, champion: ModelVersion | None) -> Check:
    """Data older than the champion's forget what people said since, deletions included."""
    own = _read_at(manifest)
    if own is None:
        return Check("fresh data", False, "It does not say when its ratings were read.")
    if champion is None:
        return Check("fresh data", True, f"Its ratings were read on {own:%Y-%m-%d %H:%M}.")
    theirs = _read_at(read_manifest(Path(settings.MODELS_DIR) / champion.path))
    if theirs is not None and own < theirs:
        said = (
            f"It is stale: its ratings were read on {own:%Y-%m-%d %H:%M}, those of "
            f"{champion.version}, which is being served, on {theirs:%Y-%m-%d %H:%M}."
        )
        return Check("fresh data", False, said)
    return Check("fresh data", True, f"Its ratings were read on {own:%Y-%m-%d %H:%M}.")


def _read_at(manifest: Manifest) -> datetime | None:
    try:
        return datetime.fromisoformat(str(manifest.metadata.get("data_read_at")))
    except ValueError:
        return None


def _score_checks(candidate: Snapshot, manifest: Manifest) -> Iterator[Check]:
    """Numbers that are numbers, opinions, and the answers that the fitted model gave."""
    model = candidate.hybrid
    # A blend treats what is no number as no opinion: so its sources' own arrays are looked at.
    broken = [name for name, array in model.to_arrays().items() if _holds_nan(array)]
    scores = model.score(golden_histories(model.n_items))
    if broken or np.isnan(scores).any():
        where = f" (in {', '.join(broken)})" if broken else ""
        yield Check("numbers", False, f"It scores some films as not-a-number{where}.")
        return
    if not np.isfinite(scores).any():
        yield Check("numbers", False, "It has no opinion on any film.")
        return
    yield Check("numbers", True, "All its scores are numbers.")
    wanted, found = manifest.metadata.get("golden"), golden_slate(model)
    if not wanted:
        yield Check("golden slate", False, "It carries no golden slate to be checked against.")
    elif not is_same_slate(wanted, found):
        said = "Read from disk it recommends other films than when it was fitted (golden slate)."
        yield Check("golden slate", False, said)
    else:
        yield Check("golden slate", True, "Read from disk it recommends what it did when fitted.")


def _holds_nan(array: NDArray) -> bool:
    return array.dtype.kind == "f" and bool(np.isnan(array).any())


def is_same_slate(wanted: list[dict[str, list]], found: list[dict[str, list]]) -> bool:
    """Scores within rounding: another machine's BLAS adds in another order, and may swap ties."""
    return len(wanted) == len(found) and all(
        len(a["scores"]) == len(b["scores"])
        and np.allclose(a["scores"], b["scores"], rtol=1e-4, atol=1e-5)
        for a, b in zip(wanted, found, strict=True)
    )


def _measured(
    candidate: Snapshot, champion: Snapshot | None, data: TrainingData
) -> tuple[list[Check], dict[str, Any]]:
    """Candidate, champion and popularity on the same people: the checks and the figures."""
    split = _test_people(data)
    popularity = Popularity(min_rating=LIKED).fit(data.dataset.interactions)
    models: dict[str, Recommender] = {
        "candidate": Remapped(candidate.hybrid, candidate.items, to=data.items),
        "popularity": popularity,
    }
    if champion is not None:
        models["champion"] = Remapped(champion.hybrid, champion.items, to=data.items)
    results = {
        label: measure(partial(_as_it_is, model), split, label=label)
        for label, model in models.items()
    }
    gains = {
        label: compare(results["candidate"], result, METRIC)
        for label, result in results.items()
        if label != "candidate"
    }
    checks = [_popularity_check(gains["popularity"], results)]
    slices: dict[str, Any] = {}
    if "champion" in results:
        checks.append(_champion_check(gains["champion"], results))
        check, slices = _slice_check(results, split)
        checks.append(check)
    checks.append(_coverage_check(results))
    figures = {
        "metric": METRIC,
        "n_users": results["candidate"].n_users,
        "split_sha256": split.sha256,
        "models": {label: result.to_json()["metrics"] for label, result in results.items()},
        "gains": {label: interval_json(gain) for label, gain in gains.items()},
        "slices": slices,
    }
    return checks, figures


def _test_people(data: TrainingData) -> RankingSplit:
    """At most MAX_PEOPLE of the training's test people."""
    split = strong(data.dataset, seed=SEED, part="test")
    if len(split) <= MAX_PEOPLE:
        return split
    rows = np.sort(np.random.default_rng(SEED).choice(len(split), MAX_PEOPLE, replace=False))
    return replace(
        split,
        histories=split.histories.select(rows),
        truth=split.truth[rows],
        user_index=split.user_index[rows],
        group=split.group[rows],
    )


def _as_it_is(model: Recommender) -> Recommender:
    """For :func:`measure`, which fits: these models are fitted already."""
    return model


def _popularity_check(gain: Interval, results: dict[str, Result]) -> Check:
    figures = f"{METRIC} {signed(gain)} on {results['candidate'].n_users} people"
    if gain.mean > 0:
        return Check("popularity", True, f"It beats popularity: {figures}.")
    return Check("popularity", False, f"It does not beat popularity: {figures}.")


def _champion_check(gain: Interval, results: dict[str, Result]) -> Check:
    """Worse by more than the margin, and not by chance."""
    reached = results["champion"].metrics[METRIC].mean
    n = results["candidate"].n_users
    figures = f"{METRIC} {signed(gain)} of {reached:.4f} on {n} people"
    margin = margin_among(n)
    if is_behind(gain, reached=reached, n_people=n):
        said = f"It is worse than the model being served by more than {margin:.0%}: {figures}."
        return Check("champion", False, said)
    return Check("champion", True, f"It is not worse than the model being served: {figures}.")


def _slice_check(results: dict[str, Result], split: RankingSplit) -> tuple[Check, dict[str, Any]]:
    """New, light and heavy users, popular and rare films: a good mean can hide a bad part."""
    names = {
        "history<=5": "new users",
        "history 6-20": "light users",
        "history>20": "heavy users",
        "popular": "popular films",
        "middle": "films in between",
        "rare": "rare films",
    }
    own, theirs = results["candidate"].per_row[METRIC], results["champion"].per_row[METRIC]
    figures: dict[str, Any] = {}
    worse = []
    for key, mask in slice_masks(split).items():
        n = int(mask.sum())
        if key not in names or not n:
            continue
        gain = paired_difference(own[mask], theirs[mask], group=split.group[mask])
        reached = float(theirs[mask].mean())
        figures[names[key]] = {"n": n, "champion": round(reached, 6), "gain": interval_json(gain)}
        if n >= MIN_SLICE_PEOPLE and gain.mean < -SLICE_MARGIN * reached and gain.hi < 0:
            worse.append(f"{names[key]} ({signed(gain)} of {reached:.4f})")
    if worse:
        said = f"It is worse than the model being served for {', '.join(worse)}."
        return Check("slices", False, said), figures
    return Check("slices", True, "No group of people or films fares much worse."), figures


def _coverage_check(results: dict[str, Result]) -> Check:
    """Everybody's first ten together: few films for all is no personal recommendation."""
    own = results["candidate"].metrics["coverage@10"].mean
    floor = results["popularity"].metrics["coverage@10"].mean
    if "champion" in results:
        floor = max(floor, MIN_COVERAGE * results["champion"].metrics["coverage@10"].mean)
    said = f"{own:.2%} of the films are among somebody's first ten, the floor is {floor:.2%}"
    if own < floor:
        return Check("coverage", False, f"It recommends too few films: {said}.")
    return Check("coverage", True, f"It recommends enough films: {said}.")


def margin_among(n_people: int) -> float:
    """The part of the champion's figure that a refit may lose by chance among so many people."""
    return MARGIN * max(1.0, ENOUGH_PEOPLE / n_people) ** 0.5


def is_behind(gain: Interval, *, reached: float, n_people: int) -> bool:
    """Worse than the champion, who ``reached`` that, by more than the margin and not by chance."""
    return gain.mean < -margin_among(n_people) * reached and gain.hi < 0


def signed(gain: Interval) -> str:
    """A difference with its interval, for people."""
    return f"{gain.mean:+.4f} ({gain.lo:+.4f} to {gain.hi:+.4f})"
