"""What a pool ranker learns from: events that its sources did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ml.split import HistorySource, RollingHistories
from ml.types import FloatArray, Histories, Interactions

Target = Literal["next", "hidden", "strangers"]
TARGETS = get_args(Target)
HIDDEN_SHARE = 0.2
STRANGERS_SHARE = 0.2
MIN_EVENTS = 3  # people with fewer give no example


@dataclass(frozen=True, slots=True)
class Examples:
    """Training rows of one or more queries (people): features, labels, rows per query."""

    x: FloatArray
    y: NDArray[np.int8]
    group: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tasks:
    """What the learner is asked: row i is a moment of ``user[i]`` with its history, and the films
    that were to be found then."""

    user: NDArray[np.integer]
    histories: HistorySource
    wanted: Sequence[NDArray[np.integer]]


def held_back(
    data: Interactions, target: Target, n_labels: int, rng: np.random.Generator
) -> tuple[Interactions, Tasks]:
    """(what the sources learn from, what is to be predicted from what).

    "next": the last ``n_labels`` events of everyone, each from all before it. "hidden": a random
    fifth of everyone's events from the rest. "strangers": the same of a fifth of the people, of
    whom the sources see nothing, as they will see nothing of those who are asked later.
    """
    if target == "next":
        return _last_events(data, n_labels)
    order = np.lexsort((rng.permutation(len(data)), data.user_index))
    counts = np.bincount(data.user_index, minlength=data.n_users)
    start = np.cumsum(counts) - counts
    users = np.flatnonzero(counts >= MIN_EVENTS)
    if target == "strangers" and len(users):
        n_asked = int(np.ceil(STRANGERS_SHARE * len(users)))
        users = np.sort(rng.choice(users, n_asked, replace=False))
    held = np.maximum(1, (counts * HIDDEN_SHARE).astype(np.int64))
    is_held = np.zeros(len(data), dtype=np.bool_)
    wanted = []
    for u in users:
        own = order[start[u] + counts[u] - held[u] : start[u] + counts[u]]
        is_held[own] = True
        wanted.append(data.item_index[own])
    shown = data.select(~is_held)
    histories = Histories.from_interactions(shown, users=users)
    if target == "strangers":
        return data.select(~np.isin(data.user_index, users)), Tasks(users, histories, wanted)
    return shown, Tasks(users, histories, wanted)


def _last_events(data: Interactions, n_labels: int) -> tuple[Interactions, Tasks]:
    order = np.lexsort((data.timestamp, data.user_index))
    counts = np.bincount(data.user_index, minlength=data.n_users)
    start = np.cumsum(counts) - counts
    users = np.flatnonzero(counts >= MIN_EVENTS)
    held = np.where(counts >= MIN_EVENTS, np.minimum(n_labels, counts - MIN_EVENTS + 1), 0)
    place = np.arange(len(data)) - start[data.user_index[order]]
    is_held = np.zeros(len(data), dtype=np.bool_)
    is_held[order] = place >= (counts - held)[data.user_index[order]]
    asked = np.repeat(users, held[users])
    back = np.concatenate([np.arange(held[u], 0, -1) for u in users]) if len(users) else users
    stop = start[asked] + counts[asked] - back
    histories = RollingHistories(
        start=start[asked].astype(np.int64),
        stop=stop.astype(np.int64),
        item_index=data.item_index[order],
        rating=data.rating[order],
        timestamp=data.timestamp[order],
    )
    wanted = [data.item_index[order[at : at + 1]] for at in stop]
    return data.select(~is_held), Tasks(asked, histories, wanted)


def joined(examples: list[Examples]) -> Examples | None:
    """All as one; None of none."""
    if not examples:
        return None
    return Examples(
        x=np.concatenate([e.x for e in examples]),
        y=np.concatenate([e.y for e in examples]),
        group=np.concatenate([e.group for e in examples]),
    )
