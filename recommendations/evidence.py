"""Why a film has its score: parts that add up to it, exactly.

A linear policy's score is a sum over the films of the history; a list-wise learner's is a sum over
its features (SHAP values of its trees). Models that are neither say nothing but the score.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from feedback.selectors import UserFeedback
from ml.idmap import IdMap
from ml.models.base import LinearRecommender, Recommender
from ml.models.hybrid import Hybrid, sum_of
from ml.models.lambdamart import LambdaMart
from ml.types import FloatArray, Histories
from recommendations.ranked import EvidencePart, FeaturePart, RankedFilm, SourcePart
from recommendations.ranking import RankedPool, Ranker


def explained(
    ranker: Ranker,
    pool: RankedPool,
    person: UserFeedback,
    *,
    history: Histories,
    scored: Mapping[str, FloatArray],
    items: IdMap,
    source: str,
    max_parts: int | None = None,
) -> tuple[RankedFilm, ...]:
    """Each film of ``pool`` with the parts of its score: of the history's all, or the strongest.

    ``scored`` float32[1, n_items] by source is what the ranking used: with a source missing, its
    part is missing from the score and from the evidence alike.
    """
    model = ranker.model
    movie_ids = [int(pk) for pk in items.id(pool.items)]
    if isinstance(model, LambdaMart):
        return _by_feature(model, pool, movie_ids, source=source)
    if isinstance(model, Hybrid):
        shares, baselines = model.parts_of(history, pool.items, scored=scored)
    elif model.is_personal and isinstance(model, LinearRecommender):
        shares = {source: model.contributions(history, pool.items)}
        baselines = {source: model.baseline(history, pool.items)}
    else:
        return _by_score_alone(model, pool, movie_ids, source=source)
    shape = (len(history.item_index), len(pool.items))
    contributions = sum_of(shares, shape).astype(np.float64)
    baseline = sum_of(baselines, shape[1:]).astype(np.float64)
    by_source = {
        name: own + shares[name].sum(axis=0, dtype=np.float64) if name in shares else own
        for name, own in baselines.items()
    }
    return tuple(
        _by_film(
            movie_id,
            contributions[:, column],
            baseline=float(baseline[column]),
            person=person,
            source=source,
            max_parts=max_parts,
            by_source=tuple(
                SourcePart(name, float(values[column])) for name, values in by_source.items()
            ),
        )
        for column, movie_id in enumerate(movie_ids)
    )


def _by_film(
    movie_id: int,
    contributions: np.ndarray,
    *,
    baseline: float,
    person: UserFeedback,
    source: str,
    by_source: tuple[SourcePart, ...],
    max_parts: int | None,
) -> RankedFilm:
    """The strongest parts first; what is beyond ``max_parts`` is summed up in ``other``."""
    positive = contributions[contributions > 0].sum() + max(0.0, baseline)
    order = np.argsort(-contributions, kind="stable")
    order = order[contributions[order] != 0]
    named, rest = order[:max_parts], order[max_parts:] if max_parts is not None else order[:0]
    return RankedFilm(
        movie_id=movie_id,
        source=source,
        score=float(contributions.sum()) + baseline,
        baseline=baseline,
        evidence=tuple(
            EvidencePart(
                movie_id=person.history[event].movie_id,
                contribution=(part := float(contributions[event])),
                share=part / positive if positive > 0 else 0.0,
            )
            for event in named.tolist()
        ),
        other=float(contributions[rest].sum()),
        by_source=by_source,
    )


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
