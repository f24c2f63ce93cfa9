"""Candidates for everybody at once: each source's best films, without score matrices.

For 138,493 people and 26,744 films one source's scores would be 15 GB. Here a person's scores live
in a core's cache, and what leaves it are the best ``k``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from ml.models.als import Als
from ml.models.base import Recommender
from ml.models.hybrid import Hybrid
from ml.models.item_to_item import ItemToItem
from ml.models.popularity import Popularity
from ml.retrieval import history_mask, top_k_products, top_k_table
from ml.types import Histories, ScoredItems

BATCH = 8192  # people whose histories are opened at once


@dataclass
class Everybody:
    """Per source the best films int32[n, k] of everybody, and the seconds that it took."""

    best: dict[str, ScoredItems] = field(default_factory=dict)
    took_s: dict[str, float] = field(default_factory=dict)


def candidates_for_all(hybrid: Hybrid, histories: Histories, *, k: int) -> Everybody:
    """The candidate stage of the policy for all of ``histories``, source by source.

    What people know is left out. The same films as ``Recommender.recommend`` gives them one by one,
    up to the rounding of sums in another order.
    """
    found = Everybody()
    for part in hybrid.active():
        started = time.perf_counter()
        found.best[part.label] = best_films(hybrid.models[part.label], histories, k=k)
        found.took_s[part.label] = time.perf_counter() - started
    return found


def best_films(model: Recommender, histories: Histories, *, k: int) -> ScoredItems:
    """The ``k`` best films of every person by one model, by the fastest exact way there is."""
    parts = []
    for start in range(0, len(histories), BATCH):
        people = histories.select(np.arange(start, min(start + BATCH, len(histories))))
        parts.append(_best_of_batch(model, people, k=k))
    return ScoredItems(
        item_index=np.concatenate([part.item_index for part in parts]),
        score=np.concatenate([part.score for part in parts]),
    )


def _best_of_batch(model: Recommender, people: Histories, *, k: int) -> ScoredItems:
    known = history_mask(people, model.n_items)
    if isinstance(model, Als):
        vectors = model.user_vectors_of_many(people)
        return _personal(top_k_products(vectors, model.item_factors, k, exclude=known), vectors)
    if isinstance(model, ItemToItem) and (rows := model.table_rows(people)) is not None:
        return top_k_table(rows, model.table, k, seen=model.seen, exclude=known)
    if isinstance(model, Popularity):
        # Of the same list for all, whoever knows m of the first films needs m more.
        return _popular(model, known, k=k)
    return model.recommend(people, k, exclude=known)


def _personal(best: ScoredItems, vectors: np.ndarray) -> ScoredItems:
    """Nothing for who has nothing to go by."""
    nobody = ~vectors.any(axis=1)
    best.item_index[nobody] = -1
    best.score[nobody] = -np.inf
    return best


def _popular(model: Popularity, known: object, *, k: int) -> ScoredItems:
    order = np.argsort(-model.item_score, kind="stable").astype(np.int32)
    n = known.shape[0]  # type: ignore[attr-defined]
    indptr, indices = known.indptr, known.indices  # type: ignore[attr-defined]
    best = np.full((n, k), -1, dtype=np.int32)
    for i in range(n):
        own = indices[indptr[i] : indptr[i + 1]]
        head = order[: k + len(own)]
        rest = head[~np.isin(head, own)][:k]
        best[i, : len(rest)] = rest
    score = np.where(best >= 0, model.item_score[best], np.float32(-np.inf))
    return ScoredItems(best, score.astype(np.float32))
