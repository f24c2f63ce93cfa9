"""How a list came about: candidates of every source, what was filtered and why, stage times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import TypeVar

import numpy as np

from accounts.models import User
from catalog.models import Movie
from feedback.selectors import FilmState, UserFeedback, feedback_of, film_states
from ml.retrieval import top_k
from ml.types import Histories
from recommendations.limits import barred_for
from recommendations.pipeline import DEFAULT_SOURCE, UnknownSourceError
from recommendations.preferences import histories_of
from recommendations.ranked import RankedList
from recommendations.selectors import recommendations_for, source_names
from recommendations.snapshot import Snapshot, current_snapshot

CANDIDATES = 20
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
    """One source: its first candidates before filtering, and how many films it scored."""

    name: str
    weight: float | None
    n_scored: int
    n_filtered: int
    candidates: tuple[Candidate, ...]


@dataclass
class Debug:
    """Everything that the debug view shows. Stage times are in milliseconds."""

    source: str
    model_version: str
    generation: int
    n_history: int
    n_muted: int
    sources: list[SourceDebug] = field(default_factory=list)
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
    if source not in source_names(snapshot):
        names = ", ".join(source_names(snapshot))
        raise UnknownSourceError(f"There is no source {source!r}. Known: {names}.")
    found = Debug(source, snapshot.version if snapshot else "", user.feedback_generation, 0, 0)
    person = found.timed("feedback and settings", lambda: feedback_of(user))
    found.n_history, found.n_muted = len(person.history), len(person.muted_ids)
    if snapshot is not None:
        _open_up(found, user, person, snapshot)
    found.ranked = found.timed(
        "the list, as it is served",
        lambda: recommendations_for(
            user, n=CANDIDATES, source=source, feedback=person, snapshot=snapshot
        ),
    )
    shown = [film.movie_id for film in found.ranked.films]
    found.titles = dict(Movie.objects.filter(pk__in=shown).values_list("pk", "title"))
    return found


def _open_up(found: Debug, user: User, person: UserFeedback, snapshot: Snapshot) -> None:
    """Fills in the candidates of each source; titles and states in a fixed number of queries."""
    barred = found.timed("films that settings or an editor leave out", lambda: barred_for(user))
    history = histories_of([person], snapshot.items)
    scores = {
        name: found.timed(f"scores of {name}", partial(_scores, snapshot, name, history))
        for name in snapshot.source_names
    }
    best = {name: top_k(row[None, :], CANDIDATES) for name, row in scores.items()}
    proposed = {
        name: snapshot.items.id(top.item_index[0][top.item_index[0] >= 0])
        for name, top in best.items()
    }
    wanted = sorted({int(pk) for ids in proposed.values() for pk in ids})
    titles = dict(Movie.objects.filter(pk__in=wanted).values_list("pk", "title"))
    edited = frozenset(
        Movie.objects.filter(pk__in=wanted, is_hidden=True).values_list("pk", flat=True)
    )
    states = film_states(user=user, movie_ids=wanted)
    gone = snapshot.items.index(sorted(person.hidden_ids | barred))
    gone = gone[gone >= 0]
    weights = {part.label: part.weight for part in snapshot.hybrid.parts}
    for name, row in scores.items():
        found.sources.append(
            SourceDebug(
                name=name,
                weight=weights.get(name),
                n_scored=int(np.isfinite(row).sum()),
                n_filtered=int(np.isfinite(row[gone]).sum()),
                candidates=tuple(
                    Candidate(
                        movie_id=int(pk),
                        title=titles.get(int(pk), ""),
                        score=float(score),
                        filtered=_why_filtered(
                            int(pk), states.get(int(pk)), barred=barred, edited=edited
                        ),
                    )
                    for pk, score in zip(proposed[name], best[name].score[0], strict=False)
                ),
            )
        )


def _scores(snapshot: Snapshot, name: str, history: Histories) -> np.ndarray:
    return snapshot.source(name).score(history)[0]


_REASONS = (
    ("stars", "rated"),
    ("is_liked", "liked"),
    ("is_disliked", "disliked"),
    ("is_seen", "seen"),
    ("is_not_tonight", "not tonight"),
    ("is_never", "never"),
)


def _why_filtered(
    movie_id: int, state: FilmState | None, *, barred: frozenset[int], edited: frozenset[int]
) -> tuple[str, ...]:
    reasons = [said for name, said in _REASONS if state is not None and getattr(state, name)]
    if movie_id in barred:
        reasons.append("hidden by an editor" if movie_id in edited else "settings")
    return tuple(reasons)
