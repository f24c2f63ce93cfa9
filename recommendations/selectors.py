"""The one way to a person's list: page, API, command and batch inference all come through here."""

from __future__ import annotations

import logging
from dataclasses import replace

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from feedback.selectors import UserFeedback, feedback_of
from recommendations.limits import barred_for
from recommendations.models import Recommendation
from recommendations.pipeline import (
    DEFAULT_SOURCE,
    POPULAR,
    UnknownSourceError,
    popular_films,
    recommend_many,
)
from recommendations.ranked import EvidencePart, RankedFilm, RankedList
from recommendations.snapshot import Snapshot, current_snapshot

logger = logging.getLogger(__name__)

MAX_FILMS = 100

SOURCE_LABELS = {
    "hybrid": "Everything together",
    "ease": "People with your taste",
    "item_item": "Film to film",
    "als": "Hidden patterns",
    "popularity": "Popular",
}


def source_names(snapshot: Snapshot | None) -> tuple[str, ...]:
    """What ``source`` may be right now."""
    return snapshot.source_names if snapshot is not None else (DEFAULT_SOURCE,)


def recommendations_for(
    user: User | AnonymousUser,
    *,
    n: int = 20,
    source: str = DEFAULT_SOURCE,
    feedback: UserFeedback | None = None,
    snapshot: Snapshot | None = None,
    barred: frozenset[int] | None = None,
) -> RankedList:
    """``n`` films for a person: always ``n`` while the catalogue has them.

    Where the wished source knows nothing of the person (no history yet, no model), popular films
    take its place and ``fallback`` says so. Raises UnknownSourceError for a source that is none.
    A page that needs more than the list reads ``feedback``, ``snapshot`` and ``barred`` once and
    hands them in: then all of it is of one model version.
    """
    n = min(n, MAX_FILMS)
    snapshot = snapshot or current_snapshot()
    if source not in source_names(snapshot):
        names = ", ".join(source_names(snapshot))
        raise UnknownSourceError(f"There is no source {source!r}. Known: {names}.")
    person = feedback if feedback is not None else feedback_of(user)
    barred = barred_for(user) if barred is None else barred
    found = _stored_list(user, person, snapshot, source=source)
    if found is None:
        found = recommend_many([person], snapshot, n=n, source=source, barred=[barred])[0]
    gone = person.hidden_ids | barred
    films = tuple(film for film in found.films if film.movie_id not in gone)[:n]
    fallback = ""
    if len(films) < n:
        taken = gone.union(film.movie_id for film in films)
        films += tuple(popular_films(n=n - len(films), without=taken))
        fallback = POPULAR
    return replace(found, films=films, fallback=fallback, source_names=source_names(snapshot))


def _stored_list(
    user: User | AnonymousUser, person: UserFeedback, snapshot: Snapshot | None, *, source: str
) -> RankedList | None:
    """The list of the last batch inference, if it has seen all that the person did since."""
    if snapshot is None or not isinstance(user, User):
        return None
    stored = Recommendation.objects.filter(
        user=user,
        source=source,
        model_version_id=snapshot.version_id,
        feedback_generation=person.generation,
    ).first()
    if stored is None or not stored.movie_ids:
        return None
    films = tuple(
        RankedFilm(
            movie_id=movie_id,
            source=source,
            score=score,
            baseline=evidence["baseline"],
            evidence=tuple(EvidencePart(*part) for part in evidence["parts"]),
        )
        for movie_id, score, evidence in zip(
            stored.movie_ids, stored.scores, stored.evidence, strict=True
        )
    )
    return RankedList(
        films=films,
        source=source,
        model_version=snapshot.version,
        model_version_id=snapshot.version_id,
        generation=person.generation,
        n_history=len(person.history),
        is_stored=True,
    )
