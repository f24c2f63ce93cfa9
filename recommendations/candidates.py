"""Candidate generation: every source scores, its best films within its quota make up the pool.

A source that raises is logged and skipped; one that keeps running over its time budget rests for a
while. Both are named in the answer (``skipped``), so that a list can be computed again with the
sources that really made it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic, perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.models.base import Recommender
from ml.models.hybrid import Affines
from ml.retrieval import top_k
from ml.types import BoolArray, FloatArray, Histories
from recommendations.sources import SOURCES

logger = logging.getLogger(__name__)

DEFAULT_QUOTA = 100
DEFAULT_BUDGET_MS = 250.0
SLOW_IN_A_ROW = 3  # runs over the budget after which a source rests
REST_S = 30.0
FAILED, RESTING, LEFT_OUT = "failed", "resting: too slow", "left out"


@dataclass
class Generation:
    """What the sources said about ``n`` people.

    ``scored`` float32[n, n_items] by source, ``took_ms`` how long each took, ``skipped`` why one
    said nothing.
    """

    scored: dict[str, FloatArray] = field(default_factory=dict)
    # bool[n, n_items]: the films that some source has an opinion of.
    known: BoolArray | None = None
    took_ms: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    # Where a blend put its sources' scores on one scale: for the explanation of its ranking.
    affines: Affines = field(default_factory=dict)

    def note(self, name: str, scores: FloatArray) -> None:
        """What a source said; counted at once, while it is still in the core's cache."""
        self.scored[name] = scores
        if self.known is None:
            self.known = np.isfinite(scores)
            return
        for known, row in zip(self.known, scores, strict=True):
            known |= np.isfinite(row)


class Rest:
    """Which sources are too slow right now. One per process; a lock guards the few counters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_slow: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def is_resting(self, name: str, *, now: float) -> bool:
        """Whether the source should be left alone at ``now`` (seconds, monotonic)."""
        return self._until.get(name, 0.0) > now

    def note(self, name: str, *, took_ms: float, budget_ms: float, now: float) -> None:
        """Counts a run; the third in a row over the budget sends the source to rest."""
        if took_ms <= budget_ms:
            if self._n_slow.get(name):
                with self._lock:
                    self._n_slow[name] = 0
            return
        with self._lock:
            self._n_slow[name] = self._n_slow.get(name, 0) + 1
            if self._n_slow[name] >= SLOW_IN_A_ROW:
                self._n_slow[name] = 0
                self._until[name] = now + REST_S
                logger.warning("%s took %.0f ms again: it rests %.0f s", name, took_ms, REST_S)

    def clear(self) -> None:
        """Nobody rests any more."""
        with self._lock:
            self._n_slow.clear()
            self._until.clear()


resting = Rest()


def generate(
    models: Mapping[str, Recommender],
    histories: Histories,
    *,
    without: Collection[str] = (),
    rest: Rest = resting,
) -> Generation:
    """Scores of every source for these people; ``without`` names sources to leave out.

    A lone source never rests: there is nothing to answer in its place.
    """
    found = Generation()
    for name, model in models.items():
        if name in without:
            found.skipped[name] = LEFT_OUT
            continue
        if len(models) > 1 and rest.is_resting(name, now=monotonic()):
            found.skipped[name] = RESTING
            continue
        started = perf_counter()
        try:
            found.note(name, model.score(histories))
        except Exception as error:  # noqa: BLE001 - whatever a model raises, the others still answer
            logger.exception("Source %s failed and is skipped", name)
            found.skipped[name] = f"{FAILED}: {type(error).__name__}"
            continue
        took_ms = (perf_counter() - started) * 1000
        found.took_ms[name] = took_ms
        budget_ms = budget_of(name) * max(1, len(histories))
        rest.note(name, took_ms=took_ms, budget_ms=budget_ms, now=monotonic())
    return found


def quota_of(name: str) -> int:
    """How many films the source may put into a pool."""
    return SOURCES[name].quota if name in SOURCES else DEFAULT_QUOTA


def budget_of(name: str) -> float:
    """What the source may take for one person, in milliseconds."""
    return SOURCES[name].budget_ms if name in SOURCES else DEFAULT_BUDGET_MS


def pools(
    scored: Mapping[str, FloatArray],
    names: Sequence[str],
    *,
    exclude: sparse.csr_matrix,
    n: int,
) -> list[NDArray[np.int64]]:
    """Per person the union of the sources' best films that may be shown, as ascending positions.

    Each source adds its quota, or ``n`` where more are wanted than that.
    """
    best = [
        top_k(scored[name], max(n, quota_of(name)), exclude=exclude).item_index
        for name in names
        if name in scored
    ]
    if not best:
        return [np.empty(0, np.int64)] * exclude.shape[0]
    joined = np.concatenate(best, axis=1)
    return [np.unique(row[row >= 0]).astype(np.int64) for row in joined]
