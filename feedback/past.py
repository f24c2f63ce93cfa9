"""A person's feedback as it was at an earlier moment, from the log.

The state tables hold what is true now; the log of interactions holds how it came about. Films that
the log knows are taken from the log up to the moment; films that it does not know (ratings loaded
in bulk) are taken from the tables, if they were there already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from feedback.models import Interaction, Rating, Reaction
from feedback.selectors import HistoryEvent, UserFeedback
from feedback.services import NOT_TONIGHT_FOR

Kind = Interaction.Kind
STATE_KINDS = (Kind.RATE, Kind.UNRATE, Kind.REACT, Kind.UNREACT)
_OPPOSITE = {
    Reaction.Kind.LIKE: Reaction.Kind.DISLIKE,
    Reaction.Kind.DISLIKE: Reaction.Kind.LIKE,
}


class PastUnknownError(Exception):
    """The log does not tell what the state was; the message says what is missing."""


@dataclass
class _Film:
    """What somebody had done with one film: stars with their time, reactions with theirs."""

    stars: tuple[Decimal, datetime] | None = None
    reactions: dict[str, datetime] = field(default_factory=dict)

    def apply(self, kind: str, value: str, at: datetime) -> None:
        """One event of the log."""
        if kind == Kind.RATE:
            self.stars = (Decimal(value), at)
        elif kind == Kind.UNRATE:
            self.stars = None
        elif kind == Kind.REACT:
            opposite = _OPPOSITE.get(Reaction.Kind(value))
            if opposite is not None:
                self.reactions.pop(opposite, None)
            self.reactions[value] = at
        else:
            self.reactions.pop(value, None)


def feedback_at(user: User, *, moment: datetime, generation: int) -> UserFeedback:
    """What ``feedback_of(user)`` gave at ``moment``, in three queries.

    ``generation`` is what it was numbered then. Raises PastUnknownError where rows changed that the
    log does not explain.
    """
    log = list(
        Interaction.objects.filter(user=user, kind__in=STATE_KINDS)
        .order_by("pk")
        .values_list("movie_id", "kind", "value", "created_at")
    )
    films: dict[int, _Film] = {}
    now: dict[int, _Film] = {}
    for movie_id, kind, value, at in log:
        now.setdefault(movie_id, _Film()).apply(kind, value, at)
        then = films.setdefault(movie_id, _Film())
        if at <= moment:
            then.apply(kind, value, at)
    _take_in_tables(user, films, now, moment=moment)
    return _feedback(films, moment=moment, generation=generation)


def _take_in_tables(
    user: User, films: dict[int, _Film], now: dict[int, _Film], *, moment: datetime
) -> None:
    """Adds to ``films`` what the log does not know; rows that stand since keep their own times."""
    rated: dict[int, Decimal] = {}
    ratings = Rating.objects.filter(user=user).values_list(
        "movie_id", "stars", "created_at", "updated_at"
    )
    for movie_id, stars, created_at, updated_at in ratings:
        rated[movie_id] = stars
        if movie_id not in now or now[movie_id].stars is None:
            # Not by the log: a row of its own, which must not have been written over since.
            if movie_id in now:
                raise PastUnknownError(f"the rating of film {movie_id} is not in the log")
            if created_at <= moment < updated_at:
                raise PastUnknownError(f"film {movie_id} was rated anew without a log entry")
            if updated_at <= moment:
                films.setdefault(movie_id, _Film()).stars = (stars, updated_at)
            continue
        logged_stars, logged_at = now[movie_id].stars or (None, moment)
        if logged_stars != stars:
            raise PastUnknownError(f"the stars of film {movie_id} are not those of the log")
        then = films[movie_id]
        if then.stars is not None and then.stars[1] == logged_at:
            then.stars = (stars, updated_at)  # still standing: the row's own time, to the digit
    gone = [pk for pk, film in now.items() if film.stars is not None and pk not in rated]
    if gone:
        raise PastUnknownError(f"the rating of film {gone[0]} is gone without a log entry")
    reactions = Reaction.objects.filter(user=user).values_list("movie_id", "kind", "created_at")
    for movie_id, kind, created_at in reactions:
        if kind not in now.get(movie_id, _Film()).reactions and created_at <= moment:
            films.setdefault(movie_id, _Film()).reactions[kind] = created_at


def _feedback(films: dict[int, _Film], *, moment: datetime, generation: int) -> UserFeedback:
    hidden: set[int] = set()
    muted: set[int] = set()
    events: list[HistoryEvent] = []
    for movie_id, film in films.items():
        alive = set(_alive(film.reactions.items(), moment))
        if Reaction.Kind.MUTED in alive:
            muted.add(movie_id)
        if alive - {Reaction.Kind.MUTED} or film.stars:
            hidden.add(movie_id)
        if film.stars:
            events.append(HistoryEvent(movie_id, film.stars[0], "rate", film.stars[1]))
            continue
        for kind in (Reaction.Kind.LIKE, Reaction.Kind.DISLIKE):
            if kind in alive:
                events.append(HistoryEvent(movie_id, None, kind.value, film.reactions[kind]))
    history = sorted(
        (event for event in events if event.movie_id not in muted),
        key=lambda event: (event.at, event.movie_id),
    )
    return UserFeedback(
        generation=generation,
        history=tuple(history),
        hidden_ids=frozenset(hidden),
        muted_ids=frozenset(muted),
        read_at=moment,
    )


def _alive(reactions: Iterable[tuple[str, datetime]], moment: datetime) -> Iterable[str]:
    """Those that had not ended by themselves."""
    for kind, at in reactions:
        if kind != Reaction.Kind.NOT_TONIGHT or at + NOT_TONIGHT_FOR > moment:
            yield kind
