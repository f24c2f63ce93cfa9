"""Writing feedback: one transaction for the state, the log and the person's generation.

Every service takes an :class:`EventContext`; a repeated ``event_id`` changes nothing, so that a
client may send again whatever it is unsure about.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.models import Movie
from feedback.events import EventConflictError, EventContext, Recorded
from feedback.models import Interaction, QuizSession, Rating, Reaction, WatchlistEntry

NOT_TONIGHT_FOR = timedelta(hours=18)  # gone for this evening, back tomorrow
HALF_STAR = Decimal("0.5")


class FeedbackError(ValueError):
    """The input makes no sense; the message says what would."""


def parse_stars(raw: object) -> Decimal:
    """``raw`` as stars, 0.5 to 5 in halves; FeedbackError otherwise."""
    try:
        stars = Decimal(str(raw))
    except InvalidOperation as error:
        raise FeedbackError(_("Stars must be a number from 0.5 to 5, in halves.")) from error
    if not stars.is_finite() or not HALF_STAR <= stars <= 5 or stars % HALF_STAR:
        raise FeedbackError(_("Stars must be a number from 0.5 to 5, in halves."))
    return stars.quantize(HALF_STAR)


@transaction.atomic
def rating_set(*, user: User, movie: Movie, stars: Decimal, event: EventContext) -> Recorded:
    """Gives ``movie`` its stars, in place of any that it had. ``previous`` is what it had."""
    stars = parse_stars(stars)
    person = _record(user, movie, event, kind=Interaction.Kind.RATE, value=str(stars))
    if person is None:
        return Recorded(is_new=False)
    before = Rating.objects.filter(user=person, movie=movie).values_list("stars", flat=True).first()
    now = timezone.now()
    Rating.objects.update_or_create(
        user=person,
        movie=movie,
        defaults={"stars": stars, "updated_at": now},
        create_defaults={"stars": stars, "created_at": now, "updated_at": now},
    )
    return Recorded(is_new=True, previous="" if before is None else str(before))


@transaction.atomic
def rating_clear(*, user: User, movie: Movie, event: EventContext) -> Recorded:
    """Takes the stars back."""
    person = _record(user, movie, event, kind=Interaction.Kind.UNRATE)
    if person is None:
        return Recorded(is_new=False)
    before = Rating.objects.filter(user=person, movie=movie).values_list("stars", flat=True).first()
    Rating.objects.filter(user=person, movie=movie).delete()
    return Recorded(is_new=True, previous="" if before is None else str(before))


@transaction.atomic
def reaction_set(*, user: User, movie: Movie, kind: Reaction.Kind, event: EventContext) -> Recorded:
    """Puts a verb on a film. Like and dislike replace each other; "not tonight" ends by itself."""
    person = _record(user, movie, event, kind=Interaction.Kind.REACT, value=kind.value)
    if person is None:
        return Recorded(is_new=False)
    now = timezone.now()
    opposite = {
        Reaction.Kind.LIKE: Reaction.Kind.DISLIKE,
        Reaction.Kind.DISLIKE: Reaction.Kind.LIKE,
    }.get(kind)
    previous = ""
    if opposite:
        removed, _by_model = Reaction.objects.filter(
            user=person, movie=movie, kind=opposite
        ).delete()
        previous = opposite.value if removed else ""
    expires_at = now + NOT_TONIGHT_FOR if kind is Reaction.Kind.NOT_TONIGHT else None
    Reaction.objects.update_or_create(
        user=person,
        movie=movie,
        kind=kind,
        defaults={"created_at": now, "expires_at": expires_at},
    )
    return Recorded(is_new=True, previous=previous)


@transaction.atomic
def reaction_clear(
    *, user: User, movie: Movie, kind: Reaction.Kind, event: EventContext
) -> Recorded:
    """Takes a verb back."""
    person = _record(user, movie, event, kind=Interaction.Kind.UNREACT, value=kind.value)
    if person is None:
        return Recorded(is_new=False)
    removed = Reaction.objects.filter(user=person, movie=movie, kind=kind).delete()[0]
    return Recorded(is_new=True, previous=kind.value if removed else "")


@transaction.atomic
def film_put_back(*, user: User, movie: Movie, event: EventContext) -> bool:
    """Takes back whatever hides a film by the person's own wish; whether anything did."""
    held = Reaction.objects.filter(user=locked(user), movie=movie)
    hiding = (Reaction.Kind.NEVER, Reaction.Kind.NOT_TONIGHT, Reaction.Kind.DISLIKE)
    kinds = list(held.filter(kind__in=hiding).values_list("kind", flat=True))
    for kind in kinds:
        own = replace(event, event_id=uuid.uuid4())
        reaction_clear(user=user, movie=movie, kind=Reaction.Kind(kind), event=own)
    return bool(kinds)


@transaction.atomic
def watchlist_set(*, user: User, movie: Movie, is_on: bool, event: EventContext) -> Recorded:
    """Puts a film on the watchlist or takes it off."""
    kind = Interaction.Kind.WATCHLIST if is_on else Interaction.Kind.UNWATCHLIST
    person = _record(user, movie, event, kind=kind)
    if person is None:
        return Recorded(is_new=False)
    if is_on:
        WatchlistEntry.objects.get_or_create(user=person, movie=movie)
    else:
        WatchlistEntry.objects.filter(user=person, movie=movie).delete()
    return Recorded(is_new=True)


@transaction.atomic
def film_passed(*, user: User, movie: Movie, is_on: bool, event: EventContext) -> Recorded:
    """Somebody has not seen a film and has no opinion, or takes that back.

    Only the log knows: what was never seen may be the very film to recommend.
    """
    kind = Interaction.Kind.PASS if is_on else Interaction.Kind.UNPASS
    return Recorded(is_new=_record(user, movie, event, kind=kind) is not None)


@transaction.atomic
def quiz_answered(*, user: User, answers: Mapping[str, object]) -> QuizSession:
    """Keeps one run through the quiz; the latest one counts.

    It is no feedback on a film: neither the log nor the person's generation moves.
    """
    return QuizSession.objects.create(user=locked(user), answers=dict(answers))


def locked(user: User) -> User:
    """The row to write to, taken until the transaction ends.

    It queues the events of one person, so that two of them can never interleave between reading
    the old state and writing the new. A visitor who became an account while the request was under
    way is that account.
    """
    row = User.objects.select_for_update().only("pk", "merged_into_id").get(pk=user.pk)
    if row.merged_into_id is None:
        return user
    return User.objects.select_for_update().get(pk=row.merged_into_id)


def _record(
    user: User, movie: Movie, event: EventContext, *, kind: Interaction.Kind, value: str = ""
) -> User | None:
    """Appends to the log, bumps the person's generation, and says whose state to write.

    None for a repeated event: nothing is left to do.
    """
    person = locked(user)
    interaction, is_new = Interaction.objects.get_or_create(
        event_id=event.event_id,
        defaults={
            "user": person,
            "movie": movie,
            "kind": kind,
            "value": value,
            "surface": event.surface,
            "request_id": event.request_id,
            "position": event.position,
        },
    )
    if not is_new:
        same = (interaction.user_id, interaction.movie_id, interaction.kind, interaction.value)
        if same != (person.pk, movie.pk, kind, value):
            raise EventConflictError(_("This event id was already used for another event."))
        return None
    User.objects.filter(pk=person.pk).update(feedback_generation=F("feedback_generation") + 1)
    return person
