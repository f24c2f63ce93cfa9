"""Films told by their plots: each way of search alone, and together, on frozen queries."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.search_quality import WAIT_S, read_lines
from ml.bootstrap import paired_difference

if TYPE_CHECKING:
    from catalog.fusion import Evidence

WEIGHTS = tuple(round(0.1 * step, 1) for step in range(11))
FAME_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5)
WORDS_ALONE = "full text alone (BM25)"
VECTORS_ALONE = "vectors alone"
SERVED = "as served (both, fame, intent parser on)"


@dataclass(frozen=True)
class Case:
    """A query, its film, and what speaks for which films."""

    target: int
    is_validation: bool
    evidence: Evidence
    served: tuple[int, ...]


Answerer = Callable[[Case], Sequence[int]]


def cases() -> list[Case]:
    """Evidence for every known-item query; films are found by their IMDb id."""
    from catalog.embeddings.encoders import query_vectors
    from catalog.embeddings.nearest import active_space, nearest_among, nearest_films
    from catalog.fusion import Evidence
    from catalog.hybrid import CANDIDATES, search
    from catalog.models import ExternalId, Movie
    from catalog.words import films_by_words

    space = active_space()
    assert space is not None, "no vectors: run manage.py embed_movies first"
    ids = dict(ExternalId.objects.filter(source="imdb").values_list("value", "movie_id"))
    ratings = dict(Movie.objects.values_list("pk", "rating_count"))
    out = []
    for line in read_lines("known_items.jsonl"):
        query = line["query"]
        vector = query_vectors.get(query, encoder=space.encoder, wait_s=WAIT_S)
        assert vector is not None, "the encoder cannot be loaded"
        found, scores = films_by_words(query, n=CANDIDATES)
        words = dict(zip(found.tolist(), scores.tolist(), strict=True))
        near = nearest_films(vector, space, n=CANDIDATES)
        missing = sorted(set(words) - set(near.movie_ids))
        more = nearest_among(vector, space, movie_ids=missing, n=max(1, len(missing)))
        meaning = near.as_dict() | more.as_dict()
        out.append(
            Case(
                target=ids[line["imdb_id"]],
                is_validation=zlib.crc32(line["imdb_id"].encode()) % 2 == 0,
                evidence=Evidence(
                    words, meaning, ratings={pk: ratings[pk] for pk in {*words, *meaning}}
                ),
                served=tuple(f.movie_id for f in search(query, limit=10, wait_s=WAIT_S).found),
            )
        )
    return out


def first_ten(scores: Mapping[int, float]) -> tuple[int, ...]:
    """The ten best, ties by id."""
    return tuple(sorted(scores, key=lambda pk: (-scores[pk], pk))[:10])


def figures(cases: Sequence[Case], answer: Answerer) -> dict[str, float]:
    """MRR@10 and recall@10."""
    places = reciprocal_places(cases, answer)
    return {"mrr@10": float(places.mean()), "recall@10": float((places > 0).mean())}


def reciprocal_places(cases: Sequence[Case], answer: Answerer) -> np.ndarray:
    """float64[n]: 1 for a film in the first place, 1/2 in the second, 0 beyond the tenth."""
    out = np.zeros(len(cases))
    for row, case in enumerate(cases):
        found = list(answer(case))[:10]
        if case.target in found:
            out[row] = 1 / (found.index(case.target) + 1)
    return out


def _against(cases: Sequence[Case], one: Answerer, other: Answerer) -> dict[str, dict]:
    """How much ``one`` is better, query by query, with 95 % bootstrap intervals."""
    first, second = reciprocal_places(cases, one), reciprocal_places(cases, other)
    out = {}
    for name, left, right in (
        ("mrr@10", first, second),
        ("recall@10", first > 0, second > 0),
    ):
        gap = paired_difference(left.astype(float), right.astype(float))
        out[name] = {"difference": gap.mean, "low": gap.lo, "high": gap.hi}
    return out


def meaning() -> dict:
    """Each way alone and together; the weight is chosen on one half, the other reported."""
    from catalog.fusion import FAME_WEIGHT, WORDS_WEIGHT

    everything = cases()
    valid = [case for case in everything if case.is_validation]
    test = [case for case in everything if not case.is_validation]
    sweep = {
        f"words {words}, fame {fame}": figures(valid, _weighted(words, fame))
        for fame in FAME_WEIGHTS
        for words in WEIGHTS
    }
    systems = ways()
    served = systems[SERVED]
    return {
        "n": len(everything),
        "n_validation": len(valid),
        "n_test": len(test),
        "validation_sweep": sweep,
        "shipped": {"words": WORDS_WEIGHT, "fame": FAME_WEIGHT},
        "test": {name: figures(test, answer) for name, answer in systems.items()},
        "all": {name: figures(everything, answer) for name, answer in systems.items()},
        "served_against": {
            name: {
                "test": _against(test, served, answer),
                "all": _against(everything, served, answer),
            }
            for name, answer in systems.items()
            if name != SERVED
        },
    }


def _weighted(words: float, fame: float) -> Answerer:
    from catalog.fusion import weighted_sum

    return lambda case: first_ten(weighted_sum(case.evidence, words_weight=words, fame_weight=fame))


def ways() -> dict[str, Answerer]:
    """The compared ways: each alone as it is and with the same fame, and both together."""
    from catalog.fusion import (
        FAME_WEIGHT,
        WORDS_WEIGHT,
        Evidence,
        reciprocal_ranks,
        weighted_sum,
    )

    def alone(name: str) -> Answerer:
        return lambda case: first_ten(
            weighted_sum(
                Evidence(**{name: getattr(case.evidence, name)}, ratings=case.evidence.ratings)
            )
        )

    return {
        WORDS_ALONE: lambda case: first_ten(case.evidence.words),
        VECTORS_ALONE: lambda case: first_ten(case.evidence.meaning),
        "words with fame": alone("words"),
        "vectors with fame": alone("meaning"),
        "both by rank fusion": lambda case: first_ten(reciprocal_ranks(case.evidence)),
        "both by weighted sum, no fame": _weighted(WORDS_WEIGHT, 0.0),
        "both by weighted sum, with fame": _weighted(WORDS_WEIGHT, FAME_WEIGHT),
        SERVED: lambda case: case.served,
    }
