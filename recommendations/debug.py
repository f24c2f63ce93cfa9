"""How a list came about: candidates of every source, what was filtered and why, stage times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypeVar

import numpy as np

from accounts.models import User
from catalog.models import Movie
from feedback.selectors import FilmState, UserFeedback, feedback_of, film_states
from ml.features import USER_FEATURES
from ml.idmap import IdMap
from ml.models._pool_ranker import PoolRanker
from ml.models.base import Recommender
from ml.models.hybrid import Hybrid
from ml.retrieval import top_k
from ml.types import FloatArray
from recommendations.candidates import quota_of
from recommendations.feature_store import NoFeaturesError, user_features_of
from recommendations.limits import barred_for
from recommendations.pipeline import DEFAULT_SOURCE, Trace, recommend_many
from recommendations.ranked import RankedList
from recommendations.reranking import context_of
from recommendations.selectors import known_source, recommendations_for
from recommendations.snapshot import Snapshot, current_snapshot
from recommendations.sources import SOURCES, source_named

CANDIDATES = 20
_REASONS = (
    ("stars", "rated"),
    ("is_liked", "liked"),
    ("is_disliked", "disliked"),
    ("is_seen", "seen"),
    ("is_not_tonight", "not tonight"),
    ("is_never", "never"),
)
Made = TypeVar("Made")


@dataclass(frozen=True)
class Candidate:
    """A film that a source proposed. ``filtered`` says why no list shows it; empty if one may."""

    movie_id: int
    title: str
    score: float
    filtered: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceDebug:
    """One source: its first candidates before filtering, and how many films it scored.

    ``n_in_pool`` of the films that it proposed were ranked; ``skipped`` says why it was not asked,
    or what became of it.
    """

    name: str
    label: str
    weight: float | None
    n_scored: int = 0
    n_filtered: int = 0
    n_in_pool: int = 0
    took_ms: float | None = None
    skipped: str = ""
    candidates: tuple[Candidate, ...] = ()


@dataclass
class Debug:
    """Everything that the debug view shows. Stage times are in milliseconds."""

    source: str
    model_version: str
    generation: int
    n_history: int
    n_muted: int
    sources: list[SourceDebug] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    # From the feature store; empty before its first build, and without any event.
    user_features: dict[str, float] = field(default_factory=dict)
    ranked: RankedList | None = None
    titles: dict[int, str] = field(default_factory=dict)
    stages_ms: dict[str, float] = field(default_factory=dict)

    def timed(self, stage: str, work: Callable[[], Made]) -> Made:
        """What ``work`` gives; how long it took is noted under ``stage``."""
        started = perf_counter()
        made = work()
        self.stages_ms[stage] = round((perf_counter() - started) * 1000, 3)
        return made


def debug_of(user: User, *, source: str = DEFAULT_SOURCE) -> Debug:
    """The person's list from ``source``, opened up. Raises UnknownSourceError."""
    snapshot = current_snapshot()
    source = known_source(source, snapshot)
    version = snapshot.serving(source).version if snapshot else ""
    found = Debug(source, version, user.feedback_generation, 0, 0)
    person = found.timed("feedback", lambda: feedback_of(user))
    found.n_history, found.n_muted = len(person.history), len(person.muted_ids)
    found.user_features = found.timed("features", lambda: _features_of(user))
    if snapshot is not None:
        _open_up(found, user, person, snapshot)
    found.ranked = found.timed(
        "the list, as it is served",
        lambda: recommendations_for(
            user, n=CANDIDATES, source=source, feedback=person, snapshot=snapshot
        ),
    )
    films = found.ranked.films
    named = {film.movie_id for film in films} | {p.movie_id for f in films for p in f.evidence}
    found.titles = dict(Movie.objects.filter(pk__in=named).values_list("pk", "title"))
    return found


def _features_of(user: User) -> dict[str, float]:
    try:
        row = user_features_of([user]).get(user.pk)
    except NoFeaturesError:
        return {}
    return {} if row is None else dict(zip(USER_FEATURES, row.tolist(), strict=True))


def _open_up(found: Debug, user: User, person: UserFeedback, snapshot: Snapshot) -> None:
    """Runs the stages once more with everything kept; a fixed number of queries."""
    barred = found.timed("films that settings or an editor leave out", lambda: barred_for(user))
    traces: list[Trace] = []
    lists = recommend_many(
        [person],
        snapshot,
        n=CANDIDATES,
        source=found.source,
        barred=[barred],
        contexts=[context_of(user)],
        on_trace=traces,
    )
    trace = traces[0]
    found.counts = lists[0].counts
    found.stages_ms |= {stage: round(ms, 3) for stage, ms in trace.stages_ms.items()}
    took = trace.generation.took_ms
    found.stages_ms |= {f"scores of {name}": round(ms, 3) for name, ms in took.items()}
    rows = _rows(trace)
    proposed = {name: _best(row, trace.serving.items) for name, row in rows.items()}
    why = _Filtered.read(
        user, person, barred=barred, wanted={pk for films in proposed.values() for pk, _ in films}
    )
    gone = trace.serving.items.index(sorted(person.hidden_ids | barred))
    gone = gone[gone >= 0]
    pool = trace.ranked[0].items
    weights = weights_of(trace.serving.model)
    for name, row in rows.items():
        best = top_k(row[None, :], quota_of(name)).item_index[0]
        found.sources.append(
            SourceDebug(
                name=name,
                label=str(source_named(name).label) if name in SOURCES else name,
                weight=weights.get(name),
                n_scored=int(np.isfinite(row).sum()),
                n_filtered=int(np.isfinite(row[gone]).sum()),
                n_in_pool=int(np.isin(pool, best).sum()),
                took_ms=trace.generation.took_ms.get(name),
                candidates=tuple(
                    Candidate(pk, why.titles.get(pk, ""), score, why.reasons(pk))
                    for pk, score in proposed[name]
                ),
            )
        )
    found.sources += [
        SourceDebug(name, name, weights.get(name), skipped=reason)
        for name, reason in trace.generation.skipped.items()
    ]


def weights_of(model: Recommender) -> dict[str, float]:
    """The weights of a policy's sources; empty for a model that is no blend."""
    return {part.label: part.weight for part in getattr(model, "parts", ())}


def _rows(trace: Trace) -> dict[str, FloatArray]:
    """Scores float32[n_items] of the policy as a whole, where it is one, and of each source."""
    policy = trace.serving.model
    rows = {name: scores[0] for name, scores in trace.generation.scored.items()}
    if isinstance(policy, Hybrid):
        return {trace.serving.source: policy.blended(trace.generation.scored, 1)[0], **rows}
    if isinstance(policy, PoolRanker):
        whole = np.full(policy.n_items, -np.inf, dtype=np.float32)
        whole[trace.ranked[0].items] = trace.ranked[0].scores
        return {trace.serving.source: whole, **rows}
    return rows


def _best(row: FloatArray, items: IdMap) -> list[tuple[int, float]]:
    best = top_k(row[None, :], CANDIDATES)
    known = best.item_index[0] >= 0
    ids = items.id(best.item_index[0][known])
    return [(int(pk), float(s)) for pk, s in zip(ids, best.score[0][known], strict=True)]


@dataclass(frozen=True)
class _Filtered:
    """What it takes to say why a film is left out, read in a fixed number of queries."""

    titles: dict[int, str]
    states: dict[int, FilmState]
    edited: frozenset[int]
    barred: frozenset[int]

    @classmethod
    def read(
        cls, user: User, person: UserFeedback, *, barred: frozenset[int], wanted: set[int]
    ) -> _Filtered:
        films = Movie.objects.filter(pk__in=wanted).values_list("pk", "title", "is_hidden")
        found = list(films)
        return cls(
            titles={pk: title for pk, title, _ in found},
            states=film_states(user=user, movie_ids=sorted(wanted)),
            edited=frozenset(pk for pk, _, is_hidden in found if is_hidden),
            barred=barred,
        )

    def reasons(self, movie_id: int) -> tuple[str, ...]:
        state = self.states.get(movie_id)
        reasons = [said for name, said in _REASONS if state is not None and getattr(state, name)]
        if movie_id in self.barred:
            reasons.append("hidden by an editor" if movie_id in self.edited else "settings")
        return tuple(reasons)
