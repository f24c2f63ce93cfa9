"""What people did with the lists of an experiment, from the raw log alone.

An answer belongs to a list where it names its request id, comes from the person who was shown it,
and came within the experiment's window. The last word on a film counts: a like that was taken back
is none. Nothing that happened after ``upto`` is looked at, so that an earlier reading can be made
again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from feedback.models import Impression, Interaction, Slate
from ml.experiments.interleaving import A, B, preference
from recommendations.experiments.models import Assignment, Experiment, Exposure

Kind = Interaction.Kind
LIKED_STARS, DISLIKED_STARS = 4.0, 2.0
POSITIVE, NEGATIVE = 1, -1
BEFORE = timedelta(days=28)  # what is known of a person from before: for CUPED
CHUNK = 5_000


@dataclass
class ShownList:
    """One list and, by film, the last word of its person on it: 1 yes, -1 no, 0 neither."""

    request_id: uuid.UUID
    user_id: int
    arm: str
    is_filled: bool
    shown_at: datetime
    said: dict[int, int] = field(default_factory=dict)

    def count(self, what: int) -> int:
        """Films of which that was said."""
        return sum(word == what for word in self.said.values())


def word_of(kind: str, value: str) -> int | None:
    """What an event says of its film; None for one that says nothing either way."""
    if kind == Kind.RATE:
        stars = float(value)
        return POSITIVE if stars >= LIKED_STARS else NEGATIVE if stars <= DISLIKED_STARS else 0
    if kind == Kind.REACT:
        return {"like": POSITIVE, "dislike": NEGATIVE, "never": NEGATIVE}.get(value)
    if kind == Kind.WATCHLIST:
        return POSITIVE
    if kind in (Kind.UNRATE, Kind.UNREACT, Kind.UNWATCHLIST):
        return 0
    return None


def lists_shown(experiment: Experiment, *, upto: datetime) -> list[ShownList]:
    """All lists in the order in which they were shown, without answers yet."""
    rows = (
        Exposure.objects.filter(experiment=experiment, shown_at__lte=upto)
        .order_by("shown_at", "pk")
        .values_list("request_id", "user_id", "arm", "is_filled", "shown_at")
    )
    return [ShownList(*row) for row in rows.iterator(chunk_size=CHUNK)]


def answers_put(
    lists: Iterable[ShownList], requests: Q, *, ends: dict[uuid.UUID, datetime]
) -> None:
    """Puts the events on ``requests`` into their lists, oldest first."""
    by_id = {shown.request_id: shown for shown in lists}
    events = (
        Interaction.objects.filter(requests)
        .order_by("created_at", "pk")
        .values_list("request_id", "user_id", "movie_id", "kind", "value", "created_at")
    )
    for request_id, user_id, movie_id, kind, value, at in events.iterator(chunk_size=CHUNK):
        shown = by_id.get(request_id) if request_id is not None else None
        # Any client can name any list: only its own person's word counts.
        if shown is None or shown.user_id != user_id or at > ends[shown.request_id]:
            continue
        word = word_of(kind, value)
        if word is not None:
            shown.said[movie_id] = word


@dataclass(frozen=True)
class Split:
    """People whose window is over, in the order in which it ended; arrays of one row a person.

    ``arm`` 0 is A and 1 B; ``likes``, ``noes`` and ``filled`` are per list; ``before`` is likes per
    list of the four weeks before (0 for who was shown none).
    """

    arm: NDArray[np.int64]
    likes: NDArray[np.float64]
    noes: NDArray[np.float64]
    filled: NDArray[np.float64]
    before: NDArray[np.float64]
    n_lists: int
    n_waiting: int


def split_outcomes(experiment: Experiment, *, upto: datetime) -> Split:
    """What everybody did in their own window since their first list."""
    window = timedelta(hours=experiment.window_hours)
    lists = lists_shown(experiment, upto=upto)
    first: dict[int, datetime] = {}
    for shown in lists:
        first.setdefault(shown.user_id, shown.shown_at)
    ended = {user_id for user_id, at in first.items() if at + window <= upto}
    counted = [
        shown
        for shown in lists
        if shown.user_id in ended and shown.shown_at <= first[shown.user_id] + window
    ]
    requests = Q(
        request_id__in=Exposure.objects.filter(experiment=experiment).values("request_id"),
        created_at__lte=upto,
    )
    ends = {shown.request_id: first[shown.user_id] + window for shown in counted}
    answers_put(counted, requests, ends=ends)
    before = likes_before(first, experiment)
    by_person: dict[int, list[ShownList]] = {}
    for shown in counted:  # in the order of first lists, which is that of the windows' ends
        by_person.setdefault(shown.user_id, []).append(shown)
    people = list(by_person.items())
    return Split(
        arm=np.array([of[0].arm == Assignment.Arm.B for _, of in people], dtype=np.int64),
        likes=_mean_of(people, lambda shown: shown.count(POSITIVE)),
        noes=_mean_of(people, lambda shown: shown.count(NEGATIVE)),
        filled=_mean_of(people, lambda shown: shown.is_filled),
        before=np.array([before.get(user_id, 0.0) for user_id, _ in people]),
        n_lists=len(counted),
        n_waiting=len(first) - len(people),
    )


def _mean_of(
    people: list[tuple[int, list[ShownList]]], what: Callable[[ShownList], float]
) -> NDArray[np.float64]:
    return np.array([sum(map(what, of)) / len(of) for _, of in people], dtype=np.float64)


def likes_before(people: Iterable[int], experiment: Experiment) -> dict[int, float]:
    """Likes per list in the four weeks before the experiment began, by person."""
    start = experiment.started_at
    if start is None:
        return {}
    slates = Slate.objects.filter(
        user_id__in=list(people), created_at__gte=start - BEFORE, created_at__lt=start
    )
    lists = [
        ShownList(request_id, user_id, "", False, at)
        for request_id, user_id, at in slates.values_list("request_id", "user_id", "created_at")
    ]
    requests = Q(request_id__in=slates.values("request_id"), created_at__lt=start)
    answers_put(lists, requests, ends={shown.request_id: start for shown in lists})
    sums: dict[int, list[int]] = {}
    for shown in lists:
        sums.setdefault(shown.user_id, []).append(shown.count(POSITIVE))
    return {user_id: sum(likes) / len(likes) for user_id, likes in sums.items()}


@dataclass(frozen=True)
class Drafts:
    """Lists whose window is over, in the order in which they were shown; one row a list.

    ``likes`` and ``noes`` are preferences for B from -1 to 1, ``likes_a`` and so on counts of
    films; ``n_first_a`` and ``n_first_b`` count whose film came first, which a fair coin decides.
    """

    likes: NDArray[np.float64]
    noes: NDArray[np.float64]
    likes_a: int
    likes_b: int
    n_first_a: int
    n_first_b: int
    n_people: int
    n_waiting: int


def draft_outcomes(experiment: Experiment, *, upto: datetime) -> Drafts:
    """Whose films were liked, list by list."""
    window = timedelta(hours=experiment.window_hours)
    lists = lists_shown(experiment, upto=upto)
    counted = [shown for shown in lists if shown.shown_at + window <= upto]
    of_experiment = Exposure.objects.filter(experiment=experiment).values("request_id")
    requests = Q(request_id__in=of_experiment, created_at__lte=upto)
    answers_put(
        counted, requests, ends={shown.request_id: shown.shown_at + window for shown in counted}
    )
    teams: dict[uuid.UUID, dict[int, str]] = {shown.request_id: {} for shown in counted}
    firsts = {A: 0, B: 0}
    rows = Impression.objects.filter(slate_id__in=of_experiment).exclude(team="")
    for request_id, movie_id, position, team in rows.values_list(
        "slate_id", "movie_id", "position", "team"
    ).iterator(chunk_size=CHUNK):
        if request_id in teams:
            teams[request_id][movie_id] = team
            firsts[team] += position == 0
    credit = [
        [_credit(shown, teams[shown.request_id], what) for shown in counted]
        for what in (POSITIVE, NEGATIVE)
    ]
    likes, noes = credit
    return Drafts(
        likes=np.array([preference(*pair) for pair in likes], dtype=np.float64),
        noes=np.array([preference(*pair) for pair in noes], dtype=np.float64),
        likes_a=sum(a for a, _ in likes),
        likes_b=sum(b for _, b in likes),
        n_first_a=firsts[A],
        n_first_b=firsts[B],
        n_people=len({shown.user_id for shown in counted}),
        n_waiting=len(lists) - len(counted),
    )


def _credit(shown: ShownList, teams: dict[int, str], what: int) -> tuple[int, int]:
    """Films of A and of B of which ``what`` was said."""
    mine = [teams.get(movie_id) for movie_id, word in shown.said.items() if word == what]
    return mine.count(A), mine.count(B)
