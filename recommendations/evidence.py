"""Why a film has its score: parts that add up to it, exactly.

A linear policy's score is a sum over the films of the history; a list-wise learner's is a sum over
its features (SHAP values of its trees). Models that are neither say nothing but the score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from feedback.selectors import UserFeedback
from ml.idmap import IdMap
from ml.models.base import LinearRecommender, Recommender
from ml.models.hybrid import Affines, Hybrid, sum_of
from ml.models.lambdamart import LambdaMart
from ml.types import FloatArray, Histories
from recommendations.ranked import EvidencePart, FeaturePart, RankedFilm, SourcePart, TermPart
from recommendations.ranking import RankedPool, Ranker
from recommendations.reranking import RERANKING, Reranked


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
) -> tuple[RankedFilm, ...]:
    """Each film of ``found`` with the parts of its score, re-ranking's among them.

    ``scored`` float32[1, n_items] by source is what the ranking used: with a source missing, its
    part is missing from the score and from the evidence alike; ``affines`` are the blend's. Of the
    films of the history all are told apart, or the ``max_parts`` strongest.
    """
    model, pool = ranker.model, found.pool
    movie_ids = [int(pk) for pk in items.id(pool.items)]
    if isinstance(model, LambdaMart):
        films = found.explained(_by_feature(model, pool, movie_ids, source=source))
        return films if max_parts is None else tuple(f.shortened(max_parts) for f in films)
    if isinstance(model, Hybrid):
        shares, baselines = model.parts_of(history, pool.items, scored=scored, affines=affines)
    elif model.is_personal and isinstance(model, LinearRecommender):
        shares = {source: model.contributions(history, pool.items)}
        baselines = {source: model.baseline(history, pool.items)}
    else:
        return found.explained(_by_score_alone(model, pool, movie_ids, source=source))
    shape = (len(history.item_index), len(pool.items))
    by_source = {
        name: own + shares[name].sum(axis=0, dtype=np.float64) if name in shares else own
        for name, own in baselines.items()
    }
    taste, shift = found.taste_of([event.movie_id for event in person.history])
    terms = {name: values for name, values in found.terms.items() if name != "taste"}
    if found.terms:
        by_source[RERANKING] = taste.sum(axis=0) + shift + sum(terms.values())
    return _films(
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


def _films(
    movie_ids: Sequence[int],
    contributions: NDArray[np.float64],
    baseline: NDArray[np.float64],
    *,
    terms: Mapping[str, NDArray[np.float64]],
    by_source: Mapping[str, NDArray[np.floating]],
    genre_match: NDArray[np.float64] | None,
    event_ids: Sequence[int],
    source: str,
    max_parts: int | None,
) -> tuple[RankedFilm, ...]:
    """From ``contributions`` float64[n_events, n] and ``baseline`` float64[n], all films at once.

    A list is 20 films of some 100 events each: as arrays that is nothing, as objects it was a third
    of the request. The strongest parts come first; what is beyond ``max_parts`` is in ``other``.
    """
    positive = np.maximum(contributions, 0).sum(axis=0) + np.maximum(baseline, 0)
    score = contributions.sum(axis=0) + baseline
    for values in terms.values():
        positive, score = positive + np.maximum(values, 0), score + values
    scale = np.divide(1.0, positive, out=np.zeros_like(positive), where=positive > 0)
    order = np.argsort(-contributions, axis=0, kind="stable")
    ordered = np.take_along_axis(contributions, order, axis=0)
    stop = len(order) if max_parts is None else max_parts
    named = np.array(event_ids, dtype=np.int64)[order[:stop]]
    shown = ordered[:stop]
    evidence = _parts(named, shown, shown * scale)
    sources = [(name, values.tolist()) for name, values in by_source.items()]
    reranked = [
        (name, values.tolist(), (values * scale).tolist()) for name, values in terms.items()
    ]
    matches = [None] * len(score) if genre_match is None else genre_match.tolist()
    return tuple(
        RankedFilm(
            movie_id=movie_id,
            source=source,
            score=own_score,
            baseline=own_baseline,
            evidence=parts,
            other=rest,
            by_source=tuple([SourcePart(name, values[i]) for name, values in sources]),
            terms=tuple(
                [
                    TermPart(name, values[i], shares[i])
                    for name, values, shares in reranked
                    if values[i]
                ]
            ),
            genre_match=match,
        )
        for i, (movie_id, own_score, own_baseline, parts, rest, match) in enumerate(
            zip(
                *(movie_ids, score.tolist(), baseline.tolist(), evidence),
                *(ordered[stop:].sum(axis=0).tolist(), matches),
                strict=True,
            )
        )
    )


def _parts(*columns: NDArray[np.generic]) -> list[tuple[EvidencePart, ...]]:
    """Per film the parts of ``columns`` [m, n], the second of which is what each adds: not 0."""
    make = EvidencePart._make
    is_full = (columns[1] != 0).all(axis=0).tolist()
    rows = zip(*(column.T.tolist() for column in columns), strict=True)
    return [
        tuple(map(make, zip(*row, strict=True)))
        if full
        else tuple([make(part) for part in zip(*row, strict=True) if part[1]])
        for full, row in zip(is_full, rows, strict=True)
    ]


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
