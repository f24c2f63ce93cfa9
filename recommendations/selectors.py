"""The one way to a person's list: page, API, command and batch inference all come through here."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.services import Taste
from feedback.selectors import UserFeedback, feedback_of
from recommendations.evidence_columns import unpacked
from recommendations.experiments.serving import trial_for, trial_list
from recommendations.limits import barred_movie_ids
from recommendations.metrics import note_list
from recommendations.pipeline import (
    DEFAULT_SOURCE,
    POPULAR,
    popular_films,
    recommend_many,
)
from recommendations.ranked import RankedFilm, RankedList
from recommendations.reranking import ListContext, context_standing
from recommendations.snapshot import Serving, Snapshot, current_snapshot
from recommendations.sources import SOURCES, SourceNotTrainedError, source_named
from recommendations.standing import Standing, standing_of
from recommendations.strengths import FINGERPRINT
from recommendations.trial import Trial

logger = logging.getLogger(__name__)

MAX_FILMS = 100

SOURCE_LABELS = {source.name: source.label for source in SOURCES.values()}


def source_names(snapshot: Snapshot | None) -> tuple[str, ...]:
    """The sources that can be asked for right now."""
    return snapshot.source_names if snapshot is not None else (DEFAULT_SOURCE,)


def known_source(name: str, snapshot: Snapshot | None) -> str:
    """The source's own name for ``name``, which may be an alias.

    Raises UnknownSourceError for one that is none, SourceNotTrainedError for one without a model;
    before anything was trained only the default is answered (with what is popular).
    """
    source = source_named(name)
    if snapshot is not None:
        return snapshot.serving(source.name).source
    if source.name != DEFAULT_SOURCE:
        raise SourceNotTrainedError(
            f"The source {source.name} is not trained yet. Train a first model: manage.py train."
        )
    return source.name


def recommendations_for(
    user: User | AnonymousUser,
    *,
    n: int = 20,
    source: str = DEFAULT_SOURCE,
    feedback: UserFeedback | None = None,
    snapshot: Snapshot | None = None,
    barred: frozenset[int] | None = None,
    context: ListContext | None = None,
    standing: Standing | None = None,
    is_narrowed: bool = False,
    max_parts: int | None = None,
    request_id: uuid.UUID | None = None,
) -> RankedList:
    """``n`` films for a person: always ``n`` while the catalogue has them.

    Where the wished source knows nothing of the person (no history yet, no model), popular films
    take its place and ``fallback`` says so. Raises UnknownSourceError for a source that is none.
    ``is_narrowed`` says that ``barred`` holds more than a stored list knows of (filters).
    A page that needs more than the list reads ``feedback``, ``snapshot``, ``standing`` (of the same
    source and ``n``), ``barred`` and ``context`` once and hands them in: then all of it is of one
    model version. ``max_parts`` of each film's evidence are told apart, the strongest; all if not
    given. Who logs the list as the slate ``request_id`` names it: then a running experiment may
    choose the policy.
    """
    n = min(n, MAX_FILMS)
    snapshot = snapshot or current_snapshot()
    source = known_source(source, snapshot)
    if standing is None:
        generation = None if feedback is None else feedback.generation
        standing = standing_for(user, snapshot, source=source, n=n, generation=generation)
    barred = standing.barred if barred is None else barred
    trial = None
    if request_id is not None and source == DEFAULT_SOURCE and not is_narrowed:
        trial = trial_for(user, request_id) if snapshot is not None else None
    if snapshot is not None and not is_narrowed and trial is None:
        found = _stored_list(standing, snapshot.serving(source), barred=barred)
        if found is not None:
            found = replace(found, source_names=source_names(snapshot))
            note_list(found)
            return found
    person = feedback if feedback is not None else feedback_of(user)
    if context is None:
        context = context_standing(user.pk or 0, standing)
    make = partial(
        _fresh_list, person, snapshot, barred=barred, context=context, max_parts=max_parts
    )
    found = make(source, n) if trial is None else _tried(trial, n, make, instead=source)
    found = replace(found, source_names=source_names(snapshot))
    ranked = _filled([found], n=n, gone=person.hidden_ids | barred)[0]
    note_list(ranked)
    return ranked


def _fresh_list(
    person: UserFeedback,
    snapshot: Snapshot | None,
    source: str,
    n: int,
    *,
    barred: frozenset[int],
    context: ListContext,
    max_parts: int | None,
) -> RankedList:
    return recommend_many(
        [person],
        snapshot,
        n=n,
        source=source,
        barred=[barred],
        contexts=[context],
        max_parts=max_parts,
    )[0]


def _tried(
    trial: Trial, n: int, make: Callable[[str, int], RankedList], *, instead: str
) -> RankedList:
    """The experiment's list; the usual one where a policy of it has no model any more."""
    try:
        return replace(trial_list(trial, n, make), source=instead)
    except SourceNotTrainedError as error:
        logger.error("Experiment %s cannot be served: %s", trial.experiment_id, error)
        return make(instead, n)


def standing_for(
    user: User | AnonymousUser,
    snapshot: Snapshot | None,
    *,
    source: str,
    n: int,
    generation: int | None = None,
) -> Standing:
    """What is kept about a person, with the stored list of ``n`` films from ``source`` if it has
    seen the feedback up to ``generation`` (what the person's row says if not given).

    Raises UnknownSourceError for a source that is none.
    """
    if not isinstance(user, User):
        return Standing(Taste(), barred_movie_ids(Taste()))
    name = known_source(source, snapshot)
    return standing_of(
        user,
        snapshot.serving(name) if snapshot is not None else None,
        n=min(n, MAX_FILMS),
        generation=user.feedback_generation if generation is None else generation,
    )


def lists_without(
    person: UserFeedback,
    movie_ids: Sequence[int],
    *,
    snapshot: Snapshot | None,
    barred: frozenset[int],
    context: ListContext,
    n: int = 20,
    source: str = DEFAULT_SOURCE,
) -> tuple[RankedList, list[RankedList]]:
    """The list as it is, and for each of ``movie_ids`` the list had nobody learned from that film.

    Computed anew as a whole, fallback included: a claim about one of them is true of what the
    person would be shown. Scores only, no evidence.
    """
    variants = [person, *(person.without(movie_id) for movie_id in movie_ids)]
    lists = recommend_many(
        variants,
        snapshot,
        n=n,
        source=source,
        barred=[barred] * len(variants),
        contexts=[context] * len(variants),
        evidence="none",
    )
    # All variants hide the same films.
    first, *others = _filled(lists, n=n, gone=person.hidden_ids | barred)
    return first, others


def _filled(lists: Sequence[RankedList], *, n: int, gone: frozenset[int]) -> list[RankedList]:
    """Lists of ``n`` without the films in ``gone``; popular films take the places left over."""
    kept = [
        replace(found, films=tuple(f for f in found.films if f.movie_id not in gone)[:n])
        for found in lists
    ]
    if all(len(found.films) == n for found in kept):
        return kept
    # A list can hold n of the popular films already: twice as many are always enough.
    popular = popular_films(n=2 * n, without=gone)
    return [_filled_up(found, n=n, popular=popular) for found in kept]


def _filled_up(found: RankedList, *, n: int, popular: Sequence[RankedFilm]) -> RankedList:
    if len(found.films) == n:
        return found
    taken = {film.movie_id for film in found.films}
    rest = [film for film in popular if film.movie_id not in taken][: n - len(found.films)]
    return replace(found, films=(*found.films, *rest), fallback=POPULAR)


def _stored_list(
    standing: Standing, serving: Serving, *, barred: frozenset[int]
) -> RankedList | None:
    """The list of the last batch inference, if it has seen all that the person did since.

    None too where something in it may no longer be shown: the list is then made anew.
    """
    stored = standing.stored
    if stored is None or stored.context.get("strengths") != FINGERPRINT:
        return None  # none, or one by an older Marquee: another kind of list
    if stored.last_visit_on != standing.last_visit_on:
        return None  # another visit has ended since: what was shown then is no longer fresh
    if not stored.known_ids.isdisjoint(stored.movie_ids) or not barred.isdisjoint(stored.movie_ids):
        return None  # an editor hid or merged films meanwhile
    if "n_history" not in stored.context:
        return None  # written by an older Marquee, which did not keep what a slate notes
    films = unpacked(
        stored.evidence,
        movie_ids=stored.movie_ids,
        scores=stored.scores,
        source=serving.source,
    )
    return RankedList(
        films=films,
        source=serving.source,
        model_version=serving.version,
        model_version_id=serving.version_id,
        generation=stored.generation,
        n_history=stored.context["n_history"],
        context=dict(stored.context),
        is_stored=True,
    )
