"""Protocols that split by people or within people at random (QUALITY's tables give the figures).

Each returns one task; ``part`` is "valid" to choose settings on or "test" to report. A validation
task never contains a test pair anywhere.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ml.data import Dataset, positives
from ml.split import RankingSplit, SplitError, event_ranks, random_ranks, ranking_task
from ml.types import Interactions

Part = Literal["valid", "test"]

LIKED = 4.0  # stars from which a rating counts as liked (Liang et al. 2018)


def strong(data: Dataset, *, seed: int, part: Part = "test") -> RankingSplit:
    """Strong generalisation: held-out people, 80 % of their liked films shown, 20 % to be found.

    Ratings >= 4 of people with at least 5 of them; 10 % of the people are held out for validation
    and 10 % for the test. Liang et al., "Variational Autoencoders for Collaborative Filtering"
    (2018), with shares instead of their absolute numbers.
    """
    rng = np.random.default_rng(seed)
    liked = positives(data.interactions, min_rating=LIKED)
    users = rng.permutation(_users_with(liked, 5))
    n_held = int(round(0.1 * len(users)))
    if not n_held:
        raise SplitError("strong needs at least 5 people with 5 ratings of 4 stars or more")
    role = np.zeros(liked.n_users, dtype=np.int8)  # 0 not used, 1 train, 2 valid, 3 test
    role[users] = 1
    role[users[:n_held]] = 3
    role[users[n_held : 2 * n_held]] = 2
    rank, count = random_ranks(liked, rng)
    wanted = role[liked.user_index] == (3 if part == "test" else 2)
    is_hidden = rank < np.maximum(1, np.rint(0.2 * count)).astype(np.int64)
    return ranking_task(
        data,
        "strong",
        seed=seed,
        train=liked.select(role[liked.user_index] == 1),
        shown=liked.select(wanted & ~is_hidden),
        hidden=liked.select(wanted & is_hidden),
        held_out=True,
    )


def ratio_811(data: Dataset, *, seed: int, part: Part = "test") -> RankingSplit:
    """RecBole's benchmark split: ratings >= 3, each person's events 8:1:1 at random.

    The model learns from the 80 % only; the test masks the validation events as well, as RecBole's
    full-sort evaluation does.
    """
    rng = np.random.default_rng(seed)
    events = positives(data.interactions, min_rating=3.0)
    rank, count = random_ranks(events, rng)
    n_valid, n_test = _shares(count)
    is_test = rank < n_test
    is_valid = (rank >= n_test) & (rank < n_test + n_valid)
    train = events.select(~is_test & ~is_valid)
    hidden = events.select(is_test if part == "test" else is_valid)
    if not len(hidden):
        raise SplitError("ratio-811 needs people with at least 10 ratings of 3 stars or more")
    return ranking_task(
        data,
        "ratio-811",
        seed=seed,
        train=train,
        shown=train,
        hidden=hidden,
        held_out=False,
        exclude=events.select(is_valid) if part == "test" else None,
    )


def _shares(count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many of ``count`` events go to validation and test when split 8:1:1.

    RecBole gives the first part the remainder, then hands one of it to each later part that would
    otherwise be empty.
    """
    share = (0.1 * count).astype(np.int64)
    n_valid = np.where((share == 0) & (count > 2), 1, share)
    n_test = np.where((share == 0) & (count > 1), 1, share)
    return n_valid, n_test


def ms_100k(data: Dataset, *, seed: int, part: Part = "test") -> RankingSplit:
    """Microsoft Recommenders' comparison: each person's ratings 75/25 at random, all relevant.

    For validation a tenth of the 75 % is held back: a quarter would leave models so much thinner
    data than the test's that other settings and weights win there.
    """
    rng = np.random.default_rng(seed)
    events = data.interactions
    rank, count = random_ranks(events, rng)
    is_hidden = rank >= np.rint(0.75 * count).astype(np.int64)
    train, hidden = events.select(~is_hidden), events.select(is_hidden)
    if part == "valid":
        rank, count = random_ranks(train, rng)
        is_hidden = rank < np.maximum(1, np.rint(0.1 * count)).astype(np.int64)
        train, hidden = train.select(~is_hidden), train.select(is_hidden)
    if not len(hidden):
        raise SplitError("ms-100k needs people with at least 3 ratings")
    return ranking_task(
        data, "ms-100k", seed=seed, train=train, shown=train, hidden=hidden, held_out=False
    )


def sparse_history(
    data: Dataset, *, seed: int, length: int, part: Part = "test", draw: int = 0
) -> RankingSplit:
    """New people: ``length`` liked films shown, all others (but the first 10) to be found.

    Ratings >= 4. 20 % of the people with more than 10 liked films are held out, so every length
    asks the same people, and the films of a shorter history are the first of a longer one. A
    further 10 % are held out for validation; ``draw`` picks which.
    """
    if not 1 <= length <= 10:
        raise SplitError("a sparse history has 1 to 10 films")
    rng = np.random.default_rng(seed)
    liked = positives(data.interactions, min_rating=LIKED)
    users = rng.permutation(_users_with(liked, 11))
    n_test, n_valid = int(round(0.2 * len(users))), int(round(0.1 * len(users)))
    first = n_test + draw * n_valid
    held_out = users[first : first + n_valid]
    chosen = users[:n_test] if part == "test" else held_out
    if not len(chosen):
        raise SplitError("sparse needs at least 10 people with more than 10 liked films")
    held = np.zeros(liked.n_users, dtype=np.bool_)
    held[users[:n_test]] = held[held_out] = True
    wanted = np.zeros(liked.n_users, dtype=np.bool_)
    wanted[chosen] = True
    rank, _ = random_ranks(liked, rng)
    mine = wanted[liked.user_index]
    # Films 0..9 of the random order are kept out of the truth at every length: the lengths differ
    # in what is shown and in nothing else.
    return ranking_task(
        data,
        f"sparse@{length}",
        seed=seed,
        train=liked.select(~held[liked.user_index]),
        shown=liked.select(mine & (rank < length)),
        hidden=liked.select(mine & (rank >= 10)),
        held_out=True,
        exclude=liked.select(mine & (rank >= length) & (rank < 10)),
    )


def cold_item(
    data: Dataset, *, seed: int, among_all: bool = False, part: Part = "test"
) -> RankingSplit:
    """Films without a single rating: 20 % of the films with at least 20 liked ratings are hidden.

    10 % of the people are held out (a further 10 % for validation). They are shown 80 % of their
    liked films that are not hidden; to be found are the hidden films they liked, ranked among all
    hidden films, or with ``among_all`` those and the remaining 20 %, ranked among all films. For
    validation another 20 % of the remaining films take the hidden films' place.
    """
    rng = np.random.default_rng(seed)
    liked = positives(data.interactions, min_rating=LIKED)
    popular = np.bincount(liked.item_index, minlength=liked.n_items) >= 20
    films = rng.permutation(np.flatnonzero(popular))
    n_cold = int(round(0.2 * len(films)))
    users = rng.permutation(_users_with(liked, 5))
    n_held = int(round(0.1 * len(users)))
    if not n_cold or not n_held:
        raise SplitError("cold-item needs films with 20 liked ratings and people with 5")
    cold_test, cold_valid = films[:n_cold], films[n_cold : 2 * n_cold]
    gone = np.zeros(liked.n_items, dtype=np.bool_)
    gone[cold_test] = True
    cold = np.zeros(liked.n_items, dtype=np.bool_)
    cold[cold_test if part == "test" else cold_valid] = True
    held = np.zeros(liked.n_users, dtype=np.bool_)
    held[users[: 2 * n_held]] = True
    mine = np.zeros(liked.n_users, dtype=np.bool_)
    mine[users[:n_held] if part == "test" else users[n_held : 2 * n_held]] = True
    if part == "valid":
        liked = liked.select(~gone[liked.item_index])
    is_cold = cold[liked.item_index]
    is_mine = mine[liked.user_index]
    rank, count = _ranks_within(liked, ~is_cold, rng)
    is_rest = ~is_cold & (rank < np.rint(0.2 * count))
    hidden = is_mine & (is_cold | is_rest if among_all else is_cold)
    return ranking_task(
        data,
        "cold-item-all" if among_all else "cold-item",
        seed=seed,
        train=liked.select(~held[liked.user_index] & ~is_cold),
        shown=liked.select(is_mine & ~is_cold & ~is_rest),
        hidden=liked.select(hidden),
        held_out=True,
        candidates=None if among_all else cold,
    )


def _ranks_within(
    events: Interactions, chosen: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Random ranks and counts among the chosen events only; others get rank -1 and count 0."""
    rank = np.full(len(events), -1, dtype=np.int64)
    count = np.zeros(len(events), dtype=np.int64)
    at = np.flatnonzero(chosen)
    rank[at], count[at] = event_ranks(events.user_index[at], rng.permutation(len(at)))
    return rank, count


def _users_with(events: Interactions, n: int) -> np.ndarray:
    return np.flatnonzero(np.bincount(events.user_index, minlength=events.n_users) >= n)
