"""Any stored slate, computed again: same films, same order, same scores.

A slate names its model version, when the person's feedback was read, and what it left out. From
these the list is made anew by the code that makes every list; what cannot be had any more (a
version that was deleted, limits that changed) is said, never guessed.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime

from accounts.models import User
from feedback.models import Impression, Slate
from feedback.past import PastUnknownError, feedback_at
from ml.artifacts import ArtifactError
from recommendations.experiments.serving import trial_list
from recommendations.limits import barred_digest, barred_for
from recommendations.models import ModelVersion
from recommendations.pipeline import recommend_many
from recommendations.ranked import RankedList
from recommendations.reranking import ListContext
from recommendations.snapshot import Snapshot, load_serving, load_snapshot
from recommendations.sources import HYBRID, SOURCES
from recommendations.trial import Trial

TOLERANCE = 1e-6
SURPRISE = "surprise"


class NotReproducibleError(Exception):
    """The slate cannot be computed again; the message says what is missing."""


@dataclass(frozen=True)
class Place:
    """One place of the slate: what was stored, and what came out again."""

    position: int
    stored_id: int
    stored_score: float | None
    found_id: int | None
    found_score: float | None

    @property
    def is_same(self) -> bool:
        """The same film, with the same score."""
        if self.stored_id != self.found_id or self.found_score is None:
            return False
        return abs((self.stored_score or 0.0) - self.found_score) <= TOLERANCE


@dataclass(frozen=True)
class Replay:
    """A slate held against its recomputation. ``n_filled`` places were the fallback's: popular
    films of that day, which no model put there, and which are not compared."""

    slate: Slate
    places: tuple[Place, ...]
    n_filled: int = 0

    @property
    def is_same(self) -> bool:
        """Every place that a model filled is the same."""
        return all(place.is_same for place in self.places)

    @property
    def worst(self) -> float:
        """The largest difference of scores of the same film."""
        gaps = [
            abs((place.stored_score or 0.0) - place.found_score)
            for place in self.places
            if place.found_score is not None and place.stored_id == place.found_id
        ]
        return max(gaps, default=0.0)


class Versions:
    """Model versions read from their files, and checked, once for many slates.

    Of a large site one takes hundreds of megabytes: N_KEPT policies are kept, the latest used.
    """

    N_KEPT = 4

    def __init__(self) -> None:
        self._policies: OrderedDict[str, Snapshot] = OrderedDict()
        self._rows: dict[str, ModelVersion] = {}

    def policy(self, name: str) -> Snapshot:
        """The policy's version ``name``. Raises NotReproducibleError."""
        if name not in self._policies:
            self._policies[name] = _policy_version(name)
        self._policies.move_to_end(name)
        while len(self._policies) > self.N_KEPT:
            self._policies.popitem(last=False)
        return self._policies[name]

    def row(self, name: str) -> ModelVersion:
        """Any version, whose files can be read. Raises NotReproducibleError."""
        if name not in self._rows:
            self._rows[name] = _version_row(name)
        return self._rows[name]


def replay(slate: Slate, versions: Versions | None = None) -> Replay:
    """Computes ``slate`` again. Raises NotReproducibleError.

    ``versions`` is for whoever asks for many; without it files are read and checked anew.
    """
    stored = list(Impression.objects.filter(slate=slate).order_by("position"))
    # Films behind the list's end came when the page fetched it again: another moment's list.
    n_first = (slate.context.get("asked") or {}).get("n", len(stored))
    stored = [impression for impression in stored if impression.position < n_first]
    if slate.policy not in SOURCES and "trial" not in slate.context:
        raise NotReproducibleError(
            f"It was made by {slate.policy}, from answers and the catalogue of that day: "
            "no model's list."
        )
    if slate.user is None:
        raise NotReproducibleError("Nobody's history made it: a visitor's popular films.")
    by_model = [impression for impression in stored if impression.score is not None]
    if by_model and not slate.model_version:
        raise NotReproducibleError("It does not name the version of its model.")
    if not by_model:
        return Replay(slate, (), n_filled=len(stored))
    found = _computed_again(slate, slate.user, versions or Versions())
    films = found.films
    if slate.surface == SURPRISE:  # one of the list's films was drawn: it must be there as it was
        films = tuple(film for film in films if film.movie_id == by_model[0].movie_id)
    of_place = dict(enumerate(films))
    places = []
    for rank, impression in enumerate(by_model):
        film = of_place.get(rank)
        places.append(
            Place(
                position=impression.position,
                stored_id=impression.movie_id,
                stored_score=impression.score,
                found_id=film.movie_id if film else None,
                found_score=film.score if film else None,
            )
        )
    return Replay(slate, tuple(places), n_filled=len(stored) - len(by_model))


def _computed_again(slate: Slate, user: User, versions: Versions) -> RankedList:
    asked = slate.context.get("asked")
    if not asked or not asked.get("read_at"):
        raise NotReproducibleError("It was logged by an older Marquee, which did not keep enough.")
    snapshot = _snapshot_then(slate, versions)
    try:
        person = feedback_at(
            user,
            moment=datetime.fromisoformat(asked["read_at"]),
            generation=slate.context["generation"],
        )
    except PastUnknownError as error:
        raise NotReproducibleError(
            f"What was known of the person is not certain: {error}."
        ) from error
    if len(person.history) != slate.context["n_history"]:
        raise NotReproducibleError(
            f"The list learned from {slate.context['n_history']} films, the log tells of "
            f"{len(person.history)}: feedback was deleted or merged since."
        )
    barred = barred_for(user)
    if barred_digest(barred) != asked["barred"]:
        raise NotReproducibleError(
            "The person's limits, or the films that an editor hides, changed since."
        )
    left_out = _left_out(slate)

    def make(source: str, n: int) -> RankedList:
        return recommend_many(
            [person],
            snapshot,
            n=n,
            source=source,
            barred=[barred],
            contexts=[ListContext.of_slate(slate)],
            without=left_out[source],
        )[0]

    trial = slate.context.get("trial")
    if trial is None:
        found = make(slate.policy, asked["n"])
    else:
        found = trial_list(Trial.of_json(trial), asked["n"], make)
    if missing := set(found.skipped) - set().union(*left_out.values()):
        raise NotReproducibleError(
            f"{', '.join(sorted(missing))} could not be asked now (failed, or resting after being "
            "too slow): try again in half a minute."
        )
    return found


def _left_out(slate: Slate) -> dict[str, list[str]]:
    """By the policy that made the list, or by both that did: the sources that said nothing."""
    trial = slate.context.get("trial")
    if trial is not None:
        return dict(trial["left_out"])
    return {slate.policy: slate.context["asked"]["skipped"]}


def _versions(slate: Slate) -> dict[str, str]:
    """By policy: the version that made the list."""
    trial = slate.context.get("trial")
    return dict(trial["versions"]) if trial is not None else {slate.policy: slate.model_version}


def _snapshot_then(slate: Slate, versions: Versions) -> Snapshot:
    """The versions that made the slate; re-ranking reads the policy's, so it is named too."""
    policy = slate.context["asked"].get("policy_version") or slate.model_version
    snapshot = versions.policy(policy)
    beside = {
        source: (versions.row(version),)
        for source, version in _versions(slate).items()
        if source != HYBRID and source not in snapshot.hybrid.models
    }
    return replace(snapshot, others=beside) if beside else snapshot


def _policy_version(name: str) -> Snapshot:
    try:
        return load_snapshot(_kept_row(name))
    except ArtifactError as error:
        raise NotReproducibleError(f"Model {name} cannot be read any more: {error}.") from error


def _kept_row(name: str) -> ModelVersion:
    version = ModelVersion.objects.filter(version=name).first()
    if version is None:
        raise NotReproducibleError(
            f"Model version {name} is no longer kept (MODEL_KEEP_VERSIONS says how many are)."
        )
    return version


def _version_row(name: str) -> ModelVersion:
    version = _kept_row(name)
    try:
        load_serving(version)
    except ArtifactError as error:
        raise NotReproducibleError(f"Model {name} cannot be read any more: {error}.") from error
    return version
