"""Ranking: the order of the candidates, by the policy that was asked for.

Three kinds of policy: one source by its own score, a blend of sources (``Hybrid``), and a learner
over the blend's pool (``LambdaMart``, ``HgbRanker``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.models._pool_ranker import PoolRanker
from ml.models.base import Recommender
from ml.models.hybrid import Hybrid
from ml.types import FloatArray, Histories
from recommendations.candidates import Generation
from recommendations.preferences import starred


@dataclass(frozen=True)
class RankedPool:
    """One person's candidates, best first: positions int64[c] and scores float64[c].

    ``features`` float32[c, n_features] is what a learner ranked them by, else None.
    """

    items: NDArray[np.int64]
    scores: NDArray[np.float64]
    features: FloatArray | None = None

    def first(self, n: int) -> RankedPool:
        """The best ``n``."""
        return self.select(np.arange(min(n, len(self.items))))

    def select(self, at: NDArray[np.integer]) -> RankedPool:
        """The candidates at these places, in this order."""
        features = None if self.features is None else self.features[at]
        return replace(self, items=self.items[at], scores=self.scores[at], features=features)


class Ranker(Protocol):
    """What the pipeline asks of a policy."""

    @property
    def model(self) -> Recommender:
        """The fitted policy."""
        ...

    @property
    def sources(self) -> Mapping[str, Recommender]:
        """The sources to be asked for scores, by name."""
        ...

    @property
    def proposing(self) -> tuple[str, ...]:
        """Those of them whose best films make the pool; none where the ranker makes its own."""
        ...

    def rank(
        self,
        histories: Histories,
        generation: Generation,
        pools: Sequence[NDArray[np.int64]],
        *,
        exclude: sparse.csr_matrix,
    ) -> list[RankedPool]:
        """Each person's pool in order; films without a score are left out."""
        ...


def ranker_of(name: str, model: Recommender) -> Ranker:
    """How ``model``, served as ``name``, ranks."""
    if isinstance(model, Hybrid):
        return BlendRanker(model)
    if isinstance(model, PoolRanker):
        return LearnedRanker(model)
    return SingleRanker(name, model)


@dataclass(frozen=True)
class SingleRanker:
    """One source alone: its own score is the order."""

    name: str
    model: Recommender

    @property
    def sources(self) -> Mapping[str, Recommender]:
        """See :class:`Ranker`."""
        return {self.name: self.model}

    @property
    def proposing(self) -> tuple[str, ...]:
        """See :class:`Ranker`."""
        return (self.name,)

    def rank(
        self,
        histories: Histories,
        generation: Generation,
        pools: Sequence[NDArray[np.int64]],
        *,
        exclude: sparse.csr_matrix,
    ) -> list[RankedPool]:
        """See :class:`Ranker`."""
        scores = generation.scored.get(self.name)
        if scores is None:
            return [_ordered(pool[:0], np.empty(0)) for pool in pools]
        return [_ordered(pool, scores[i, pool]) for i, pool in enumerate(pools)]


@dataclass(frozen=True)
class BlendRanker:
    """The weighted sum of the sources' z-scores."""

    model: Hybrid

    @property
    def sources(self) -> Mapping[str, Recommender]:
        """See :class:`Ranker`."""
        return {part.label: self.model.models[part.label] for part in self.model.active()}

    @property
    def proposing(self) -> tuple[str, ...]:
        """See :class:`Ranker`."""
        return tuple(part.label for part in self.model.active())

    def rank(
        self,
        histories: Histories,
        generation: Generation,
        pools: Sequence[NDArray[np.int64]],
        *,
        exclude: sparse.csr_matrix,
    ) -> list[RankedPool]:
        """See :class:`Ranker`."""
        scored, affines = generation.scored, self.model.affines_of(generation.scored)
        generation.affines = affines
        return [
            _ordered(pool, self.model.blended_row(scored, i, pool, affines=affines))
            for i, pool in enumerate(pools)
        ]


@dataclass(frozen=True)
class LearnedRanker:
    """A learner over the features of the blend's best films: the kind of pool it was taught on."""

    model: PoolRanker

    @property
    def sources(self) -> Mapping[str, Recommender]:
        """See :class:`Ranker`."""
        return self.model.models

    @property
    def proposing(self) -> tuple[str, ...]:
        """See :class:`Ranker`."""
        return ()

    def rank(
        self,
        histories: Histories,
        generation: Generation,
        pools: Sequence[NDArray[np.int64]],
        *,
        exclude: sparse.csr_matrix,
    ) -> list[RankedPool]:
        """See :class:`Ranker`."""
        pool = self.model.pool(histories, scored=generation.scored, exclude=exclude)
        x = self.model.features_of(starred(histories), pool)
        raw = np.asarray(self.model.predict(x.reshape(-1, x.shape[-1])), dtype=np.float64)
        raw = raw.reshape(pool.items.shape)
        return [
            _ordered(pool.items[i][valid], raw[i][valid], features=x[i][valid])
            for i, valid in enumerate(pool.valid)
        ]


def _ordered(
    items: NDArray[np.integer], scores: NDArray[np.floating], *, features: FloatArray | None = None
) -> RankedPool:
    """Best first, ties to the film that came first; without what has no finite score."""
    finite = np.flatnonzero(np.isfinite(scores))
    order = finite[np.argsort(-scores[finite], kind="stable")]
    return RankedPool(
        items=items[order].astype(np.int64),
        scores=scores[order].astype(np.float64),
        features=None if features is None else features[order],
    )
