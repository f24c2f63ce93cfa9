"""A list under an experiment: which policy makes it for whom, and what chance does to it.

Everything random comes from one seed, the hash of the experiment's salt and the slate's id: a page
that fetches its list again gets the same draft, and a replay makes the same list again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from ml.experiments.assignment import arm_of, seed_of
from ml.experiments.exploration import Exploration, tail_shuffle
from ml.experiments.interleaving import A, B, team_draft
from recommendations.experiments.models import Assignment, Experiment
from recommendations.ranked import RankedFilm, RankedList
from recommendations.trial import SHUFFLED, Trial

Make = Callable[[str, int], RankedList]
INTERLEAVED = "interleaved"

_running: Experiment | None = None
_is_watched = False


def running_experiment() -> Experiment | None:
    """The one that runs. In a web process a thread keeps it; elsewhere one small query finds it."""
    return _running if _is_watched else look_for_experiment()


def look_for_experiment() -> Experiment | None:
    """Reads which experiment runs and keeps it for those who are watched for."""
    global _running  # noqa: PLW0603 - one reference assignment is the whole swap
    _running = Experiment.objects.filter(status=Experiment.Status.RUNNING).first()
    return _running


def keep_watched(is_watched: bool) -> None:
    """Says that somebody else calls ``look_for_experiment`` from now on (or no longer)."""
    global _is_watched  # noqa: PLW0603 - set once at the start of a web process
    _is_watched = is_watched


def trial_for(user: User | AnonymousUser, request_id: uuid.UUID) -> Trial | None:
    """What the running experiment does with this list; None for who is not in it.

    Visitors are never: the account that they become would be another person to the hash.
    """
    if not isinstance(user, User) or user.is_visitor:
        return None
    experiment = running_experiment()
    if experiment is None:
        return None
    if experiment.kind == Experiment.Kind.INTERLEAVED:
        arms = [Assignment.Arm.BOTH]
        sources: list[tuple[str, ...]] = [(experiment.policy_a, experiment.policy_b)]
    else:
        arms = [Assignment.Arm.A, Assignment.Arm.B]
        sources = [(experiment.policy_a,), (experiment.policy_b,)]
    shares = [experiment.share / len(arms)] * len(arms)
    arm = arm_of(experiment.salt, str(user.pk), shares)
    if arm < 0:
        return None
    return Trial(
        experiment_id=experiment.pk,
        arm=arms[arm].value,
        sources=sources[arm],
        seed=seed_of(experiment.salt, str(request_id)),
        how=Exploration(experiment.epsilon),
    )


def trial_list(trial: Trial, n: int, make: Make) -> RankedList:
    """The list of ``n`` that ``trial`` makes; ``make(source, n)`` gives a policy's own, unfilled.

    Shorter where the policies have no more films.
    """
    rng = np.random.default_rng(trial.seed)
    films: tuple[RankedFilm, ...] | None
    if len(trial.sources) == 2:
        lists = [make(source, n) for source in trial.sources]
        films = _drafted(lists, n, rng)
        policy = INTERLEAVED
    else:
        lists = [make(trial.sources[0], n + trial.how.reserve if trial.how.epsilon else n)]
        films = _explored(lists[0].films, n, trial.how, rng) if trial.how.epsilon else None
        policy = trial.sources[0]
    first = lists[0]
    return replace(
        first,
        films=first.films if films is None else films,
        policy=policy,
        trial=trial,
        skipped={name: why for found in lists for name, why in found.skipped.items()},
        context={
            **first.context,
            "asked": {**first.context.get("asked", {}), "n": n},
            "trial": _logged(trial, lists, n),
        },
    )


def _logged(trial: Trial, lists: list[RankedList], n: int) -> dict[str, Any]:
    """What a replay and a forecast need beside the rest of the context: see Trial.of_json."""
    how = trial.how
    window = lists[0].films[how.first : min(n, SHUFFLED) + how.reserve] if how.epsilon else ()
    return {
        **trial.to_json(),
        # The films that chance could have shown, in the policy's own order.
        "window": [film.movie_id for film in window],
        "versions": {
            source: found.model_version for source, found in zip(trial.sources, lists, strict=True)
        },
        "left_out": {
            source: sorted(found.skipped)
            for source, found in zip(trial.sources, lists, strict=True)
        },
    }


def _drafted(lists: list[RankedList], n: int, rng: np.random.Generator) -> tuple[RankedFilm, ...]:
    by_team: Mapping[str, dict[int, RankedFilm]] = {
        team: {film.movie_id: film for film in found.films}
        for team, found in zip((A, B), lists, strict=True)
    }
    draft = team_draft(list(by_team[A]), list(by_team[B]), n, rng)
    return tuple(
        # The chance of a draft's places has no short formula: it is not claimed to be 1.
        replace(by_team[team][movie_id], team=team, propensity=None)
        for movie_id, team in zip(draft.items, draft.teams, strict=True)
    )


def _explored(
    films: tuple[RankedFilm, ...], n: int, how: Exploration, rng: np.random.Generator
) -> tuple[RankedFilm, ...]:
    """Chance stays within the first places: of a hundred films most are never looked at."""
    explored = tail_shuffle(len(films), min(n, SHUFFLED), how, rng)
    head = [
        replace(films[place], propensity=chance)
        for place, chance in zip(explored.order, explored.propensity, strict=True)
    ]
    used = set(explored.order)
    behind = [film for place, film in enumerate(films) if place not in used]
    rest = [replace(film, propensity=None) for film in behind[: n - len(head)]]
    return (*head, *rest)
