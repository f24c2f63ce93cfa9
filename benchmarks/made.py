"""Interactions of a wanted shape, for measurements that need size and not taste."""

from __future__ import annotations

import numpy as np

from ml.types import Interactions


def made_interactions(n_users: int, n_items: int, n_events: int, *, seed: int) -> Interactions:
    """``n_events`` distinct (user, film) pairs with skewed activity and popularity.

    Both follow a log-normal; with these deviations the busiest tenth of the people has about half
    of the events and the most popular tenth of the films about three quarters, near MovieLens 20M.
    """
    rng = np.random.default_rng(seed)
    user_share = _shares(rng.lognormal(sigma=1.2, size=n_users))
    item_share = _shares(rng.lognormal(sigma=2.0, size=n_items))
    keys = np.empty(0, dtype=np.int64)
    while len(keys) < n_events:
        n = int(1.3 * (n_events - len(keys))) + 1000
        users = np.searchsorted(user_share, rng.random(n)).astype(np.int64)
        items = np.searchsorted(item_share, rng.random(n))
        keys = np.unique(np.concatenate([keys, users * n_items + items]))
    keys = np.sort(rng.choice(keys, n_events, replace=False))
    return Interactions(
        user_index=(keys // n_items).astype(np.int32),
        item_index=(keys % n_items).astype(np.int32),
        rating=np.full(n_events, 4.0, dtype=np.float32),
        timestamp=np.arange(n_events, dtype=np.int64),
        n_users=n_users,
        n_items=n_items,
    )


def _shares(weight: np.ndarray) -> np.ndarray:
    return np.cumsum(weight / weight.sum())[:-1]
