"""Candidates for everybody at once: each source's best films, without score matrices.

For 138,493 people and 26,744 films one source's scores would be 15 GB. Here a person's scores live
in a core's cache, and what leaves it are the best ``k``.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import numpy as np
from scipy import sparse

from ml.models.als import Als
from ml.models.base import Recommender
from ml.models.hybrid import Hybrid
from ml.models.item_to_item import ItemToItem
from ml.models.popularity import Popularity
from ml.models.slit import Slit
from ml.retrieval import ReadyTable, history_mask, top_k_of_one, top_k_products, top_k_table
from ml.types import FloatArray, Histories, ScoredItems

BATCH = 8192  # people whose histories are opened at once
SAME = 2.0**-21  # weights that differ by a smaller share are the same one, rounded in other ways

Models: TypeAlias = Mapping[str, Recommender]
# The best k by each of some models, in their order: of (people, what they know, k).
Way: TypeAlias = Callable[[Histories, sparse.csr_matrix, int], list[ScoredItems]]


@dataclass
class Everybody:
    """Per source the best films int32[n, k] of everybody, and the seconds that it took.

    Sources that share a table are asked together: their seconds have one name, "a + b".
    """

    best: dict[str, ScoredItems] = field(default_factory=dict)
    took_s: dict[str, float] = field(default_factory=dict)


def candidates_for_all(hybrid: Hybrid, histories: Histories, *, k: int) -> Everybody:
    """The candidate stage of the policy for all of ``histories``, batch by batch.

    What people know is left out. The same films as ``Recommender.recommend`` gives them one by one,
    up to the rounding of sums in another order.
    """
    return _for_all(
        {part.label: hybrid.models[part.label] for part in hybrid.active()}, histories, k
    )


def best_films(model: Recommender, histories: Histories, *, k: int) -> ScoredItems:
    """The ``k`` best films of every person by one model, by the fastest exact way there is."""
    return _for_all({model.name: model}, histories, k).best[model.name]


def _for_all(models: Models, histories: Histories, k: int) -> Everybody:
    ways: list[tuple[list[str], Way]] = []
    took: dict[str, float] = defaultdict(float)
    for labels in _asked_together(models):
        started = time.perf_counter()
        ways.append((labels, _way([models[label] for label in labels])))
        took[" + ".join(labels)] += time.perf_counter() - started
    n = len(histories)
    best = {
        label: ScoredItems(np.empty((n, k), np.int32), np.empty((n, k), np.float32))
        for label in models
    }
    sizes = {model.n_items for model in models.values()}
    for start in range(0, n, BATCH):
        people = _between(histories, start, start + BATCH)
        known = {n_items: history_mask(people, n_items) for n_items in sizes}
        for labels, way in ways:
            started = time.perf_counter()
            found = way(people, known[models[labels[0]].n_items], k)
            for label, own in zip(labels, found, strict=True):
                best[label].item_index[start : start + BATCH] = own.item_index
                best[label].score[start : start + BATCH] = own.score
            took[" + ".join(labels)] += time.perf_counter() - started
    return Everybody(best, dict(took))


def _between(histories: Histories, start: int, stop: int) -> Histories:
    """People ``start`` to ``stop`` (or the last), as views."""
    indptr = histories.indptr[start : stop + 1]
    events = slice(int(indptr[0]), int(indptr[-1]))
    return Histories(
        indptr=indptr - indptr[0],
        item_index=histories.item_index[events],
        weight=histories.weight[events],
        rating=histories.rating[events],
        timestamp=histories.timestamp[events],
    )


def _asked_together(models: Models) -> list[list[str]]:
    """The labels one by one, or two where the scores of the second follow from the first's."""
    groups: list[list[str]] = []
    for label, model in sorted(models.items(), key=lambda pair: _weighs_by_age(pair[1])):
        leader = next((g for g in groups if len(g) == 1 and _follows(model, models[g[0]])), None)
        if leader is None:
            groups.append([label])
        else:
            leader.append(label)
    return groups


def _weighs_by_age(model: Recommender) -> bool:
    return isinstance(model, ItemToItem) and model.decay < 1


def _follows(model: Recommender, first: Recommender) -> bool:
    """Whether both ask one table, and ``model`` weighs all but the latest events by its floor.

    Its scores are then the floor times the other's, plus what the latest events count more.
    """
    return (
        isinstance(model, ItemToItem)
        and isinstance(first, ItemToItem)
        and type(model) is type(first)
        and not isinstance(model, Slit)
        and first.decay == 1
        and model.floor > 0
        and np.array_equal(model.seen, first.seen)
        and _is_one_table(model.table, first.table)
    )


def _is_one_table(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return False  # dense: BLAS multiplies it for many people at once
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("indptr", "indices", "data")
    )


def _way(models: list[Recommender]) -> Way:
    """How these models are asked; more than one only where they share a sparse table."""
    model = models[0]
    if isinstance(model, Als):
        return partial(_by_factors, model)
    if isinstance(model, Popularity):
        return partial(_by_popularity, model)
    if isinstance(model, ItemToItem) and not isinstance(model.table, np.ndarray):
        tables = [each for each in models if isinstance(each, ItemToItem)]
        return partial(_by_table, tables, ReadyTable.of(model.table, seen=model.seen))
    return partial(_one_by_one, model)


def _by_factors(
    model: Als, people: Histories, known: sparse.csr_matrix, k: int
) -> list[ScoredItems]:
    """Nothing for who has nothing to go by."""
    vectors = model.user_vectors_of_many(people)
    best = top_k_products(vectors, model.item_factors, k, exclude=known)
    nobody = ~vectors.any(axis=1)
    best.item_index[nobody] = -1
    best.score[nobody] = -np.inf
    return [best]


def _by_popularity(
    model: Popularity, people: Histories, known: sparse.csr_matrix, k: int
) -> list[ScoredItems]:
    return [top_k_of_one(model.item_score, k, exclude=known)]


def _one_by_one(
    model: Recommender, people: Histories, known: sparse.csr_matrix, k: int
) -> list[ScoredItems]:
    return [model.recommend(people, k, exclude=known)]


def _by_table(
    models: list[ItemToItem],
    table: ReadyTable,
    people: Histories,
    known: sparse.csr_matrix,
    k: int,
) -> list[ScoredItems]:
    first = models[0]
    if isinstance(first, Slit):
        weight = first.memory_weights(people)
    else:
        weight = first.event_weights(people)[None]
    weighted = [(0.0, _rows(weight, people, first.n_items))]
    for model in models[1:]:
        own = model.event_weights(people)[None]
        more = own - np.float32(model.floor) * weight
        more[np.abs(more) <= SAME * np.abs(own)] = 0.0
        weighted.append((model.floor, _rows(more, people, model.n_items)))
    return top_k_table(weighted, table, k, exclude=known)


def _rows(weight: FloatArray, people: Histories, n_items: int) -> sparse.csr_matrix:
    """csr float32[n, m n_items] of each event's ``weight`` [m, n_events] in each of m memories."""
    m = len(weight)
    flat = weight.T.ravel()
    columns = (people.item_index[:, None] + n_items * np.arange(m, dtype=np.int32)).ravel()
    used = flat != 0
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(used)])[m * people.indptr]
    shape = (len(people), m * n_items)
    return sparse.csr_matrix((flat[used], columns[used], starts), shape=shape)
