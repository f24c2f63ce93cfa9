"""Two policies inside one list: team-draft interleaving.

Radlinski, Kurup and Joachims, "How Does Clickthrough Data Reflect Retrieval Quality?" (2008): like
captains choosing teams, the policies take turns (a coin says who is first each time) to add their
best film that is not on the list yet; a click counts for the team that added the film. Everybody
compares both policies at once, so that differences between people cancel: Chapelle et al.,
"Large-Scale Validation and Analysis of Interleaved Search Evaluation" (2012).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

A, B = "A", "B"


@dataclass(frozen=True, slots=True)
class Draft:
    """The list that people see: ``items`` in order, and whose each is (a string of A and B)."""

    items: tuple[int, ...]
    teams: str


def team_draft(a: Sequence[int], b: Sequence[int], n: int, rng: np.random.Generator) -> Draft:
    """``n`` items of the rankings ``a`` and ``b``, fewer where both together have no more."""
    rankings = {A: a, B: b}
    at, count = {A: 0, B: 0}, {A: 0, B: 0}
    items: list[int] = []
    teams: list[str] = []
    taken: set[int] = set()
    while len(items) < n:
        is_behind = count[A] - count[B]
        # The coin is thrown whenever both are equal, needed or not: the same seed, the same list.
        coin = A if rng.random() < 0.5 else B
        turn = coin if is_behind == 0 else (A if is_behind < 0 else B)
        found = _next(rankings[turn], at[turn], taken)
        if found is None:
            turn = B if turn == A else A
            found = _next(rankings[turn], at[turn], taken)
            if found is None:
                break
        at[turn] = found + 1
        item = rankings[turn][found]
        taken.add(item)
        items.append(item)
        teams.append(turn)
        count[turn] += 1
    return Draft(tuple(items), "".join(teams))


def _next(ranking: Sequence[int], start: int, taken: set[int]) -> int | None:
    return next((i for i in range(start, len(ranking)) if ranking[i] not in taken), None)


def preference(n_a: int, n_b: int) -> float:
    """What one list says of B against A, from -1 to 1: 0 where nobody clicked, or alike."""
    total = n_a + n_b
    return (n_b - n_a) / total if total else 0.0


def credits_of(teams: str, is_clicked: NDArray[np.bool_]) -> tuple[int, int]:
    """Clicks on A's films and on B's; ``is_clicked`` [n] by position."""
    is_b = np.frombuffer(teams.encode(), dtype="S1") == B.encode()
    return int((is_clicked & ~is_b).sum()), int((is_clicked & is_b).sum())
