"""People who came back: what somebody watches next when they return after a while.

Ratings of one sitting follow the page that was rated; the first event after a pause does not. So
the weights of what is served are chosen here.
"""

from __future__ import annotations

import numpy as np

from ml.data import Dataset
from ml.protocols_users import Part
from ml.split import RankingSplit, RollingHistories, SplitError, pairs_csr
from ml.types import Interactions

PAUSE_S = 3600
HELD_SHARE = 0.15  # of the people, for each of validation and test
MAX_ROWS = 40  # of one person: nobody is a tenth of the result


def returning(
    data: Dataset,
    *,
    seed: int,
    part: Part = "test",
    pause_s: int = PAUSE_S,
    max_rows: int = MAX_ROWS,
    max_people: int | None = None,
    min_rating: float = 0.0,
) -> RankingSplit:
    """Held-out people; every event more than ``pause_s`` after the one before is to be found from
    all before it.

    The models learn from the other people. Of somebody with more than ``max_rows`` such events a
    random choice counts, and no more than ``max_people`` are held out for each part. ``min_rating``
    asks for events with at least so many stars only (the histories keep all). Raises SplitError
    where nobody comes back.
    """
    if not data.has_timestamps:
        raise SplitError(f"returning needs a timestamp column; {data.name} has none")
    events = data.interactions
    flat = events.select(np.lexsort((events.timestamp, events.user_index)))
    at = _returns(flat, pause_s)
    at = at[flat.rating[at] >= min_rating]
    rng = np.random.default_rng(seed)
    people = rng.permutation(np.unique(flat.user_index[at]))
    n_held = int(round(HELD_SHARE * len(people)))
    if max_people is not None:
        n_held = min(n_held, max_people)
    if not n_held:
        raise SplitError("returning needs at least 4 people who came back after a pause")
    held = people[:n_held] if part == "test" else people[n_held : 2 * n_held]
    at = _at_most(at[np.isin(flat.user_index[at], held)], flat.user_index, max_rows, rng)
    # Both parts are kept from the models: validation and test then learn from the same people.
    is_train = ~np.isin(events.user_index, people[: 2 * n_held])
    counts = np.bincount(flat.user_index, minlength=flat.n_users)
    first = (np.cumsum(counts) - counts)[flat.user_index]
    return RankingSplit(
        protocol="returning",
        dataset=data.name,
        seed=seed,
        train=events.select(is_train),
        histories=RollingHistories(
            start=first[at].astype(np.int64),
            stop=at.astype(np.int64),
            item_index=flat.item_index,
            rating=flat.rating,
            timestamp=flat.timestamp,
        ),
        truth=pairs_csr(np.arange(len(at)), flat.item_index[at], shape=(len(at), flat.n_items)),
        user_index=np.full(len(at), -1, dtype=np.int32),
        group=flat.user_index[at],
        truth_timestamp=flat.timestamp[at],
    )


def _returns(flat: Interactions, pause_s: int) -> np.ndarray:
    """Positions of events that follow the same person's one before after a pause."""
    gap = np.diff(flat.timestamp, prepend=0)
    same = np.diff(flat.user_index, prepend=-1) == 0
    return np.flatnonzero(same & (gap > pause_s))


def _at_most(
    at: np.ndarray, user_index: np.ndarray, max_rows: int, rng: np.random.Generator
) -> np.ndarray:
    """A random choice of ``max_rows`` positions of each person, in order."""
    shuffled = rng.permutation(at)
    order = shuffled[np.argsort(user_index[shuffled], kind="stable")]
    users = user_index[order]
    begins = np.flatnonzero(np.diff(users, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    return np.sort(order[rank < max_rows])
