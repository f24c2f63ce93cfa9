"""A little chance in a list, with its exact odds: without it no log can judge another policy.

A deterministic policy shows one film at a place with certainty; what people would have done with
another is not in its log (Bottou et al., "Counterfactual Reasoning and Learning Systems", 2013).
The tail shuffle keeps the first places as they are. With chance ``epsilon`` the other places are
filled from a window of candidates (those places' own films and as many behind the list) in uniform
order. So a film of the window has at each of these places the marginal propensity

    (1 - epsilon) [the film is the policy's own at this place] + epsilon / |window|,

exactly: nothing has to be simulated to know it, and every film of the window has support.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Exploration:
    """How much chance: ``epsilon`` of the lists, from place ``first`` on, ``reserve`` more films.

    Raises ValueError for an epsilon outside 0..1 and for negative numbers of films.
    """

    epsilon: float = 0.0
    first: int = 3
    reserve: int = 12

    def __post_init__(self) -> None:
        if not 0.0 <= self.epsilon <= 1.0 or self.first < 0 or self.reserve < 0:
            raise ValueError("epsilon must be from 0 to 1, first and reserve not negative")


@dataclass(frozen=True, slots=True)
class Explored:
    """Which places of the ranking are shown, in order, and the chance of each to stand there."""

    order: tuple[int, ...]
    propensity: tuple[float, ...]


def tail_shuffle(n_ranked: int, n: int, how: Exploration, rng: np.random.Generator) -> Explored:
    """``n`` of ``n_ranked`` candidates (fewer where there are no more), by their places."""
    n = min(n, n_ranked)
    first = min(how.first, n)
    window = min(n_ranked, n + how.reserve) - first
    is_shuffled = bool(rng.random() < how.epsilon)
    order = list(range(n))
    if is_shuffled and window > 0:
        order[first:] = (first + rng.permutation(window)[: n - first]).tolist()
    return Explored(
        tuple(order),
        tuple(propensity_of(place, at, n_ranked, n, how) for at, place in enumerate(order)),
    )


def propensity_of(place: int, at: int, n_ranked: int, n: int, how: Exploration) -> float:
    """The chance that the candidate ranked ``place`` stands at position ``at`` of ``n``."""
    n = min(n, n_ranked)
    first = min(how.first, n)
    if at < first:
        return 1.0 if place == at else 0.0
    end = min(n_ranked, n + how.reserve)
    if not first <= place < end:
        return 0.0
    own = 1.0 - how.epsilon if place == at else 0.0
    return own + how.epsilon / (end - first)


def support(candidates: Sequence[int], wanted: Sequence[int]) -> float:
    """The share of ``wanted`` that the window ``candidates`` could have shown."""
    known = set(candidates)
    return sum(item in known for item in wanted) / len(wanted) if wanted else 0.0
