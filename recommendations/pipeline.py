"""A recommendation request, stage by stage.

history -> candidate generation (a source scores every film it knows) -> filtering -> ranking ->
evidence; then the fallback chain fills what is missing. Always ``n`` films while the catalogue has
them, never an error.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from catalog.models import Movie
from feedback.selectors import UserFeedback
from ml.explain import BASELINE, explain
from ml.models.base import LinearRecommender, Recommender
from ml.retrieval import top_k
from ml.types import FloatArray, Histories
from recommendations.preferences import histories_of
from recommendations.ranked import EvidencePart, RankedFilm, RankedList
from recommendations.snapshot import Snapshot

POPULAR = "popular"
DEFAULT_SOURCE = "hybrid"


class UnknownSourceError(ValueError):
    """No source of that name; the message lists those there are."""


def recommend_many(
    people: Sequence[UserFeedback],
    snapshot: Snapshot | None,
    *,
    n: int,
    source: str,
    barred: Sequence[frozenset[int]],
) -> list[RankedList]:
    """The best ``n`` films for each person from one source, without a fallback.

    ``barred`` are the films that each of them may not be shown (:mod:`recommendations.limits`).
    Shorter lists, or empty ones, come out where the source has no opinion.
    """
    if snapshot is None:
        return [_empty(person, source) for person in people]
    model = snapshot.source(source)
    histories = histories_of(people, snapshot.items)
    scores = model.score(histories)
    exclude = _exclusion_matrix(people, snapshot, barred=barred)
    best = top_k(scores, n, exclude=exclude)
    lists = []
    for i, person in enumerate(people):
        found = best.item_index[i][best.item_index[i] >= 0]
        films = _with_evidence(
            model, histories.select([i]), person, snapshot=snapshot, items=found, source=source
        )
        counts = {
            "candidates": int(np.isfinite(scores[i]).sum()),
            "filtered": int(np.isfinite(scores[i][exclude[i].indices]).sum()),
        }
        lists.append(
            RankedList(
                films=films,
                source=source,
                model_version=snapshot.version,
                model_version_id=snapshot.version_id,
                generation=person.generation,
                n_history=len(person.history),
                counts=counts,
            )
        )
    return lists


def _empty(person: UserFeedback, source: str) -> RankedList:
    return RankedList(
        films=(), source=source, generation=person.generation, n_history=len(person.history)
    )


def _exclusion_matrix(
    people: Sequence[UserFeedback], snapshot: Snapshot, *, barred: Sequence[frozenset[int]]
) -> sparse.csr_matrix:
    """csr [n, n_items] of the films that a person must not be shown."""
    rows = []
    for person, limits in zip(people, barred, strict=True):
        index = snapshot.items.index(sorted(person.hidden_ids | limits))
        rows.append(index[index >= 0])
    indptr = np.concatenate([[0], np.cumsum([len(r) for r in rows])])
    indices = np.concatenate(rows) if rows else np.empty(0, np.int32)
    shape = (len(people), len(snapshot.items))
    return sparse.csr_matrix((np.ones(len(indices), np.bool_), indices, indptr), shape=shape)


def _with_evidence(
    model: Recommender,
    history: Histories,
    person: UserFeedback,
    *,
    snapshot: Snapshot,
    items: np.ndarray,
    source: str,
) -> tuple[RankedFilm, ...]:
    """Each film with the parts of its score, which add up to it."""
    movie_ids = snapshot.items.id(items)
    if not (model.is_personal and isinstance(model, LinearRecommender)):
        scores = model.score(history)[0, items]
        return tuple(
            RankedFilm(movie_id=int(m), source=source, score=float(s), baseline=float(s))
            for m, s in zip(movie_ids, scores, strict=True)
        )
    contributions = model.contributions(history, items)
    baselines = model.baseline(history, items)
    return tuple(
        _explained(
            int(movie_id),
            contributions=contributions[:, column],
            baseline=float(baselines[column]),
            person=person,
            source=source,
        )
        for column, movie_id in enumerate(movie_ids)
    )


def _explained(
    movie_id: int, *, contributions: FloatArray, baseline: float, person: UserFeedback, source: str
) -> RankedFilm:
    explanation = explain(contributions, baseline=baseline)
    evidence = tuple(
        EvidencePart(
            movie_id=person.history[part.event].movie_id,
            contribution=part.contribution,
            share=part.share,
        )
        for part in explanation.evidence
        if part.event != BASELINE
    )
    return RankedFilm(
        movie_id=movie_id,
        source=source,
        score=explanation.score,
        baseline=baseline,
        evidence=evidence,
    )


def popular_films(*, n: int, without: Sequence[int] | frozenset[int]) -> list[RankedFilm]:
    """The films with the most ratings, then the newest: the end of the fallback chain."""
    ids = (
        Movie.objects.visible()
        .exclude(pk__in=without)
        .order_by("-rating_count", "-pk")
        .values_list("pk", flat=True)[:n]
    )
    return [RankedFilm(movie_id=pk, source=POPULAR) for pk in ids]
