"""The list for a quiz: films that answer it, the person's own taste among them, known ones first.

Relevance is the cosine of the intent with each film's genres (:mod:`ml.models.genre_cosine`),
softened by the era. Films come in stages: those that meet every answer, then those whose length
nobody knows, then those that miss an answer, then popular ones; so a list is never short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from catalog.models import Movie
from feedback.selectors import UserFeedback, feedback_of
from ml.intent import (
    RUNTIMES,
    ContentType,
    Intent,
    QuizAnswers,
    canonical_genre,
    era_fit,
    intent_from_quiz,
    runtime_fit,
)
from ml.models.genre_cosine import GenreCosine
from ml.types import BoolArray, FloatArray
from recommendations.home_rows import PRIOR_RATINGS, PRIOR_STARS
from recommendations.limits import barred_for
from recommendations.pipeline import POPULAR, popular_films
from recommendations.preferences import histories_of
from recommendations.quiz_reasons import quiz_reason
from recommendations.ranked import RankedFilm, RankedList
from recommendations.snapshot import Snapshot, current_snapshot

POLICY = "quiz"
WIDER = "wider"
# The most-rated films stand for the catalogue: what nobody knows is no safe first suggestion, and
# the request's price stays the same with a catalogue of any size.
MAX_CANDIDATES = 5000
# Editorial: pure genre vectors tie by the dozen, and among equals the known and loved come first.
QUALITY_WEIGHT = 0.25
# Editorial: what somebody asks for tonight outweighs what they usually like.
PERSONAL_WEIGHT = 0.4

# What a content type asks of a film's genres, beyond what the intent's weights prefer.
KIND_GENRES = {
    ContentType.ANIMATED: frozenset({"animation"}),
    ContentType.DOCUMENTARY: frozenset({"documentary"}),
    ContentType.FAMILY: frozenset({"children", "animation"}),
}

FITS, LENGTH_UNKNOWN, MISSES_ONE, UNFIT = range(4)


@dataclass(frozen=True)
class Candidates:
    """Films that may be shown, as columns. nan: not known. ``genres`` is 0/1 [n, n_genres]."""

    movie_ids: np.ndarray
    runtime_min: FloatArray
    year: FloatArray
    rating_count: FloatArray
    rating_mean: FloatArray
    genres: FloatArray
    genre_names: tuple[str, ...]

    def names_of(self, row: int) -> list[str]:
        """The film's genres by name."""
        return [self.genre_names[i] for i in np.flatnonzero(self.genres[row])]

    def has_any(self, wanted: frozenset[str]) -> BoolArray:
        """bool[n]: films with at least one of these (canonical) genres."""
        columns = [canonical_genre(name) in wanted for name in self.genre_names]
        return np.asarray(self.genres[:, columns].any(axis=1), dtype=np.bool_)


def tonight_for(
    user: User | AnonymousUser,
    answers: QuizAnswers,
    *,
    n: int,
    asked: dict[str, object],
    without: frozenset[int] = frozenset(),
) -> RankedList:
    """``n`` films for these answers: always ``n`` while the catalogue has them.

    Leaves out what the person knows, refused or may not see, and the films in ``without``.
    ``fallback`` names the last stage that had to help: ``wider`` (films that miss an answer) or
    ``popular``. ``asked`` is kept in the log.
    """
    person = feedback_of(user)
    gone = person.hidden_ids | barred_for(user) | without
    snapshot = current_snapshot() if person.history else None
    films = candidates(without=gone)
    intent = intent_from_quiz(answers)
    stages = _stages(films, answers, intent)
    score = _fit(films, intent)
    if snapshot is not None:
        personal = _personal(films, person, snapshot)
        score = (1 - PERSONAL_WEIGHT) * _z(score) + PERSONAL_WEIGHT * personal
    score = score + QUALITY_WEIGHT * _quality(films)
    best = np.lexsort((films.movie_ids, -score, stages))
    best = best[stages[best] < UNFIT][:n]
    shown = tuple(
        RankedFilm(
            movie_id=int(films.movie_ids[i]),
            source=POLICY,
            score=float(score[i]),
            reason=_reason(films, int(i), answers, intent, stage=int(stages[i])),
        )
        for i in best
    )
    fallback = WIDER if (stages[best] == MISSES_ONE).any() else ""
    if len(shown) < n:
        taken = gone.union(film.movie_id for film in shown)
        shown += tuple(popular_films(n=n - len(shown), without=taken))
        fallback = POPULAR
    names = {FITS: "fits", LENGTH_UNKNOWN: "length_unknown", MISSES_ONE: "misses_one"}
    return RankedList(
        films=shown,
        source=POLICY,
        model_version=snapshot.version if snapshot else "",
        model_version_id=snapshot.version_id if snapshot else None,
        generation=person.generation,
        n_history=len(person.history),
        fallback=fallback,
        counts={
            "candidates": len(films.movie_ids),
            **{name: int((stages == stage).sum()) for stage, name in names.items()},
        },
        answers=asked,
    )


def films_fitting(answers: QuizAnswers, *, without: frozenset[int]) -> frozenset[int]:
    """The films that meet every answer, those of unknown length among them, in any order."""
    films = candidates(without=without)
    stages = _stages(films, answers, intent_from_quiz(answers))
    return frozenset(films.movie_ids[stages <= LENGTH_UNKNOWN].tolist())


def candidates(*, without: frozenset[int]) -> Candidates:
    """The most-rated films that may be shown, in two queries."""
    rows = list(
        Movie.objects.visible()
        .exclude(pk__in=without)
        .order_by("-rating_count", "pk")
        .values_list("pk", "runtime_min", "year", "rating_count", "rating_mean")[:MAX_CANDIDATES]
    )
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 5)
    movie_ids = columns[:, 0].astype(np.int64)
    row_of = {int(pk): row for row, pk in enumerate(movie_ids)}
    tags = list(
        Movie.genres.through.objects.filter(movie_id__in=row_of).values_list(
            "movie_id", "genre__name"
        )
    )
    names = tuple(sorted({name for _, name in tags}))
    column_of = {name: column for column, name in enumerate(names)}
    genres = np.zeros((len(rows), len(names)), dtype=np.float32)
    for movie_id, name in tags:
        genres[row_of[movie_id], column_of[name]] = 1.0
    facts = columns[:, 1:].astype(np.float32)
    return Candidates(
        movie_ids=movie_ids,
        runtime_min=facts[:, 0],
        year=facts[:, 1],
        rating_count=facts[:, 2],
        rating_mean=facts[:, 3],
        genres=genres,
        genre_names=names,
    )


def _stages(films: Candidates, answers: QuizAnswers, intent: Intent) -> np.ndarray:
    """int[n]: how well each film meets what was asked; UNFIT where the mood rules it out."""
    meets = _meets_kind(films, answers.content_type)
    if answers.genres:
        meets &= films.has_any(frozenset(canonical_genre(name) for name in answers.genres))
    limits = RUNTIMES[answers.time]
    is_known = ~np.isnan(films.runtime_min) if limits else np.ones(len(meets), np.bool_)
    if limits:
        outside = (films.runtime_min < limits[0]) | (films.runtime_min > limits[1])
        meets &= ~outside
    stages = np.where(meets, np.where(is_known, FITS, LENGTH_UNKNOWN), MISSES_ONE)
    if any(intent.genres.values()):
        stages = np.where(_cosine(films, intent) > 0, stages, UNFIT)
    return stages


def _meets_kind(films: Candidates, kind: ContentType) -> BoolArray:
    if kind is ContentType.LIVE_ACTION:
        return ~films.has_any(frozenset({"animation"}))
    wanted = KIND_GENRES.get(kind)
    return films.has_any(wanted) if wanted else np.ones(len(films.movie_ids), np.bool_)


def _cosine(films: Candidates, intent: Intent) -> FloatArray:
    """float32[n] in -1..1; 0 for a film without genres, and where no genre was asked for."""
    if not films.genre_names:
        return np.zeros(len(films.movie_ids), np.float32)
    model = GenreCosine.from_arrays({"genres": films.genres}, {})
    found = model.score_intents(intent.vector(films.genre_names)[None])[0]
    return np.where(np.isfinite(found), found, 0.0).astype(np.float32)


def _fit(films: Candidates, intent: Intent) -> FloatArray:
    """float32[n] in -1..1: the cosine, falling softly outside the era and the length."""
    softened = era_fit(intent, films.year) * runtime_fit(intent, films.runtime_min)
    return _cosine(films, intent) * softened


def _quality(films: Candidates) -> FloatArray:
    """float32[n] in 0..1: how loved (Bayesian mean) and how well known (log of the count)."""
    counts = films.rating_count
    stars = np.where(np.isnan(films.rating_mean), PRIOR_STARS, films.rating_mean)
    bayes = (counts * stars + PRIOR_RATINGS * PRIOR_STARS) / (counts + PRIOR_RATINGS)
    known = np.log1p(counts) / max(float(np.log1p(counts).max(initial=0.0)), 1.0)
    return ((bayes / 5.0 + known) / 2.0).astype(np.float32)


def _personal(films: Candidates, person: UserFeedback, snapshot: Snapshot) -> FloatArray:
    """float32[n]: the hybrid's z-scores; 0 (as expected) for films that it does not know."""
    scores = snapshot.hybrid.score(histories_of([person], snapshot.items))[0]
    at = snapshot.items.index(films.movie_ids)
    mine = np.where(at >= 0, scores[np.maximum(at, 0)], -np.inf)
    return _z(mine)


def _z(values: np.ndarray) -> FloatArray:
    finite = np.isfinite(values)
    if not finite.any() or not (spread := float(values[finite].std())):
        return np.zeros(len(values), np.float32)
    centre = float(values[finite].mean())
    return np.where(finite, (np.where(finite, values, 0.0) - centre) / spread, 0.0).astype(
        np.float32
    )


def _reason(
    films: Candidates, row: int, answers: QuizAnswers, intent: Intent, *, stage: int
) -> tuple:
    runtime = films.runtime_min[row]
    return quiz_reason(
        answers,
        intent,
        genre_names=films.names_of(row),
        runtime_min=None if np.isnan(runtime) else int(runtime),
        meets_all=stage != MISSES_ONE,
    )
