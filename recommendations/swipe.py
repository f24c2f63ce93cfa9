"""Dealing the swipe deck: the next films for this person, this wish and this very second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from accounts.models import User
from catalog import hybrid
from catalog.cards import ReasonPart
from catalog.hybrid import Answer
from catalog.models import Movie
from catalog.search_request import ShownChip, chips_shown
from feedback.selectors import (
    UserFeedback,
    feedback_of,
    passed_movie_ids,
    watchlisted_movie_ids,
)
from recommendations.limits import barred_for
from recommendations.ranked import RankedFilm, RankedList
from recommendations.selectors import recommendations_for
from recommendations.tonight import tonight_for
from recommendations.wishes import Wish, wish_reason

SURFACE = "swipe"
MAX_CARDS = 50
MAX_HELD = 300
MAX_FIRST = 5
SEARCH = "search"
PUT_BACK = "put_back"


@dataclass(frozen=True)
class Deal:
    """Cards in order, and what was understood of the wish."""

    ranked: RankedList
    chips: tuple[ShownChip, ...] = ()
    text: str = ""


def deal(
    user: User | AnonymousUser,
    wish: Wish,
    *,
    n: int,
    held: Sequence[int] = (),
    first: Sequence[int] = (),
) -> Deal:
    """Up to ``n`` films nobody has to answer twice: fewer only where a wish leaves no more.

    ``held`` are films that the client has in hand or still has to send an answer for; ``first``
    are put on top (a film that was taken back, or the one that an address names).
    """
    person = feedback_of(user)
    barred = barred_for(user)
    answered = person.hidden_ids | watchlisted_movie_ids(user) | passed_movie_ids(user)
    gone = answered | barred | frozenset(held)
    top = _put_first(first, gone=gone)
    gone |= {film.movie_id for film in top}
    wanted = n - len(top)
    if wish.search is not None:
        dealt = _searched(wish, person, n=wanted, gone=gone)
    elif wish.mood is not None:
        ranked = tonight_for(user, wish.answers(), n=wanted, asked=wish.to_log(), without=gone)
        dealt = Deal(ranked)
    else:
        dealt = Deal(recommendations_for(user, n=wanted, feedback=person, barred=barred | gone))
    ranked = dealt.ranked
    return replace(dealt, ranked=replace(ranked, films=(*top, *ranked.films)))


def _searched(wish: Wish, person: UserFeedback, *, n: int, gone: frozenset[int]) -> Deal:
    """What the search finds, in its order. Conditions hold for every film: nothing fills up."""
    if wish.search is None:
        raise ValueError("This wish is no sentence.")
    answer: Answer = hybrid.search(wish.search.text, chips=wish.search.chips)
    reason = wish_reason(answer)
    films = [
        RankedFilm(
            movie_id=found.movie_id,
            source=SEARCH,
            score=found.score,
            reason=reason or (ReasonPart(_("The title that you typed")),),
        )
        for found in answer.found
        if found.movie_id not in gone
    ]
    ranked = RankedList(
        films=tuple(films[:n]),
        source=SEARCH,
        generation=person.generation,
        n_history=len(person.history),
        counts={"found": len(answer.found), "left": len(films)},
        answers=wish.to_log(),
    )
    return Deal(ranked, chips=tuple(chips_shown(answer)), text=answer.reading.text)


def _put_first(movie_ids: Sequence[int], *, gone: frozenset[int]) -> tuple[RankedFilm, ...]:
    """The films that may be shown among these, in their order."""
    wanted = [pk for pk in dict.fromkeys(movie_ids) if pk not in gone][:MAX_FIRST]
    if not wanted:
        return ()
    known = set(Movie.objects.visible().filter(pk__in=wanted).values_list("pk", flat=True))
    reason = (ReasonPart(_("Back on top")),)
    return tuple(
        RankedFilm(movie_id=pk, source=PUT_BACK, reason=reason) for pk in wanted if pk in known
    )
