"""Dealing the swipe deck: the next films for this person, this wish and this very second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from accounts.models import User
from catalog import hybrid
from catalog.cards import ReasonPart
from catalog.conditions import films_meeting
from catalog.hybrid import Answer
from catalog.intent import Kind
from catalog.models import Movie
from catalog.search_request import ShownChip, chips_shown
from catalog.selectors import audience_is_simulated
from feedback.selectors import (
    UserFeedback,
    feedback_of,
    passed_movie_ids,
    watchlisted_movie_ids,
)
from recommendations.home import similar_by_behaviour
from recommendations.limits import barred_for
from recommendations.ranked import RankedFilm, RankedList
from recommendations.selectors import recommendations_for
from recommendations.snapshot import current_snapshot
from recommendations.tonight import tonight_for
from recommendations.wishes import Wish, read_wish, wish_reason

SURFACE = "swipe"
MAX_CARDS = 50
MAX_HELD = 300
MAX_FIRST = 5
SEARCH = "search"
PUT_BACK = "put_back"
NEIGHBOURS = 200
RANK_OFFSET = 20  # of the reciprocal ranks: the first of one list outweighs the twentieth of both


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
    if wish.search is not None:
        dealt = searched(wish, person, n=n, gone=gone)
    elif wish.mood is not None:
        ranked = tonight_for(user, wish.answers(), n=n, asked=wish.to_log(), without=gone)
        dealt = Deal(ranked)
    else:
        dealt = Deal(recommendations_for(user, n=n, feedback=person, barred=barred | gone))
    films = _put_on_top(dealt.ranked.films, [pk for pk in first if pk not in gone])
    return replace(dealt, ranked=replace(dealt.ranked, films=films[:n]))


def _put_on_top(films: tuple[RankedFilm, ...], movie_ids: Sequence[int]) -> tuple[RankedFilm, ...]:
    """These films first: with their own reason where they were dealt anyway."""
    wanted = list(dict.fromkeys(movie_ids))[:MAX_FIRST]
    dealt = {film.movie_id: film for film in films}
    missing = [pk for pk in wanted if pk not in dealt]
    if missing:
        visible = Movie.objects.visible().filter(pk__in=missing).values_list("pk", flat=True)
        reason = (ReasonPart(_("Back on top")),)
        dealt |= {pk: RankedFilm(movie_id=pk, source=PUT_BACK, reason=reason) for pk in visible}
    top = tuple(dealt[pk] for pk in wanted if pk in dealt)
    return (*top, *(film for film in films if film.movie_id not in wanted))


def searched(wish: Wish, person: UserFeedback, *, n: int, gone: frozenset[int]) -> Deal:
    """What the search finds for a wish in words, in its order.

    Conditions hold for every film: nothing fills up.
    """
    if wish.search is None:
        raise ValueError("This wish is no sentence.")
    answer = hybrid.search(wish.search.text, chips=wish.search.chips, reader=read_wish)
    reason = wish_reason(answer) or (ReasonPart(_("The title that you typed")),)
    films = [
        RankedFilm(movie_id=movie_id, source=SEARCH, score=score, reason=reason)
        for movie_id, score in _in_order(answer)
        if movie_id not in gone
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


def _in_order(answer: Answer) -> list[tuple[int, float]]:
    """(film, score), best first. "Like Heat" also means: liked by the people who like Heat.

    The two orders are fused by rank; what the people like keeps to the conditions, too. An invented
    audience is asked only where the search knows nothing, which is before texts are embedded.
    """
    liked = [int(chip.value) for chip in answer.reading.chips if chip.kind is Kind.LIKE]
    is_asked = liked and not (answer.found and audience_is_simulated())
    snapshot = current_snapshot() if is_asked else None
    if snapshot is None:
        return [(film.movie_id, film.score) for film in answer.found]
    orders = [[film.movie_id for film in answer.found]]
    for movie_id in liked:
        near = similar_by_behaviour(movie_id, snapshot, n=NEIGHBOURS)
        orders.append([film.movie_id for film in near])
    wanted = {pk for order in orders[1:] for pk in order} - set(liked)
    allowed = set(
        films_meeting(answer.reading.chips).filter(pk__in=wanted).values_list("pk", flat=True)
    ) | set(orders[0])
    scores: dict[int, float] = {}
    for order in orders:
        for place, movie_id in enumerate(pk for pk in order if pk in allowed):
            scores[movie_id] = scores.get(movie_id, 0.0) + 1.0 / (RANK_OFFSET + place)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
