"""Ranked pools of held-out people: what the benchmarks of re-ranking, dials and freshness share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.blend_weights import SOURCES
from ml import metrics
from ml.data import load_ratings
from ml.dials import Dials
from ml.evaluation import batch_exclude
from ml.items import load_item_features
from ml.models.als import Als
from ml.models.hybrid import Hybrid
from ml.models.registry import create
from ml.protocols_users import strong
from ml.reranking import calibration_error, genre_mix, intra_list_diversity
from ml.retrieval import top_k
from ml.shortlist import LIST_FILMS, NEUTRAL, Pool, Shortlist, Strengths, shortlist, traits_of
from ml.split import RankingSplit
from ml.types import FloatArray

POOL_FILMS = 200
# Chosen on validation people by the training on ml-latest-small.
WEIGHTS = {"ease": 0.5, "item_item": 0.1, "als": 0.4, "popularity": 0.0}


@dataclass(frozen=True)
class People:
    """Pools of ``n`` people, the catalogue positions of their films, and what must be found."""

    dataset: str
    split: RankingSplit
    pools: list[Pool]
    items: list[NDArray[np.integer]]

    def lists(
        self, strengths: Strengths, *, dials: Dials = NEUTRAL, k: int = LIST_FILMS
    ) -> list[Shortlist]:
        """Everybody's list."""
        return [shortlist(pool, strengths, dials=dials, k=k) for pool in self.pools]

    def shown(self, lists: list[Shortlist], *, k: int = LIST_FILMS) -> NDArray[np.int32]:
        """[n, k] catalogue positions."""
        rows = [i[found.order[:k]] for i, found in zip(self.items, lists, strict=True)]
        out = np.full((len(rows), k), -1, np.int32)
        for at, row in enumerate(rows):
            out[at, : len(row)] = row
        return out

    def ndcg(self, lists: list[Shortlist], *, k: int = LIST_FILMS) -> NDArray[np.float64]:
        """NDCG@k per person."""
        return metrics.ndcg_at_k(self.shown(lists, k=k), self.split.truth, k)

    def calibration_errors(self, lists: list[Shortlist]) -> list[float]:
        """KL(person's genre mix || list's) per person with a mix."""
        return [
            float(
                calibration_error(found.order[None, :LIST_FILMS], pool.genres, pool.genre_target)[0]
            )
            for pool, found in zip(self.pools, lists, strict=True)
            if pool.genres is not None and pool.genre_target is not None
        ]

    def diversities(self, lists: list[Shortlist]) -> list[float]:
        """Mean of 1 - cosine over the pairs of each list."""
        out = []
        for pool, found in zip(self.pools, lists, strict=True):
            similarity = traits_of(pool).similarity
            assert similarity is not None  # noqa: S101 - these pools have vectors
            out.append(float(intra_list_diversity(found.order[None, :LIST_FILMS], similarity)[0]))
        return out


def people_of(folder: Path, *, seed: int, part: Literal["valid", "test"]) -> People:
    """Fits the served blend without the held-out people and ranks for each of them."""
    data = load_ratings(folder)
    features = load_item_features(folder, data.items)
    split = strong(data, seed=seed, part=part)
    models = {
        label: create(name, params).fit(split.train, seed=seed, features=features)
        for label, (name, params) in SOURCES.items()
    }
    hybrid = Hybrid.of(models, WEIGHTS)
    als = models["als"]
    assert isinstance(als, Als)  # noqa: S101 - the table of sources says so
    counts = np.bincount(split.train.item_index, minlength=split.train.n_items)
    facts = Facts(als.item_factors, np.asarray(features.genres), features.year, counts)
    pools, items = [], []
    everyone = np.arange(len(split))
    for start in range(0, len(split), 256):
        rows = everyone[start : start + 256]
        histories = split.histories.select(rows)
        best = top_k(
            hybrid.score(histories), POOL_FILMS, exclude=batch_exclude(split, histories, rows)
        )
        for i in range(len(rows)):
            found = best.item_index[i][best.item_index[i] >= 0]
            liked = histories.item_index[histories.row(i)]
            pools.append(facts.pool(found, best.score[i][: len(found)], liked))
            items.append(found)
    return People(data.name, split, pools, items)


@dataclass(frozen=True)
class Facts:
    """What is known of every film: vectors [n_items, d], genres, years and counts of ratings."""

    vectors: FloatArray
    genres: FloatArray
    year: FloatArray | None
    counts: NDArray[np.integer]

    def pool(
        self, found: NDArray[np.integer], score: FloatArray, liked: NDArray[np.integer]
    ) -> Pool:
        """The pool of one person who liked the films ``liked``."""
        return Pool(
            model_score=score,
            vectors=self.vectors[found],
            liked_vectors=self.vectors[liked],
            liked_weight=np.ones(len(liked)),
            genres=self.genres[found],
            genre_target=genre_mix(self.genres[liked]),
            popularity=self.counts[found],
            year=None if self.year is None else self.year[found],
            # The data sets know no runtimes: made up, the same every time, for the dial's sake.
            runtime=70.0 + (found.astype(np.int64) * 37) % 110,
        )


def seen_before(pool: Pool, *, is_repeat: NDArray[np.bool_], ignored: NDArray) -> Pool:
    """The pool at the next visit."""
    return replace(pool, is_repeat=is_repeat, ignored=ignored, ignored_days=np.zeros(len(ignored)))
