"""A recommendation request, stage by stage.

history -> candidate generation (every source, within its quota and time) -> filtering -> ranking
by the policy that was asked for -> re-ranking -> evidence; then the fallback chain fills what is
missing. Always ``n`` films while the catalogue has them, never an error.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from catalog.models import Movie
from feedback.selectors import UserFeedback
from ml.types import Histories
from recommendations.candidates import Generation, generate, pools
from recommendations.evidence import Explained, explained
from recommendations.evidence_columns import columns_of, packed
from recommendations.limits import barred_digest
from recommendations.metrics import note_generation
from recommendations.preferences import histories_of
from recommendations.ranked import RankedFilm, RankedList
from recommendations.ranking import RankedPool, Ranker, ranker_of
from recommendations.reranking import PLAIN, ListContext, Reranked, rerank
from recommendations.snapshot import Serving, Snapshot
from recommendations.sources import HYBRID, UnknownSourceError

__all__ = ["DEFAULT_SOURCE", "POPULAR", "UnknownSourceError", "popular_films", "recommend_many"]

POPULAR = "popular"
DEFAULT_SOURCE = HYBRID
Evidence = Literal["objects", "packed", "none"]
_NO_EVIDENCE = columns_of(())


@dataclass
class Trace:
    """One run of the stages, opened up: what the debug view shows. Times are in milliseconds."""

    serving: Serving
    generation: Generation
    pools: list[NDArray[np.int64]]
    ranked: list[RankedPool]
    stages_ms: dict[str, float]


class _Clock:
    """Time since the stage before."""

    def __init__(self) -> None:
        self.stages_ms: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, stage: str) -> None:
        now = perf_counter()
        self.stages_ms[stage] = self.stages_ms.get(stage, 0.0) + (now - self._last) * 1000
        self._last = now


def recommend_many(
    people: Sequence[UserFeedback],
    snapshot: Snapshot | None,
    *,
    n: int,
    source: str,
    barred: Sequence[frozenset[int]],
    contexts: Sequence[ListContext] | None = None,
    evidence: Evidence = "objects",
    without: Collection[str] = (),
    on_trace: list[Trace] | None = None,
    max_parts: int | None = None,
) -> list[RankedList]:
    """The best ``n`` films for each person from one source, without a fallback.

    ``barred`` are the films that each of them may not be shown (:mod:`recommendations.limits`),
    ``contexts`` their dials and earlier visits (:mod:`recommendations.reranking`; none: neutral
    dials, no visits).
    Shorter lists, or empty ones, come out where the source has no opinion. ``evidence`` "packed"
    leaves it as bytes beside films that have none, "none" saves it; ``max_parts`` keeps the
    strongest of it; ``without`` leaves sources out (a replay of a list that was made without them);
    ``on_trace`` is given what each stage did.
    Raises UnknownSourceError.
    """
    if snapshot is None:
        return [_empty(person, source) for person in people]
    serving = snapshot.serving(source)
    clock = _Clock()
    histories = histories_of(people, serving.items)
    exclude = _exclusion_matrix(people, serving, barred=barred)
    clock.lap("history and limits")
    ranker = ranker_of(serving.source, serving.model)
    generation = generate(ranker.sources, histories, without=without)
    note_generation(generation, n_people=len(people))
    clock.lap("candidates")
    found = pools(generation.scored, ranker.proposing, exclude=exclude, n=n)
    clock.lap("pool and filtering")
    ranked = ranker.rank(histories, generation, found, exclude=exclude)
    clock.lap("ranking")
    contexts = contexts if contexts is not None else [PLAIN] * len(people)
    reranked = rerank(
        ranked,
        people,
        contexts,
        snapshot=snapshot,
        source=serving.source,
        movie_ids=[serving.items.id(pool.items) for pool in ranked],
    )
    chosen = [found.first(n) for found in reranked]
    clock.lap("re-ranking")
    told = [
        _explained(
            i,
            of_person,
            people[i],
            serving=serving,
            ranker=ranker,
            histories=histories,
            generation=generation,
            max_parts=max_parts,
        )
        # A source that failed is not asked for reasons either.
        if evidence != "none" and len(of_person.pool.items)
        else _unexplained(of_person, serving)
        for i, of_person in enumerate(chosen)
    ]
    films = [own.films() if evidence == "objects" else own.bare_films() for own in told]
    clock.lap("explanation")
    if on_trace is not None:
        on_trace.append(Trace(serving, generation, found, ranked, clock.stages_ms))
    return [
        RankedList(
            films=films[i],
            packed=packed(told[i].columns) if evidence == "packed" else b"",
            source=serving.source,
            model_version=serving.version,
            model_version_id=serving.version_id,
            generation=person.generation,
            n_history=len(person.history),
            counts=_counts(i, person, generation, found[i], exclude),
            skipped=dict(generation.skipped),
            stages_ms=dict(clock.stages_ms),
            context={
                **contexts[i].to_json(),
                "n_history": len(person.history),
                "asked": _asked(
                    person, snapshot, n=n, barred=barred[i], skipped=generation.skipped
                ),
            },
        )
        for i, person in enumerate(people)
    ]


def _asked(
    person: UserFeedback,
    snapshot: Snapshot,
    *,
    n: int,
    barred: frozenset[int],
    skipped: Mapping[str, str],
) -> dict[str, Any]:
    """What :mod:`recommendations.replay` needs to make the list once more."""
    return {
        "n": n,
        "read_at": person.read_at.isoformat() if person.read_at else "",
        "barred": barred_digest(barred),
        "skipped": sorted(skipped),
        "policy_version": snapshot.version,
    }


def _empty(person: UserFeedback, source: str) -> RankedList:
    return RankedList(
        films=(), source=source, generation=person.generation, n_history=len(person.history)
    )


def _exclusion_matrix(
    people: Sequence[UserFeedback], serving: Serving, *, barred: Sequence[frozenset[int]]
) -> sparse.csr_matrix:
    """csr [n, n_items] of the films that a person must not be shown: 1 known, 2 barred, 3 both."""
    rows, codes = [], []
    for person, limits in zip(people, barred, strict=True):
        gone = np.sort(_ids(person.hidden_ids | limits))
        index = serving.items.index(gone)
        code = np.ones(len(gone), dtype=np.int8)
        if limits:
            code = np.isin(gone, _ids(person.hidden_ids)) + 2 * np.isin(gone, _ids(limits))
        rows.append(index[index >= 0])
        codes.append(code[index >= 0])
    indptr = np.concatenate([[0], np.cumsum([len(r) for r in rows])])
    indices = np.concatenate(rows) if rows else np.empty(0, np.int32)
    data = np.concatenate(codes).astype(np.int8) if codes else np.empty(0, np.int8)
    return sparse.csr_matrix((data, indices, indptr), shape=(len(people), len(serving.items)))


def _ids(films: frozenset[int]) -> NDArray[np.int64]:
    return np.fromiter(films, dtype=np.int64, count=len(films))


def _counts(
    i: int,
    person: UserFeedback,
    generation: Generation,
    pool: NDArray[np.int64],
    exclude: sparse.csr_matrix,
) -> dict[str, int]:
    """Films per stage: scored by some source, of these left out and why, and in the pool."""
    if generation.known is None:
        some = np.zeros(exclude.shape[1], dtype=np.bool_)
    else:
        some = generation.known[i]
    row = slice(int(exclude.indptr[i]), int(exclude.indptr[i + 1]))
    codes = exclude.data[row][some[exclude.indices[row]]]
    return {
        "candidates": int(np.count_nonzero(some)),
        "filtered": len(codes),
        "filtered_known": int(np.count_nonzero(codes & 1)),
        "filtered_settings": int(np.count_nonzero(codes & 2)),
        "pool": len(pool),
    }


def _unexplained(found: Reranked, serving: Serving) -> Explained:
    ids = serving.items.id(found.pool.items).tolist()
    return Explained(serving.source, ids, found.scores.tolist(), _NO_EVIDENCE)


def _explained(
    i: int,
    found: Reranked,
    person: UserFeedback,
    *,
    serving: Serving,
    ranker: Ranker,
    histories: Histories,
    generation: Generation,
    max_parts: int | None = None,
) -> Explained:
    """Row ``i`` of the histories and of the generation."""
    return explained(
        ranker,
        found,
        person,
        history=histories.select([i]),
        scored={name: scores[i : i + 1] for name, scores in generation.scored.items()},
        items=serving.items,
        source=serving.source,
        affines={
            name: (mean[i : i + 1], scale[i : i + 1])
            for name, (mean, scale) in generation.affines.items()
        },
        max_parts=max_parts,
    )


def explained_film(
    snapshot: Snapshot,
    person: UserFeedback,
    *,
    movie_id: int,
    source: str,
    barred: frozenset[int],
    context: ListContext,
    n: int,
) -> RankedFilm | None:
    """One film with all parts of its score, whatever its place; None without any opinion on it.

    A film of the pool that lists of ``n`` come from has the terms of re-ranking among its parts;
    any other (one that is hidden, or too far down) has the model's alone, and none where a ranker
    of pools never looked at it.
    """
    serving = snapshot.serving(source)
    index = int(serving.items.index([movie_id])[0])
    if index < 0:
        return None
    histories = histories_of([person], serving.items)
    ranker = ranker_of(serving.source, serving.model)
    generation = generate(ranker.sources, histories)
    exclude = _exclusion_matrix([person], serving, barred=[barred])
    pool = pools(generation.scored, ranker.proposing, exclude=exclude, n=n)
    ranked = ranker.rank(histories, generation, pool, exclude=exclude)
    reranked = rerank(
        ranked,
        [person],
        [context],
        snapshot=snapshot,
        source=serving.source,
        movie_ids=[serving.items.id(ranked[0].items)],
    )[0]
    if not np.any(reranked.pool.items == index):
        nothing = sparse.csr_matrix((1, len(serving.items)), dtype=np.int8)
        alone = ranker.rank(histories, generation, [np.array([index])], exclude=nothing)[0]
        reranked = Reranked(alone, alone.scores)
    at = np.flatnonzero(reranked.pool.items == index)
    if not len(at):
        return None
    told = _explained(
        0, reranked.select(at), person, serving=serving, ranker=ranker, histories=histories,
        generation=generation,
    )  # fmt: skip
    return told.films()[0]


def popular_films(*, n: int, without: Sequence[int] | frozenset[int]) -> list[RankedFilm]:
    """The films with the most ratings, then the newest: the end of the fallback chain."""
    ids = (
        Movie.objects.visible()
        .exclude(pk__in=without)
        .order_by("-rating_count", "-pk")
        .values_list("pk", flat=True)[:n]
    )
    return [RankedFilm(movie_id=pk, source=POPULAR) for pk in ids]
