"""One order out of several: how much words, meaning and titles count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Chosen on the validation half of benchmarks/queries/known_items.jsonl (benchmarks/search.py).
WORDS_WEIGHT = 0.6
# What people describe they mostly half remember: among films that fit alike, the known ones first.
# On the validation half .35 is best for first places and .3 hardly worse (MRR@10 .801 and .786,
# .660 without); the lower one, since the frozen queries tell of known films more than people do.
FAME_WEIGHT = 0.3
# Reciprocal rank fusion's usual constant (Cormack et al. 2009); measured beside the weighted sum.
RRF_K = 60
# A title as typed beats everything that is only about the same things.
TITLE_WEIGHT = 2.0
GOOD_TITLE = 88.0
# Below this a title has nothing to do with the request; up to a good one it counts in part.
FAIR_TITLE = 74.0
# How far "more comedy" moves a film, in shares of the best match.
TASTE_STEP = 0.25


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for films: BM25 of the words, cosine of the meaning, likeness of a title.

    ``ratings``: how many people rated each; ``taste``: genres wanted more (+1) or less (-1).
    """

    words: Mapping[int, float] = field(default_factory=dict)
    meaning: Mapping[int, float] = field(default_factory=dict)
    titles: Mapping[int, float] = field(default_factory=dict)
    taste: Mapping[int, float] = field(default_factory=dict)
    ratings: Mapping[int, int] = field(default_factory=dict)


def weighted_sum(
    evidence: Evidence,
    *,
    words_weight: float = WORDS_WEIGHT,
    fame_weight: float = FAME_WEIGHT,
) -> dict[int, float]:
    """{film id: score} of all films that anything speaks for."""
    movie_ids = [*{*evidence.words, *evidence.meaning, *evidence.titles, *evidence.taste}]
    scores = weighted_scores(
        movie_ids, evidence, words_weight=words_weight, fame_weight=fame_weight
    )
    return dict(zip(movie_ids, scores.tolist(), strict=True))


def weighted_scores(
    movie_ids: Sequence[int],
    evidence: Evidence,
    *,
    words_weight: float = WORDS_WEIGHT,
    fame_weight: float = FAME_WEIGHT,
) -> NDArray[np.float64]:
    """float64[n]: the scores of these films.

    Words, meaning and fame count from 0 to 1: the most among these, of fame among all ``ratings``.
    """

    def values(of: Mapping[int, float], missing: float = 0.0) -> NDArray[np.float64]:
        return np.array([of.get(movie_id, missing) for movie_id in movie_ids], dtype=np.float64)

    words, titles = values(evidence.words), values(evidence.titles)
    meaning = values(evidence.meaning, np.nan)
    has_words, has_meaning = words.any(), ~np.isnan(meaning)
    if not has_words or not has_meaning.any():
        words_weight = 1.0 if has_words else 0.0
    # Who types a title means that film, known or not.
    is_named = titles >= FAIR_TITLE
    most = max(evidence.ratings.values(), default=0)
    known = np.log2(1 + values(evidence.ratings)) / np.log2(2 + most)
    fame = np.where(is_named, 1.0, known)
    scores = words_weight * words / (words.max(initial=0.0) or 1.0) + fame_weight * fame
    if has_meaning.any():
        # The cosine of two films about nothing in common is not 0: the answer's own range counts.
        own = meaning - np.nanmin(meaning)
        scores += (1 - words_weight) * np.where(has_meaning, own / (np.nanmax(own) or 1.0), 0.0)
    in_part = np.where(is_named, (titles - FAIR_TITLE) / (GOOD_TITLE - FAIR_TITLE), 0.0)
    scores += np.where(titles >= GOOD_TITLE, TITLE_WEIGHT * titles / 100, in_part)
    return scores + TASTE_STEP * values(evidence.taste)


def reciprocal_ranks(evidence: Evidence) -> dict[int, float]:
    """{film id: score} by rank fusion: what the weighted sum is measured against."""
    scores: dict[int, float] = {}
    for part in (evidence.words, evidence.meaning):
        ranked = sorted(part, key=lambda movie_id: (-part[movie_id], movie_id))
        for rank, movie_id in enumerate(ranked, start=1):
            scores[movie_id] = scores.get(movie_id, 0.0) + 1 / (RRF_K + rank)
    return scores
