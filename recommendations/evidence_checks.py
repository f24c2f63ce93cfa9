"""Proofs on live data that what Marquee says of its lists is true.

Each check goes through the same functions as pages and API, counts what it looked at, and holds
it against a second computation that does not use the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from django.db import transaction

from accounts.models import User
from catalog.models import Movie
from feedback import services
from feedback.events import EventContext
from feedback.models import Rating, Reaction
from feedback.selectors import UserFeedback, feedback_of
from recommendations.counterfactuals import FIRST, sole_cause_ids
from recommendations.limits import barred_for
from recommendations.pipeline import DEFAULT_SOURCE, recommend_many
from recommendations.ranked import RankedList
from recommendations.reranking import ListContext, context_of
from recommendations.selectors import recommendations_for
from recommendations.snapshot import Snapshot, current_snapshot

TOLERANCE = 1e-6
CARDS = 24  # what a page shows
FILMS_PER_PERSON = 5  # whose counterfactuals are tried
SEED = 7


class NothingToCheckError(Exception):
    """No model, or nobody with a history: a check of nothing must not pass."""


@dataclass
class Report:
    """``n_checked`` statements about ``n_people`` people; ``wrong`` says which were false."""

    n_people: int = 0
    n_checked: int = 0
    # The largest deviation seen, where the check is about numbers.
    worst: float = 0.0
    wrong: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    def count(self, name: str) -> None:
        """One more of ``name`` among the notes."""
        self.notes[name] = self.notes.get(name, 0) + 1

    @property
    def is_passed(self) -> bool:
        """All statements true, and there were some."""
        return self.n_checked > 0 and not self.wrong


Check = Callable[[User, Snapshot, str, Report], None]


def check(one: Check, *, n_users: int, source: str = DEFAULT_SOURCE) -> Report:
    """``one`` for up to ``n_users`` people with a history, chosen by a fixed seed.

    Raises NothingToCheckError, and KeyError for a source that is none.
    """
    snapshot = current_snapshot()
    if snapshot is None:
        raise NothingToCheckError("There is no model yet. Train one: manage.py train.")
    ids = list(
        User.objects.filter(is_active=True, ratings__isnull=False)
        .order_by("pk")
        .distinct()
        .values_list("pk", flat=True)
    )
    if not ids:
        raise NothingToCheckError("Nobody has rated anything yet.")
    chosen = np.random.default_rng(SEED).permutation(ids)[:n_users]
    report = Report()
    for user in User.objects.filter(pk__in=chosen.tolist()).order_by("pk"):
        one(user, snapshot, source, report)
        report.n_people += 1
    return report


def evidence(user: User, snapshot: Snapshot, source: str, report: Report) -> None:
    """Baseline and contributions of each shown card sum to the score that ranked it."""
    person = feedback_of(user)
    ranked = recommendations_for(user, n=CARDS, source=source, feedback=person, snapshot=snapshot)
    report.count("stored lists" if ranked.is_stored else "fresh lists")
    ranked_by = scores_that_ranked(
        person, snapshot, source, barred=barred_for(user), context=context_of(user)
    )
    largest = max([1.0, *(abs(score) for score in ranked_by.values())])
    for film in ranked.films:
        if film.score is None:
            report.count("popular films without a score")
            continue
        # The order comes from sums in single precision: as exact as their largest term.
        off_rank = abs(film.total - ranked_by.get(film.movie_id, float("inf"))) / largest
        off = max(abs(film.total - film.score), off_rank)
        report.n_checked += 1
        report.worst = max(report.worst, off)
        if not off <= TOLERANCE:
            report.wrong.append(
                f"user {user.pk}, film {film.movie_id}: parts {film.total:.8f}, "
                f"shown {film.score:.8f}, ranked by {ranked_by.get(film.movie_id)}"
            )


def scores_that_ranked(
    person: UserFeedback,
    snapshot: Snapshot,
    source: str,
    *,
    barred: frozenset[int],
    context: ListContext,
) -> dict[int, float]:
    """The scores of the first films after re-ranking, computed without any evidence."""
    found = recommend_many(
        [person],
        snapshot,
        n=CARDS,
        source=source,
        barred=[barred],
        contexts=[context],
        evidence="none",
    )[0]
    return {film.movie_id: float(film.score or 0.0) for film in found.films}


def counterfactuals(user: User, snapshot: Snapshot, source: str, report: Report) -> None:
    """Each claim "without your rating of X" holds when X is really muted in the database."""
    person = feedback_of(user)
    ranked = recommendations_for(user, n=FIRST, source=source, feedback=person, snapshot=snapshot)
    for film in ranked.films[:FILMS_PER_PERSON] + ranked.films[-FILMS_PER_PERSON:]:
        tried = [part.movie_id for part in film.evidence]
        for cause in sole_cause_ids(
            person,
            tried,
            snapshot=snapshot,
            movie_id=film.movie_id,
            source=source,
            barred=barred_for(user),
            context=context_of(user),
        ):
            with _pretended(user):
                _mute(user, cause)
                after = recommendations_for(user, n=FIRST, source=source, snapshot=snapshot)
            report.n_checked += 1
            if film.movie_id in _ids(after):
                report.wrong.append(
                    f"user {user.pk}: film {film.movie_id} stays without film {cause}"
                )


def influence(user: User, snapshot: Snapshot, source: str, report: Report) -> None:
    """ "Don't learn from it" gives the list that deleting the rating gives, and can be undone.

    The film whose rating is deleted stays known (as seen): else it could be recommended itself.
    """
    before = recommendations_for(user, n=CARDS, source=source, snapshot=snapshot)
    named = [p.movie_id for film in before.films for p in film.evidence[:1]]
    history = [event.movie_id for event in feedback_of(user).history]
    if not history:
        report.count("people with everything muted")
        return
    target = named[0] if named else history[-1]
    with _pretended(user):
        _mute(user, target)
        muted = recommendations_for(user, n=CARDS, source=source, snapshot=snapshot)
        is_kept = Rating.objects.filter(user=user, movie_id=target).exists()
        services.reaction_clear(
            user=user,
            movie=Movie.objects.get(pk=target),
            kind=Reaction.Kind.MUTED,
            event=EventContext(),
        )
        user.refresh_from_db()
        undone = recommendations_for(user, n=CARDS, source=source, snapshot=snapshot)
    with _pretended(user):
        was_rated = _delete(user, target)
        deleted = recommendations_for(user, n=CARDS, source=source, snapshot=snapshot)
    report.n_checked += 1
    report.count("lists that changed" if _ids(muted) != _ids(before) else "lists that did not")
    expected = deleted.films
    faults = []
    off = [
        abs((f.score or 0.0) - (e.score or 0.0))
        for f, e in zip(muted.films, expected, strict=False)
    ]
    report.worst = max(report.worst, *off)
    if _ids(muted) != [f.movie_id for f in expected] or max(off) > TOLERANCE:
        faults.append("is not like deleting it")
    if target in _ids(muted):
        faults.append("recommends it")
    if is_kept != was_rated:
        faults.append("lost the rating")
    if _ids(undone) != _ids(before):
        faults.append("cannot be undone")
    if faults:
        report.wrong.append(f"user {user.pk}: muting film {target} {', '.join(faults)}")


def _ids(ranked: RankedList) -> list[int]:
    return [film.movie_id for film in ranked.films]


@contextmanager
def _pretended(user: User) -> Iterator[None]:
    """What the block writes is rolled back at its end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    user.refresh_from_db()


def _mute(user: User, movie_id: int) -> None:
    services.reaction_set(
        user=user,
        movie=Movie.objects.get(pk=movie_id),
        kind=Reaction.Kind.MUTED,
        event=EventContext(),
    )
    user.refresh_from_db()  # the generation went up: stored lists are stale


def _delete(user: User, movie_id: int) -> bool:
    """All that tells of taste for the film, which is then only seen; whether there were stars."""
    movie = Movie.objects.get(pk=movie_id)
    services.reaction_set(user=user, movie=movie, kind=Reaction.Kind.SEEN, event=EventContext())
    done = services.rating_clear(user=user, movie=movie, event=EventContext())
    for kind in (Reaction.Kind.LIKE, Reaction.Kind.DISLIKE):
        services.reaction_clear(user=user, movie=movie, kind=kind, event=EventContext())
    user.refresh_from_db()
    return bool(done.previous)
