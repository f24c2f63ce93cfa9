"""Policies in the long run: lists, clicks, drift of taste and retraining, round after round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.models.base import Recommender
from ml.retrieval import history_mask
from ml.simulation import Behaviour, People, clicks
from ml.types import Histories, Interactions

Make = Callable[[], Recommender]
Tell = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how. ``refit_after`` new clicks train the policy again; None: frozen."""

    n_rounds: int = 30
    n_shown: int = 10
    keep: float = 0.97  # of each taste from round to round
    visits: float = 0.3  # the share of people who come in a round
    refit_after: int | None = 500


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one policy: ``coverage`` is the share of films shown to anybody in it."""

    policy: str
    number: int
    positive_rate: float
    coverage: float
    n_lists: int
    n_refits: int

    def to_json(self) -> dict[str, Any]:
        """As a record."""
        return asdict(self)


def run_rounds(
    name: str,
    make: Make,
    people: People,
    past: Interactions,
    plan: Plan,
    *,
    behaviour: Behaviour,
    seed: int = 0,
    tell: Tell | None = None,
) -> list[Round]:
    """One policy in a universe of its own; the same ``seed`` gives the same visits and drift.

    ``past`` is what the people did before; films that they clicked are not shown to them again.
    """
    chance, answers = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    log = past
    model, n_refits, n_new, found = make().fit(log, seed=seed), 0, 0, []
    for number in range(plan.n_rounds):
        if tell is not None:
            tell(f"round {number + 1}", number / plan.n_rounds)
        rows = np.flatnonzero(chance.random(len(people)) < plan.visits)
        people = people.drifted(chance, keep=plan.keep)
        if not len(rows):
            continue
        histories = Histories.from_interactions(log, users=rows)
        shown = model.recommend(
            histories, plan.n_shown, exclude=history_mask(histories, log.n_items)
        ).item_index
        liking = np.take_along_axis(people.liking(rows), np.maximum(shown, 0), axis=1)
        is_clicked = clicks(liking, behaviour, answers) & (shown >= 0)
        counts = np.bincount(shown[shown >= 0], minlength=log.n_items)
        log = joined(log, rows, shown, is_clicked, at=number)
        n_new += int(is_clicked.sum())
        if plan.refit_after is not None and n_new >= plan.refit_after:
            model, n_refits, n_new = make().fit(log, seed=seed), n_refits + 1, 0
        found.append(
            Round(
                policy=name,
                number=number,
                positive_rate=float(is_clicked.sum() / max(1, (shown >= 0).sum())),
                coverage=float((counts > 0).mean()),
                n_lists=len(rows),
                n_refits=n_refits,
            )
        )
    return found


def joined(
    log: Interactions,
    rows: Sequence[int] | NDArray[np.integer],
    shown: NDArray[np.integer],
    is_clicked: NDArray[np.bool_],
    *,
    at: int,
) -> Interactions:
    """The log with this round's clicks behind it."""
    who, where = np.nonzero(is_clicked)
    start = int(log.timestamp.max(initial=0)) + 1
    return Interactions(
        user_index=np.concatenate([log.user_index, np.asarray(rows)[who].astype(np.int32)]),
        item_index=np.concatenate([log.item_index, shown[who, where].astype(np.int32)]),
        rating=np.concatenate([log.rating, np.full(len(who), 5.0, dtype=np.float32)]),
        timestamp=np.concatenate([log.timestamp, np.full(len(who), start + at, dtype=np.int64)]),
        n_users=log.n_users,
        n_items=log.n_items,
    )
