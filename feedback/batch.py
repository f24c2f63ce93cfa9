"""Many events at once: what a client kept while it was offline, or one swipe.

Every event stands for itself: a refused one leaves the others as they are. Events are applied in
the order in which they come, so that an answer and its undo end where the person left them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.utils.translation import gettext as _

from accounts.models import User
from catalog.models import Movie
from feedback import services
from feedback.events import EventConflictError, EventContext, Recorded
from feedback.models import Reaction

MAX_EVENTS = 200


class Verb(StrEnum):
    """What can be said of a film. All but ``rate`` can be taken back by the same verb, off."""

    RATE = "rate"
    LIKE = "like"
    DISLIKE = "dislike"
    SEEN = "seen"
    NOT_TONIGHT = "not_tonight"
    NEVER = "never"
    WATCHLIST = "watchlist"
    NOT_SEEN = "not_seen"


class Status(StrEnum):
    """What became of an event. ``repeated``: it had been recorded before; nothing changed."""

    RECORDED = "recorded"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True)
class FeedbackItem:
    """One event. ``stars`` belongs to ``rate``: None takes the stars back."""

    movie_id: int
    verb: Verb
    event: EventContext
    is_on: bool = True
    stars: Decimal | None = None


@dataclass(frozen=True)
class Outcome:
    """``code`` and ``message`` say why an event was refused; both are empty otherwise."""

    event_id: uuid.UUID | None
    status: Status
    code: str = ""
    message: str = ""
    previous: str = ""


def feedback_apply(*, user: User, items: Sequence[FeedbackItem]) -> list[Outcome]:
    """One outcome per item, in order; each item is a transaction of its own."""
    movies = Movie.objects.visible().in_bulk([item.movie_id for item in items])
    return [_outcome(user, movies.get(item.movie_id), item) for item in items]


def _outcome(user: User, movie: Movie | None, item: FeedbackItem) -> Outcome:
    event_id = item.event.event_id
    if movie is None:
        return Outcome(event_id, Status.REFUSED, "not_found", _("There is no such film."))
    try:
        done = _apply(user, movie, item)
    except services.FeedbackError as error:
        return Outcome(event_id, Status.REFUSED, "invalid", str(error))
    except EventConflictError as error:
        return Outcome(event_id, Status.REFUSED, "conflict", str(error))
    status = Status.RECORDED if done.is_new else Status.REPEATED
    return Outcome(event_id, status, previous=done.previous)


def _apply(user: User, movie: Movie, item: FeedbackItem) -> Recorded:
    if item.verb is Verb.RATE:
        if item.stars is None or not item.is_on:
            return services.rating_clear(user=user, movie=movie, event=item.event)
        return services.rating_set(user=user, movie=movie, stars=item.stars, event=item.event)
    if item.verb is Verb.WATCHLIST:
        return services.watchlist_set(user=user, movie=movie, is_on=item.is_on, event=item.event)
    if item.verb is Verb.NOT_SEEN:
        return services.film_passed(user=user, movie=movie, is_on=item.is_on, event=item.event)
    act = services.reaction_set if item.is_on else services.reaction_clear
    return act(user=user, movie=movie, kind=Reaction.Kind(item.verb.value), event=item.event)
