"""Reading feedback: a person's history for the models, and the state of films for the pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from feedback.models import Rating, Reaction, WatchlistEntry


@dataclass(frozen=True)
class FilmState:
    """What one person did with one film."""

    stars: Decimal | None = None
    is_liked: bool = False
    is_disliked: bool = False
    is_seen: bool = False
    is_not_tonight: bool = False
    is_never: bool = False
    is_watchlisted: bool = False


NOTHING = FilmState()

_FLAG_OF_KIND = {
    Reaction.Kind.LIKE: "is_liked",
    Reaction.Kind.DISLIKE: "is_disliked",
    Reaction.Kind.SEEN: "is_seen",
    Reaction.Kind.NOT_TONIGHT: "is_not_tonight",
    Reaction.Kind.NEVER: "is_never",
}


def film_states(
    *, user: User | AnonymousUser, movie_ids: Iterable[int], now: datetime | None = None
) -> dict[int, FilmState]:
    """State by film id, in three queries; films without any are absent."""
    wanted = list(movie_ids)
    if not wanted or not user.is_authenticated:
        return {}
    now = now or timezone.now()
    states: dict[int, FilmState] = {}

    def note(movie_id: int, **changes: Any) -> None:
        states[movie_id] = replace(states.get(movie_id, NOTHING), **changes)

    mine = {"user_id": user.pk, "movie_id__in": wanted}
    for movie_id, stars in Rating.objects.filter(**mine).values_list("movie_id", "stars"):
        note(movie_id, stars=stars)
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    reactions = Reaction.objects.filter(alive, **mine).values_list("movie_id", "kind")
    for movie_id, kind in reactions:
        note(movie_id, **{_FLAG_OF_KIND[Reaction.Kind(kind)]: True})
    for movie_id in WatchlistEntry.objects.filter(**mine).values_list("movie_id", flat=True):
        note(movie_id, is_watchlisted=True)
    return states


@dataclass(frozen=True)
class HistoryEvent:
    """One thing that tells of taste: stars, or a like or dislike without stars."""

    movie_id: int
    stars: Decimal | None
    kind: str  # "rate", "like" or "dislike"
    at: datetime


@dataclass(frozen=True)
class UserFeedback:
    """All of a person's live feedback that recommending needs, read in two queries.

    ``history`` is oldest first. ``hidden_ids`` are the films that no list may show: rated, liked or
    disliked (they know them), seen, put off for tonight, or refused for ever.
    """

    generation: int
    history: tuple[HistoryEvent, ...] = ()
    hidden_ids: frozenset[int] = field(default_factory=frozenset)


def feedback_of_users(
    users: Iterable[User], *, now: datetime | None = None
) -> dict[int, UserFeedback]:
    """Feedback by user id, in two queries whatever the number of people."""
    now = now or timezone.now()
    people = {user.pk: user for user in users}
    events: dict[int, dict[int, HistoryEvent]] = {pk: {} for pk in people}
    hidden: dict[int, set[int]] = {pk: set() for pk in people}
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    reactions = Reaction.objects.filter(alive, user_id__in=people).values_list(
        "user_id", "movie_id", "kind", "created_at"
    )
    for user_id, movie_id, kind, at in reactions:
        hidden[user_id].add(movie_id)
        if kind in {Reaction.Kind.LIKE, Reaction.Kind.DISLIKE}:
            events[user_id][movie_id] = HistoryEvent(movie_id, None, kind, at)
    ratings = Rating.objects.filter(user_id__in=people).values_list(
        "user_id", "movie_id", "stars", "updated_at"
    )
    for user_id, movie_id, stars, at in ratings:
        hidden[user_id].add(movie_id)
        # Stars say more than a like: they replace it.
        events[user_id][movie_id] = HistoryEvent(movie_id, stars, "rate", at)
    return {
        pk: UserFeedback(
            generation=user.feedback_generation,
            history=tuple(sorted(events[pk].values(), key=lambda e: (e.at, e.movie_id))),
            hidden_ids=frozenset(hidden[pk]),
        )
        for pk, user in people.items()
    }


def feedback_of(user: User | AnonymousUser, *, now: datetime | None = None) -> UserFeedback:
    """One person's feedback; a visitor has none."""
    if not isinstance(user, User):
        return UserFeedback(generation=0)
    return feedback_of_users([user], now=now)[user.pk]
