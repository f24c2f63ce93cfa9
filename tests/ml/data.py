"""Small data that the tests of ml/ make themselves."""

from __future__ import annotations

import numpy as np

from ml.data import Dataset
from ml.idmap import IdMap
from ml.types import Histories, Interactions, ItemFeatures

DAY_S = 86_400


def interactions(
    rows: list[tuple[int, int, float, int]], *, n_users: int, n_items: int
) -> Interactions:
    """From (user, item, stars, time) rows."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Interactions(
        user_index=table[:, 0].astype(np.int32),
        item_index=table[:, 1].astype(np.int32),
        rating=table[:, 2].astype(np.float32),
        timestamp=table[:, 3].astype(np.int64),
        n_users=n_users,
        n_items=n_items,
    )


def checkerboard(n: int = 40) -> Interactions:
    """Even users like even films, odd users odd films; user ``u`` never saw film ``u``.

    So the one right answer for user ``u`` is film ``u`` (as in the tests of the library implicit).
    """
    rows = [
        (u, i, 5.0, 1000 + i) for u in range(n) for i in range(n) if i != u and (u + i) % 2 == 0
    ]
    return interactions(rows, n_users=n, n_items=n)


def two_tastes(
    *, n_users: int = 80, n_items: int = 50, n_unseen: int = 2, seed: int = 3
) -> Interactions:
    """People of two tastes over two halves of the films, with noise, stars and times.

    The last ``n_unseen`` films have no event at all.
    """
    rng = np.random.default_rng(seed)
    half = (n_items - n_unseen) // 2
    rows = []
    for user in range(n_users):
        own = (user % 2) * half + rng.choice(half, size=12, replace=False)
        other = (1 - user % 2) * half + rng.choice(half, size=4, replace=False)
        start = 1_600_000_000 + int(rng.integers(0, 400)) * DAY_S
        films = rng.permutation(np.concatenate([own, other]))
        for step, film in enumerate(films):
            stars = rng.choice([4.0, 4.5, 5.0]) if film in own else rng.choice([1.0, 2.0, 3.5])
            rows.append((user, int(film), float(stars), start + step * 5 * DAY_S))
    return interactions(rows, n_users=n_users, n_items=n_items)


def dataset(events: Interactions, *, name: str = "made", has_timestamps: bool = True) -> Dataset:
    """``events`` with ids 1, 2, 3, ... for users and 10, 20, 30, ... for films."""
    return Dataset(
        name=name,
        interactions=events,
        users=IdMap(np.arange(events.n_users) + 1),
        items=IdMap((np.arange(events.n_items) + 1) * 10),
        has_timestamps=has_timestamps,
    )


def histories(events: Interactions, users: list[int]) -> Histories:
    """The events of the given users as histories."""
    return Histories.from_interactions(events, users=np.array(users))


def item_features(n_items: int = 50) -> ItemFeatures:
    """Two genres, one per half of the films of :func:`two_tastes`, years, text and people."""
    rng = np.random.default_rng(5)
    half = (n_items - 2) // 2
    genres = np.zeros((n_items, 3), dtype=np.float32)
    genres[:half, 0] = 1
    genres[half : 2 * half, 1] = 1
    genres[:, 2] = np.arange(n_items) % 3 == 0
    text = rng.normal(size=(n_items, 16)).astype(np.float32) * 0.2
    text[:half, 0] += 1
    text[half:, 1] += 1
    return ItemFeatures(
        n_items=n_items,
        genres=genres,
        genre_names=("Drama", "Action", "War"),
        year=(1980 + np.arange(n_items) % 40).astype(np.float32),
        text=text,
        tags={
            "director": [(f"director {i % 7}",) for i in range(n_items)],
            "cast": [(f"actor {i % 11}", f"actor {i % 5}") for i in range(n_items)],
            "keyword": [(f"keyword {i % 9}",) for i in range(n_items)],
            "language": [("en",) if i % 4 else ("fr",) for i in range(n_items)],
        },
    )
