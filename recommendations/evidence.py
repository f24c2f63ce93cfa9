"""Why a film has its score: parts that add up to it, exactly.

A linear policy's score is a sum over the films of the history; a list-wise learner's is a sum over
its features (SHAP values of its trees). Models that are neither say nothing but the score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feedback.selectors import UserFeedback
from ml.idmap import IdMap
from ml.models.base import LinearRecommender, Recommender
from ml.models.hybrid import Affines, Hybrid, sum_of
from ml.models.lambdamart import LambdaMart
from ml.types import FloatArray, Histories
from recommendations.evidence_columns import Columns, columns_of, films_of, linear_columns
from recommendations.ranked import FeaturePart, RankedFilm
from recommendations.ranking import RankedPool, Ranker
from recommendations.reranking import RERANKING, Reranked


@dataclass(frozen=True)
class Explained:
    """A list's films with the evidence for them: as columns, of which objects or bytes are made."""

    source: str
    movie_ids: list[int]
    scores: list[float]
    columns: Columns

    @classmethod
    def of_films(
        cls, films: Sequence[RankedFilm], *, source: str, max_parts: int | None = None
    ) -> Explained:
        """Of films that were explained one by one, all with a score."""
        if max_parts is not None:
            films = [film.shortened(max_parts) for film in films]
        scores = [film.score for film in films if film.score is not None]
        return cls(source, [film.movie_id for film in films], scores, columns_of(films))

    def films(self) -> tuple[RankedFilm, ...]:
        """What a page reads."""
        return films_of(
            self.columns, movie_ids=self.movie_ids, scores=self.scores, source=self.source
        )

    def bare_films(self) -> tuple[RankedFilm, ...]:
        """The films and their scores alone."""
        return tuple(
            RankedFilm(movie_id=movie_id, source=self.source, score=score)
            for movie_id, score in zip(self.movie_ids, self.scores, strict=True)
        )


def explained(
    ranker: Ranker,
    found: Reranked,
    person: UserFeedback,
    *,
    history: Histories,
    scored: Mapping[str, FloatArray],
    items: IdMap,
    source: str,
    affines: Affines | None = None,
    max_parts: int | None = None,
) -> Explained:
    """Each film of ``found`` with the parts of its score, re-ranking's among them.

    ``scored`` float32[1, n_items] by source is what the ranking used: with a source missing, its
    part is missing from the score and from the evidence alike; ``affines`` are the blend's. Of the
    films of the history all are told apart, or the ``max_parts`` strongest.
    """
    model, pool = ranker.model, found.pool
    movie_ids: list[int] = items.id(pool.items).tolist()
    if isinstance(model, LambdaMart):
        films = found.explained(_by_feature(model, pool, movie_ids, source=source))
        return Explained.of_films(films, source=source, max_parts=max_parts)
    if isinstance(model, Hybrid):
        shares, baselines = model.parts_of(history, pool.items, scored=scored, affines=affines)
    elif model.is_personal and isinstance(model, LinearRecommender):
        shares = {source: model.contributions(history, pool.items)}
        baselines = {source: model.baseline(history, pool.items)}
    else:
        films = found.explained(_by_score_alone(model, pool, movie_ids, source=source))
        return Explained.of_films(films, source=source, max_parts=max_parts)
    shape = (len(history.item_index), len(pool.items))
    by_source = {
        name: own + shares[name].sum(axis=0, dtype=np.float64) if name in shares else own
        for name, own in baselines.items()
    }
    taste, shift = found.taste_of([event.movie_id for event in person.history])
    terms = {name: values for name, values in found.terms.items() if name != "taste"}
    if found.terms:
        by_source[RERANKING] = taste.sum(axis=0) + shift + sum(terms.values())
    return _of_sums(
        movie_ids,
        sum_of(shares, shape).astype(np.float64) + taste,
        sum_of(baselines, shape[1:]).astype(np.float64) + shift,
        terms=terms,
        by_source=by_source,
        genre_match=found.genre_match,
        event_ids=[event.movie_id for event in person.history],
        source=source,
        max_parts=max_parts,
    )


def _of_sums(
    movie_ids: list[int],
    contributions: NDArray[np.float64],
    baseline: NDArray[np.float64],
    *,
    terms: Mapping[str, NDArray[np.float64]],
    by_source: Mapping[str, NDArray[np.floating]],
    genre_match: NDArray[np.float64] | None,
    event_ids: Sequence[int],
    source: str,
    max_parts: int | None,
) -> Explained:
    """From ``contributions`` float64[n_events, n] and ``baseline`` float64[n], all films at once.

    A list is 20 films of some 100 events each: as arrays that is nothing, as objects it was a third
    of the request. The strongest parts come first; what is beyond ``max_parts`` is in ``other``.
    """
    positive = np.maximum(contributions, 0).sum(axis=0) + np.maximum(baseline, 0)
    score = contributions.sum(axis=0) + baseline
    for values in terms.values():
        positive, score = positive + np.maximum(values, 0), score + values
    scale = np.divide(1.0, positive, out=np.zeros_like(positive), where=positive > 0)
    by_film = np.ascontiguousarray(contributions.T)
    order = np.argsort(-by_film, axis=1, kind="stable")
    ordered = np.take_along_axis(by_film, order, axis=1)
    shown = ordered[:, :max_parts]
    columns = linear_columns(
        baseline=baseline,
        other=ordered[:, shown.shape[1] :].sum(axis=1),
        genre_match=genre_match,
        events=(
            np.array(event_ids, dtype=np.int64)[order[:, :max_parts]],
            shown,
            shown * scale[:, None],
        ),
        by_source=by_source,
        terms={name: (values, values * scale) for name, values in terms.items()},
    )
    return Explained(source, movie_ids, score.tolist(), columns)


def _by_feature(
    model: LambdaMart, pool: RankedPool, movie_ids: list[int], *, source: str
) -> tuple[RankedFilm, ...]:
    if pool.features is None:
        raise ValueError("a learner's pool comes with its features")
    shares, base = model.shares_of_features(pool.features)
    return tuple(
        RankedFilm(
            movie_id=movie_id,
            source=source,
            score=float(base[i] + shares[i].sum()),
            baseline=float(base[i]),
            features=tuple(
                FeaturePart(model.features[j], float(pool.features[i, j]), float(shares[i, j]))
                for j in np.argsort(-np.abs(shares[i]), kind="stable")
                if shares[i, j]
            ),
        )
        for i, movie_id in enumerate(movie_ids)
    )


def _by_score_alone(
    model: Recommender, pool: RankedPool, movie_ids: list[int], *, source: str
) -> tuple[RankedFilm, ...]:
    """Popularity is all baseline; a network's score has no parts that could be shown."""
    return tuple(
        RankedFilm(
            movie_id=movie_id,
            source=source,
            score=float(score),
            baseline=0.0 if model.is_personal else float(score),
            other=float(score) if model.is_personal else 0.0,
        )
        for movie_id, score in zip(movie_ids, pool.scores, strict=True)
    )
