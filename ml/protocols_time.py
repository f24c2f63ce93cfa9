"""Protocols that respect time: the next film, and the future of everyone."""

from __future__ import annotations

import numpy as np

from ml.data import Dataset
from ml.protocols_users import Part
from ml.split import (
    RankingSplit,
    RollingHistories,
    SplitError,
    event_ranks,
    pairs_csr,
    ranking_task,
    time_order,
)
from ml.types import Histories, Interactions


def last_out(data: Dataset, *, seed: int = 0, part: Part = "test") -> RankingSplit:
    """Each person's last event by (time, source row) is to be found from all before it.

    Validation: the event before the last, from all before that; the test model learns from
    everything but the last event. Every rating is an event. People with fewer than 3 are left out
    of the question but not of training. The seed changes nothing and is kept for the record.
    """
    _need_time(data, "last-out")
    events = data.interactions
    rank, count = event_ranks(events.user_index, time_order(events))
    back = count - 1 - rank
    asked = count >= 3
    position = 0 if part == "test" else 1
    train = events.select((back > position) | ~asked)
    hidden = events.select((back == position) & asked)
    if not len(hidden):
        raise SplitError("last-out needs people with at least 3 ratings")
    users = np.sort(hidden.user_index)
    hidden = hidden.select(np.argsort(hidden.user_index, kind="stable"))
    return RankingSplit(
        protocol="last-out",
        dataset=data.name,
        seed=seed,
        train=train,
        histories=Histories.from_interactions(train, users=users),
        truth=pairs_csr(
            np.arange(len(users)), hidden.item_index, shape=(len(users), events.n_items)
        ),
        user_index=users,
        group=users,
        truth_timestamp=hidden.timestamp,
    )


def temporal_warm(
    data: Dataset, *, seed: int = 0, share: float = 0.9, part: Part = "test"
) -> RankingSplit:
    """Global time split, warm people: learn from before T, find all films rated at or after T.

    T is the ``share`` quantile of all times; asked are people with events on both sides. The
    validation task is the same split of the events before T.
    """
    _need_time(data, "temporal")
    before, after = _cut(data.interactions, share=share, part=part)
    known = np.bincount(before.user_index, minlength=before.n_users) > 0
    hidden = after.select(known[after.user_index])
    if not len(hidden):
        raise SplitError("temporal needs people with ratings before and after the split time")
    return ranking_task(
        data, "temporal", seed=seed, train=before, shown=before, hidden=hidden, held_out=False
    )


def prequential(
    data: Dataset, *, seed: int = 0, share: float = 0.9, part: Part = "test"
) -> RankingSplit:
    """The product's own task: the model frozen at T, each later event predicted from all before it.

    Each row is one event at or after T with at least one earlier event of its person; the history
    is everything before it, events after T included. Films without an event before T cannot be
    reached and count as misses.
    """
    _need_time(data, "prequential")
    before, after = _cut(data.interactions, share=share, part=part)
    flat = _sorted_by_user(_joined(before, after))
    cut_time = int(after.timestamp.min()) if len(after) else 0
    counts = np.bincount(flat.user_index, minlength=flat.n_users)
    first = (np.cumsum(counts) - counts)[flat.user_index]
    at = np.flatnonzero((flat.timestamp >= cut_time) & (np.arange(len(flat)) > first))
    if not len(after) or not len(at):
        raise SplitError("prequential needs ratings after the split time with earlier ones")
    users = flat.user_index[at]
    in_train = np.bincount(before.user_index, minlength=before.n_users) > 0
    return RankingSplit(
        protocol="prequential",
        dataset=data.name,
        seed=seed,
        train=before,
        histories=RollingHistories(
            start=first[at].astype(np.int64),
            stop=at.astype(np.int64),
            item_index=flat.item_index,
            rating=flat.rating,
            timestamp=flat.timestamp,
        ),
        truth=pairs_csr(np.arange(len(at)), flat.item_index[at], shape=(len(at), flat.n_items)),
        user_index=np.where(in_train[users], users, -1).astype(np.int32),
        group=users,
        truth_timestamp=flat.timestamp[at],
    )


def _need_time(data: Dataset, protocol: str) -> None:
    if not data.has_timestamps:
        raise SplitError(f"{protocol} needs a timestamp column; {data.name} has none")


def _cut(events: Interactions, *, share: float, part: Part) -> tuple[Interactions, Interactions]:
    """Events before and from the ``share`` quantile of time (validation: of those before it)."""
    before, after = _cut_once(events, share)
    return (before, after) if part == "test" else _cut_once(before, share)


def _cut_once(events: Interactions, share: float) -> tuple[Interactions, Interactions]:
    stop = int(share * len(events))
    if not 0 < stop < len(events):
        raise SplitError("too few ratings to split in time")
    cut_time = np.sort(events.timestamp)[stop]
    return events.select(events.timestamp < cut_time), events.select(events.timestamp >= cut_time)


def _joined(before: Interactions, after: Interactions) -> Interactions:
    parts = {
        name: np.concatenate([getattr(before, name), getattr(after, name)])
        for name in ("user_index", "item_index", "rating", "timestamp")
    }
    return Interactions(**parts, n_users=before.n_users, n_items=before.n_items)


def _sorted_by_user(events: Interactions) -> Interactions:
    return events.select(np.lexsort((events.timestamp, events.user_index)))
