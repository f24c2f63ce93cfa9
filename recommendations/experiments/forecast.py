"""What another policy would have earned, from lists whose tail was shuffled, before it is shown.

Each logged list is made again as the judged policy would have made it for the person of that moment
(as a replay is), within the window that chance could have shown; what people did with the logged
one, weighed by the propensities, says what it would have earned. See ml.experiments.off_policy.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from feedback.models import Impression, Slate
from feedback.past import PastUnknownError, feedback_at
from ml.experiments.exploration import support
from ml.experiments.off_policy import Logged, OffPolicy, off_policy, reward_table
from recommendations.experiments.outcomes import POSITIVE, ShownList, answers_put
from recommendations.limits import barred_for
from recommendations.pipeline import recommend_many
from recommendations.reranking import ListContext
from recommendations.snapshot import Snapshot
from recommendations.trial import SHUFFLED, Trial

MIN_LISTS = 50
Tell = Callable[[float], None]


class ForecastError(Exception):
    """The log does not allow it; the message says what is missing."""


@dataclass
class Places:
    """The shuffled places of the lists, side by side: one entry per place."""

    reward: list[float] = field(default_factory=list)
    logged: list[float] = field(default_factory=list)
    target: list[float] = field(default_factory=list)
    group: list[int] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    rank_shown: list[int] = field(default_factory=list)
    rank_target: list[int] = field(default_factory=list)
    supported: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Forecast:
    """``value`` in likes per place; ``support`` is the share of the judged policy's films that
    chance could have shown, ``left_out`` why lists could not be used."""

    value: OffPolicy
    n_lists: int
    support: float
    left_out: dict[str, int]


def forecast(
    source: str, snapshot: Snapshot, *, n_lists: int = 2000, tell: Tell | None = None
) -> Forecast:
    """``source`` judged on the latest ``n_lists`` explored lists.

    Raises ForecastError, and UnknownSourceError for a source that is none.
    """
    serving = snapshot.serving(source)
    lists = _explored_lists(n_lists)
    if len(lists) < MIN_LISTS:
        raise ForecastError(
            f"{len(lists)} lists have a shuffled tail, {MIN_LISTS} are needed: run an A/B "
            "experiment with a share of shuffled lists (the same policy twice will do)."
        )
    likes = _likes(lists)
    places, left_out = Places(), Counter[str]()
    for number, slate in enumerate(lists):
        if tell is not None:
            tell(number / len(lists))
        try:
            _add(places, slate, number, source=serving.source, snapshot=snapshot, likes=likes)
        except PastUnknownError as error:
            left_out[str(error)] += 1
    n_used = len(set(places.group))
    if n_used < MIN_LISTS:
        raise ForecastError(f"Of {len(lists)} lists only {n_used} can be made again: {left_out}.")
    return Forecast(_value(places), n_used, float(np.mean(places.supported)), dict(left_out))


def _explored_lists(n: int) -> list[Slate]:
    return list(
        Slate.objects.filter(context__trial__epsilon__gt=0, user__isnull=False)
        .select_related("user")
        .order_by("-created_at")[:n]
    )


def _likes(lists: list[Slate]) -> dict[uuid.UUID, set[int]]:
    """By list: the films of it that its person liked."""
    shown = [ShownList(s.pk, s.user_id or 0, "", False, s.created_at) for s in lists]
    end = datetime.max.replace(tzinfo=lists[0].created_at.tzinfo)
    answers_put(
        shown, Q(request_id__in=[s.pk for s in lists]), ends={s.request_id: end for s in shown}
    )
    return {
        s.request_id: {film for film, word in s.said.items() if word == POSITIVE} for s in shown
    }


def _add(
    places: Places,
    slate: Slate,
    number: int,
    *,
    source: str,
    snapshot: Snapshot,
    likes: dict[uuid.UUID, set[int]],
) -> None:
    """The shuffled places of one list. Raises PastUnknownError."""
    trial, n = Trial.of_json(slate.context["trial"]), slate.context["asked"]["n"]
    n = min(n, SHUFFLED)
    window = slate.context["trial"].get("window") or []
    everything = list(
        Impression.objects.filter(slate=slate, position__lt=n)
        .exclude(propensity=None)
        .order_by("position")
        .values_list("position", "movie_id", "propensity")
    )
    shown = everything[trial.how.first :]
    fixed = [movie_id for _, movie_id, _ in everything[: trial.how.first]]
    if not window or not shown or slate.user is None:
        return
    person = feedback_at(
        slate.user,
        moment=datetime.fromisoformat(slate.context["asked"]["read_at"]),
        generation=slate.context["generation"],
    )
    judged = recommend_many(
        [person],
        snapshot,
        n=len(window) + n,
        source=source,
        barred=[barred_for(slate.user)],
        contexts=[ListContext.of_slate(slate)],
        evidence="none",
    )[0]
    wanted_all = [film.movie_id for film in judged.films]
    rank = {movie_id: place for place, movie_id in enumerate(window)}
    wanted = [movie_id for movie_id in wanted_all if movie_id in rank]
    places.supported.append(support([*fixed, *window], wanted_all[:n]))
    for (position, movie_id, chance), judged_id in zip(shown, wanted, strict=False):
        places.reward.append(float(movie_id in likes[slate.pk]))
        places.logged.append(chance)  # type: ignore[arg-type]  # None is excluded above
        places.target.append(float(movie_id == judged_id))
        places.group.append(number)
        places.at.append(position - trial.how.first)
        places.rank_shown.append(rank[movie_id])
        places.rank_target.append(rank[judged_id])


def _value(places: Places) -> OffPolicy:
    """All estimators; the reward model of each half of the lists learned from the other."""
    group = np.array(places.group)
    at = np.array(places.at)
    shown, target = np.array(places.rank_shown), np.array(places.rank_target)
    reward = np.array(places.reward)
    at_shown, at_target = np.empty(len(group)), np.empty(len(group))
    shape = int(max(shown.max(), target.max())) + 1, int(at.max()) + 1
    for fold in (0, 1):
        mine: NDArray[np.bool_] = group % 2 == fold
        table = reward_table(shown[~mine], at[~mine], reward[~mine], shape=shape)
        at_shown[mine] = table[shown[mine], at[mine]]
        at_target[mine] = table[target[mine], at[mine]]
    return off_policy(
        Logged(reward, np.array(places.logged), np.array(places.target), group),
        predicted_shown=at_shown,
        predicted_target=at_target,
    )
