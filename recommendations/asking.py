"""A list for what somebody asks in so many words: mood, sentence, filters, dials and a recommender.

The three recommenders of old keep their names: ``baseline`` answers the mood or the sentence and
knows nobody's history, ``cf`` ranks by what people with the same films liked, ``auto`` takes the
best there is for what was asked. Any source can be asked for by its own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.selectors import taste_of
from accounts.services import Taste
from catalog import hybrid
from catalog.filters import FilmFilters
from catalog.models import Movie
from catalog.search_request import chips_shown
from catalog.selectors import movies_filtered
from feedback.selectors import UserFeedback, feedback_of
from recommendations.limits import barred_movie_ids
from recommendations.pipeline import POPULAR, popular_films
from recommendations.ranked import RankedList
from recommendations.reranking import context_of
from recommendations.selectors import known_source, recommendations_for
from recommendations.snapshot import current_snapshot
from recommendations.swipe import Deal, searched
from recommendations.tonight import films_fitting, tonight_for
from recommendations.wishes import Wish, read_wish

AUTO, BASELINE, CF = "auto", "baseline", "cf"
CF_SOURCE = "edlae"


@dataclass(frozen=True)
class Question:
    """What is asked for. ``dials`` hold for this list alone, in place of the person's own.

    ``min_rating`` is the mean of everybody's stars that a film must reach.
    """

    n: int
    recommender: str = AUTO
    wish: Wish = field(default_factory=Wish)
    filters: FilmFilters = field(default_factory=FilmFilters)
    min_rating: float | None = None
    dials: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the person decides what may be on the list."""
        return self.filters.is_any or self.min_rating is not None or not self.wish.is_open


def answered(user: User | AnonymousUser, question: Question) -> Deal:
    """The list, and what was understood of the sentence. Fewer than ``n`` films only where what
    was asked for leaves no more. Raises UnknownSourceError."""
    taste = taste_of(user) if isinstance(user, User) else Taste()
    dials: dict[str, Any] = dict(question.dials)
    taste = replace(taste, **dials)
    person = feedback_of(user)
    barred = barred_movie_ids(taste) | _outside(question)
    if question.recommender in (AUTO, BASELINE):
        return _usual(user, question, person, taste=taste, barred=barred)
    wanted = CF_SOURCE if question.recommender == CF else question.recommender
    snapshot = current_snapshot()
    source = known_source(wanted, snapshot)
    understood = Deal(RankedList(films=(), source=source))
    if question.wish.search is not None:
        # All that was found, in whatever order: the source ranks it.
        asked = question.wish.search
        answer = hybrid.search(asked.text, chips=asked.chips, reader=read_wish)
        understood = Deal(understood.ranked, tuple(chips_shown(answer)), answer.reading.text)
        barred |= _all_but(frozenset(film.movie_id for film in answer.found))
    elif question.wish.mood is not None:
        barred |= _all_but(films_fitting(question.wish.answers(), without=barred))
    ranked = recommendations_for(
        user,
        n=question.n,
        source=source,
        feedback=person,
        snapshot=snapshot,
        barred=barred,
        context=context_of(user, taste=taste),
        is_narrowed=question.is_narrowed or bool(question.dials),
    )
    return replace(understood, ranked=replace(ranked, answers=_to_log(question)))


def _usual(
    user: User | AnonymousUser,
    question: Question,
    person: UserFeedback,
    *,
    taste: Taste,
    barred: frozenset[int],
) -> Deal:
    """What answers best: the search a sentence, the quiz's list a mood, else the person's list."""
    gone = barred | person.hidden_ids
    wish, log = question.wish, _to_log(question)
    if wish.search is not None:
        dealt = searched(wish, person, n=question.n, gone=gone)
        return replace(dealt, ranked=replace(dealt.ranked, answers=log))
    is_baseline = question.recommender == BASELINE
    if wish.mood is not None:
        # Nobody's history: as for somebody who is new, without what the person knows already.
        asking = AnonymousUser() if is_baseline else user
        return Deal(tonight_for(asking, wish.answers(), n=question.n, asked=log, without=gone))
    if is_baseline:
        films = tuple(popular_films(n=question.n, without=gone))
        plain = RankedList(films=films, source=POPULAR, generation=person.generation)
        return Deal(replace(plain, n_history=len(person.history), answers=log))
    ranked = recommendations_for(
        user,
        n=question.n,
        feedback=person,
        barred=barred,
        context=context_of(user, taste=taste),
        is_narrowed=question.is_narrowed or bool(question.dials),
    )
    return Deal(replace(ranked, answers=log))


def _outside(question: Question) -> frozenset[int]:
    """Films that the filters rule out; one query, none without filters."""
    if not question.filters.is_any and question.min_rating is None:
        return frozenset()
    fitting = movies_filtered(question.filters)
    if question.min_rating is not None:
        fitting = fitting.filter(rating_mean__gte=question.min_rating)
    inside = fitting.order_by().values("pk")
    outside = Movie.objects.visible().exclude(pk__in=inside)
    return frozenset(outside.values_list("pk", flat=True))


def _all_but(movie_ids: frozenset[int]) -> frozenset[int]:
    others = Movie.objects.visible().exclude(pk__in=movie_ids)
    return frozenset(others.values_list("pk", flat=True))


def _to_log(question: Question) -> dict[str, object]:
    """What the slate remembers of the question."""
    said: dict[str, object] = {"recommender": question.recommender, **question.wish.to_log()}
    if question.filters.is_any:
        said["filters"] = question.filters.as_query()
    if question.min_rating is not None:
        said["min_rating"] = question.min_rating
    if question.dials:
        said["dials"] = dict(question.dials)
    return said
