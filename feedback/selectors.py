"""Reading feedback: a person's history for the models, and the state of films for the pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.prepared import prepared_cursor
from feedback.models import Interaction, QuizSession, Rating, Reaction, WatchlistEntry

# A film passed over is not asked about again for so long: by then it may have been seen.
PASS_RESTS_FOR = timedelta(days=14)
# Somebody who takes back and answers again leaves three events for one film.
_EVENTS_PER_ANSWER = 4
_VERB_OF_KIND = {
    Interaction.Kind.WATCHLIST.value: "watchlist",
    Interaction.Kind.PASS.value: "not_seen",
}


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
    is_muted: bool = False


NOTHING = FilmState()

_FLAG_OF_KIND = {
    Reaction.Kind.LIKE: "is_liked",
    Reaction.Kind.DISLIKE: "is_disliked",
    Reaction.Kind.SEEN: "is_seen",
    Reaction.Kind.NOT_TONIGHT: "is_not_tonight",
    Reaction.Kind.NEVER: "is_never",
    Reaction.Kind.MUTED: "is_muted",
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


class HistoryEvent(NamedTuple):
    """One thing that tells of taste: stars, or a like or dislike without stars."""

    movie_id: int
    stars: Decimal | None
    kind: str  # "rate", "like" or "dislike"
    at: datetime


@dataclass(frozen=True)
class UserFeedback:
    """All of a person's live feedback that recommending needs, read in one query.

    ``history`` is oldest first, without the films that no list may learn from (``muted_ids``).
    ``hidden_ids`` are the films that no list may show: rated, liked or disliked (they know them),
    seen, put off for tonight, or refused for ever.
    """

    generation: int
    history: tuple[HistoryEvent, ...] = ()
    hidden_ids: frozenset[int] = field(default_factory=frozenset)
    muted_ids: frozenset[int] = field(default_factory=frozenset)
    # When it was read: later events are not in it. None for a visitor without any.
    read_at: datetime | None = None

    def without(self, movie_id: int) -> UserFeedback:
        """As if no list learned from ``movie_id``; it stays hidden, for it is still known."""
        return replace(
            self,
            history=tuple(e for e in self.history if e.movie_id != movie_id),
            muted_ids=self.muted_ids | {movie_id},
        )


# Times as numbers, exact to the microsecond: Django's reading of their text took longer than
# everything else about a row.
_FEEDBACK_SQL = """
    SELECT user_id, movie_id, kind, NULL AS stars, EXTRACT(EPOCH FROM created_at)::float8
    FROM feedback_reaction
    WHERE user_id {whose} AND (expires_at IS NULL OR expires_at > %(now)s)
    UNION ALL
    SELECT user_id, movie_id, 'rate', stars, EXTRACT(EPOCH FROM updated_at)::float8
    FROM feedback_rating WHERE user_id {whose}
"""
# Of an array Postgres thinks that it holds ten people, and plans anew for each that holds one.
_OF_ONE_SQL = _FEEDBACK_SQL.format(whose="= %(person)s")
_OF_MANY_SQL = _FEEDBACK_SQL.format(whose="= ANY(%(people)s)")
_RATE = "rate"
_MUTED = Reaction.Kind.MUTED.value
_TELLING = frozenset({Reaction.Kind.LIKE.value, Reaction.Kind.DISLIKE.value})


def feedback_of_users(
    users: Iterable[User], *, now: datetime | None = None
) -> dict[int, UserFeedback]:
    """Feedback by user id, in one query whatever the number of people."""
    now = now or timezone.now()
    people = {user.pk: user for user in users}
    events: dict[int, dict[int, HistoryEvent]] = {pk: {} for pk in people}
    hidden: dict[int, set[int]] = {pk: set() for pk in people}
    muted: dict[int, set[int]] = {pk: set() for pk in people}
    with prepared_cursor() as cursor:
        if len(people) == 1:
            cursor.execute(_OF_ONE_SQL, {"person": next(iter(people)), "now": now})
        else:
            cursor.execute(_OF_MANY_SQL, {"people": list(people), "now": now})
        rows = cursor.fetchall()
    for user_id, movie_id, kind, stars, at in rows:
        if kind == _MUTED:
            muted[user_id].add(movie_id)
            continue  # what it mutes hides the film
        hidden[user_id].add(movie_id)
        # Stars say more than a like: they replace it, whichever comes first.
        if kind == _RATE or (kind in _TELLING and movie_id not in events[user_id]):
            when = datetime.fromtimestamp(at, UTC)
            events[user_id][movie_id] = HistoryEvent(movie_id, stars, kind, when)
    return {
        pk: UserFeedback(
            generation=user.feedback_generation,
            history=tuple(
                sorted(
                    (e for e in events[pk].values() if e.movie_id not in muted[pk]),
                    key=attrgetter("at", "movie_id"),
                )
            ),
            hidden_ids=frozenset(hidden[pk]),
            muted_ids=frozenset(muted[pk]),
            read_at=now,
        )
        for pk, user in people.items()
    }


def feedback_of(user: User | AnonymousUser, *, now: datetime | None = None) -> UserFeedback:
    """One person's feedback; a visitor has none."""
    if not isinstance(user, User):
        return UserFeedback(generation=0)
    return feedback_of_users([user], now=now)[user.pk]


@dataclass(frozen=True)
class LastAnswer:
    """The last thing that a person did with a film. ``verb`` as :class:`feedback.batch.Verb`."""

    movie_id: int
    title: str
    verb: str
    at: datetime


def passed_movie_ids(user: User | AnonymousUser, *, now: datetime | None = None) -> frozenset[int]:
    """Films that somebody passed over lately, not having seen them, and did not take back."""
    if not isinstance(user, User):
        return frozenset()
    since = (now or timezone.now()) - PASS_RESTS_FOR
    rows = (
        Interaction.objects.filter(
            user=user,
            kind__in=[Interaction.Kind.PASS, Interaction.Kind.UNPASS],
            created_at__gt=since,
        )
        .order_by("created_at", "pk")
        .values_list("movie_id", "kind")
    )
    return frozenset(pk for pk, kind in dict(rows).items() if kind == Interaction.Kind.PASS)


def watchlisted_movie_ids(user: User | AnonymousUser) -> frozenset[int]:
    """Films that somebody means to watch."""
    if not isinstance(user, User):
        return frozenset()
    return frozenset(WatchlistEntry.objects.filter(user=user).values_list("movie_id", flat=True))


def last_answers(user: User | AnonymousUser, *, surface: str, n: int) -> list[LastAnswer]:
    """The latest ``n`` films whose last event came from ``surface`` and still holds; one query.

    Newest first: what an undo button takes back, also after the page was loaded anew.
    """
    if not isinstance(user, User):
        return []
    rows = (
        Interaction.objects.filter(user=user, movie__is_hidden=False)
        .exclude(kind=Interaction.Kind.OPEN)
        .order_by("-created_at", "-pk")
        .values_list("movie_id", "movie__title", "kind", "value", "surface", "created_at")
    )
    answers: list[LastAnswer] = []
    known: set[int] = set()
    for movie_id, title, kind, value, came_from, at in rows[: n * _EVENTS_PER_ANSWER]:
        if movie_id in known:
            continue
        known.add(movie_id)
        verb = _VERB_OF_KIND.get(kind, value if kind == Interaction.Kind.REACT else "")
        if verb and came_from == surface:
            answers.append(LastAnswer(movie_id, title, verb, at))
    return answers[:n]


def quiz_answers_of(user: User | AnonymousUser) -> dict[str, Any] | None:
    """What somebody answered the last time that they took the quiz; None if they never did."""
    if not isinstance(user, User):
        return None
    latest = QuizSession.objects.filter(user=user).order_by("-created_at", "-pk")
    return latest.values_list("answers", flat=True).first()
