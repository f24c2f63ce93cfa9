"""Four dials over a list, each with a guarantee: familiar-surprising, era, length, diversity.

A dial is a number from -1 to 1 (diversity from 0 to 1), in steps of a quarter. Turning one dial up
while the others stay where they are never lowers what it stands for: the list's mean surprise, mean
year, mean runtime, or intra-list diversity. All at 0 is the untouched list. What it costs in score
comes with the answer.

How: with trait values f_j per film and the list's diversity D, the list maximises

    mean z(score) + sum_j dial_j * TRAIT_STRENGTH * mean z(f_j) + dial_d * DIVERSITY_STRENGTH * D

exactly over one family of lists that doesn't depend on where the dials stand. For an exact
maximum over a fixed family each measure is monotone in its own dial whatever the others are (the
argument is in ``ml.reranking``). The family holds the true optimum over *all* lists for every
position of the first three dials, and greedy (MMR) lists for coarser positions of all four.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml.reranking import (
    Floats,
    Positions,
    intra_list_diversity,
    mmr_lists,
    standardise,
    untouched,
)

STEP = 0.25
TRAIT_STRENGTH = 2.0  # a dial at 1 outweighs two deviations of score
DIVERSITY_STRENGTH = 12.0  # mean similarity in a list moves by tenths, mean z-score by whole units
_FINE = np.arange(-1.0, 1.0 + STEP / 2, STEP)
_COARSE = np.array([-1.0, 0.0, 1.0])  # five stops took five times as long for the same lists
_GREEDY = np.array([0.2, 0.4, 0.6, 0.8])


@dataclass(frozen=True, slots=True)
class Dials:
    """Where the dials stand: each -1..1, diversity 0..1; rounded to steps of a quarter.

    ``surprise`` from familiar (-1) to surprising (1), ``era`` from older to newer, ``length`` from
    shorter to longer. Values outside raise ValueError.
    """

    surprise: float = 0.0
    era: float = 0.0
    length: float = 0.0
    diversity: float = 0.0

    def __post_init__(self) -> None:
        for name, low in (("surprise", -1), ("era", -1), ("length", -1), ("diversity", 0)):
            value = getattr(self, name)
            if not low <= value <= 1:
                msg = f"{name} is {value}, expected {low} to 1"
                raise ValueError(msg)
            object.__setattr__(self, name, round(value / STEP) * STEP)

    @property
    def traits(self) -> NDArray[np.float64]:
        """The first three as an array."""
        return np.array([self.surprise, self.era, self.length])


@dataclass(frozen=True, slots=True)
class Traits:
    """What the dials act on, for the ``n`` films of the pool; nan is unknown and counts as average.

    ``surprise`` high for films far from what the person knows or for rarely seen ones; ``year``;
    ``runtime`` in minutes; ``similarity`` [n, n] in 0..1 for diversity. None disables a dial.
    """

    surprise: Floats | None = None
    year: Floats | None = None
    runtime: Floats | None = None
    similarity: Floats | None = None


@dataclass(frozen=True, slots=True)
class Dialled:
    """The list (``order``, pool positions), its measures and those of the untouched list.

    ``cost`` is the loss of mean score in deviations of the pool; ``kept`` the share of the
    untouched list that is still there.
    """

    order: Positions
    cost: float
    kept: float
    measures: dict[str, float] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=dict)


class DialBoard:
    """The family of lists for one pool; ask it for any position of the dials."""

    def __init__(self, score: Floats, traits: Traits, k: int) -> None:
        """``score`` float[n] of the pool (100 to 300 films are plenty), lists of ``k``."""
        self.relevance = standardise(score)
        values = (traits.surprise, traits.year, traits.runtime)
        self.has_trait = np.array([v is not None for v in values])
        self.trait = np.stack(
            [np.zeros(len(self.relevance)) if v is None else standardise(v) for v in values]
        )
        self.similarity = traits.similarity
        self.family = self._build(score, min(k, len(self.relevance)))
        self.quality = self.relevance[self.family].mean(axis=1)
        self.mean_trait = self.trait[:, self.family].mean(axis=2)
        self.spread = (
            np.zeros(len(self.family))
            if self.similarity is None
            else intra_list_diversity(self.family, self.similarity)
        )

    def _build(self, score: Floats, k: int) -> Positions:
        """Every list the dials can give, the untouched one first, without repeats."""
        adjusted = self._adjusted(self._positions(_FINE))
        parts = [
            untouched(score, k)[None, :],
            np.argsort(-adjusted, axis=1, kind="stable")[:, :k],
        ]
        if self.similarity is not None:
            coarse = self._adjusted(self._positions(_COARSE))
            low, high = coarse.min(axis=1, keepdims=True), coarse.max(axis=1, keepdims=True)
            unit = (coarse - low) / np.maximum(high - low, 1e-12)
            relevance = np.repeat(unit, len(_GREEDY), axis=0)
            parts.append(mmr_lists(relevance, self.similarity, k, np.tile(_GREEDY, len(unit))))
        family = np.vstack(parts)
        _, first = np.unique(np.sort(family, axis=1), axis=0, return_index=True)
        return family[np.sort(first)]

    def _positions(self, stops: NDArray[np.float64]) -> NDArray[np.float64]:
        axes = [stops if has else np.zeros(1) for has in self.has_trait]
        return np.array(list(itertools.product(*axes)))

    def _adjusted(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.relevance + TRAIT_STRENGTH * positions @ self.trait

    def turn(self, dials: Dials) -> Dialled:
        """The list for ``dials``; a dial whose trait is missing has no effect."""
        objective = (
            self.quality
            + TRAIT_STRENGTH * dials.traits @ self.mean_trait
            + DIVERSITY_STRENGTH * dials.diversity * self.spread
        )
        # Rounding in the sums must not replace the untouched list by an equal one: the first of
        # the lists within rounding distance wins.
        best = int(np.flatnonzero(objective >= objective.max() - 1e-9)[0])
        return Dialled(
            order=self.family[best],
            cost=float(self.quality[0] - self.quality[best]),
            kept=float(np.isin(self.family[0], self.family[best]).mean()),
            measures=self._measures(best),
            before=self._measures(0),
        )

    def _measures(self, at: int) -> dict[str, float]:
        names = ("surprise", "era", "length")
        found = {n: float(self.mean_trait[j, at]) for j, n in enumerate(names) if self.has_trait[j]}
        if self.similarity is not None:
            found["diversity"] = float(self.spread[at])
        return found
