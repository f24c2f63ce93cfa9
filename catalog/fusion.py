"""One order out of several: how much words, meaning and titles count."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """{film id: score}. Words, meaning and fame count from 0 to 1 (the most of this answer)."""
    top_words = max(evidence.words.values(), default=0.0) or 1.0
    top_meaning = max(evidence.meaning.values(), default=0.0) or 1.0
    # The cosine of two films about nothing in common is not 0: the answer's own range counts.
    low = min(evidence.meaning.values(), default=0.0)
    span = (top_meaning - low) or 1.0
    if not evidence.meaning or not evidence.words:
        words_weight = 1.0 if evidence.words else 0.0
    top_fame = math.log2(2 + max(evidence.ratings.values(), default=0))
    scores: dict[int, float] = {}
    for movie_id in {*evidence.words, *evidence.meaning, *evidence.titles, *evidence.taste}:
        words = evidence.words.get(movie_id, 0.0) / top_words
        meaning = (evidence.meaning[movie_id] - low) / span if movie_id in evidence.meaning else 0.0
        title = evidence.titles.get(movie_id, 0.0)
        # Who types a title means that film, known or not.
        is_named = title >= FAIR_TITLE
        fame = 1.0 if is_named else math.log2(1 + evidence.ratings.get(movie_id, 0)) / top_fame
        score = words_weight * words + (1 - words_weight) * meaning + fame_weight * fame
        if title >= GOOD_TITLE:
            score += TITLE_WEIGHT * title / 100
        elif title >= FAIR_TITLE:
            score += (title - FAIR_TITLE) / (GOOD_TITLE - FAIR_TITLE)
        scores[movie_id] = score + TASTE_STEP * evidence.taste.get(movie_id, 0.0)
    return scores


def reciprocal_ranks(evidence: Evidence) -> dict[int, float]:
    """{film id: score} by rank fusion: what the weighted sum is measured against."""
    scores: dict[int, float] = {}
    for part in (evidence.words, evidence.meaning):
        ranked = sorted(part, key=lambda movie_id: (-part[movie_id], movie_id))
        for rank, movie_id in enumerate(ranked, start=1):
            scores[movie_id] = scores.get(movie_id, 0.0) + 1 / (RRF_K + rank)
    return scores
