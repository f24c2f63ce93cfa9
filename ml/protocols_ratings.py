"""Protocols that predict stars: published folds, k folds, and a 90/10 split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ml.data import DataError, Dataset, normalise, read_table
from ml.protocols_users import Part
from ml.split import RatingSplit, SplitError
from ml.types import Interactions

PUBLISHED = ("u1", "u2", "u3", "u4", "u5")


def rating_folds(data: Dataset, *, n_folds: int = 5, seed: int) -> list[RatingSplit]:
    """``n_folds`` tasks that together predict every rating once, drawn at random."""
    if n_folds < 2 or len(data.interactions) < n_folds:
        raise SplitError(f"{len(data.interactions)} ratings cannot make {n_folds} folds")
    order = np.random.default_rng(seed).permutation(len(data.interactions))
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = np.arange(len(order)) % n_folds
    return [_task(data, f"rating-fold-{i + 1}", fold == i, seed=seed) for i in range(n_folds)]


def rating_holdout(
    data: Dataset, *, seed: int, share: float = 0.1, part: Part = "test"
) -> RatingSplit:
    """``share`` of the ratings at random are to be predicted from the rest.

    Validation: the same share of the rest, predicted from what then remains.
    """
    rng = np.random.default_rng(seed)
    is_test = _choose(len(data.interactions), share, rng)
    if part == "test":
        return _task(data, "rating-90/10", is_test, seed=seed)
    rest = data.interactions.select(~is_test)
    inner = Dataset(data.name, rest, data.users, data.items, data.has_timestamps)
    return _task(inner, "rating-90/10", _choose(len(rest), share, rng), seed=seed)


def published_folds(folder: Path, data: Dataset) -> list[RatingSplit]:
    """ML-100K's own folds u1 to u5 (``u1.base``, ``u1.test``, ...), joined to ``data``'s ids."""
    return [
        RatingSplit(
            protocol=f"rating-{name}",
            dataset=data.name,
            seed=0,
            train=_read_part(Path(folder) / f"{name}.base", data),
            test=_read_part(Path(folder) / f"{name}.test", data),
        )
        for name in PUBLISHED
    ]


def has_published_folds(folder: Path) -> bool:
    """Whether ``folder`` holds all of ML-100K's published folds."""
    folder = Path(folder)
    return all((folder / f"{n}.{part}").is_file() for n in PUBLISHED for part in ("base", "test"))


def _read_part(source: Path, data: Dataset) -> Interactions:
    if not source.is_file():
        raise DataError(f"{source} does not exist; the published folds u1 to u5 are needed.")
    frame = normalise(read_table(source), source)
    user_index = data.users.index(frame["userId"].to_numpy())
    item_index = data.items.index(frame["movieId"].to_numpy())
    if len(frame) and min(user_index.min(), item_index.min()) < 0:
        raise DataError(f"{source} names people or films that the ratings don't.")
    return Interactions(
        user_index=user_index,
        item_index=item_index,
        rating=frame["rating"].to_numpy().astype(np.float32),
        timestamp=frame["timestamp"].to_numpy().astype(np.int64),
        n_users=len(data.users),
        n_items=len(data.items),
    )


def _choose(n: int, share: float, rng: np.random.Generator) -> np.ndarray:
    chosen = np.zeros(n, dtype=np.bool_)
    chosen[rng.permutation(n)[: int(round(share * n))]] = True
    if not 0 < chosen.sum() < n:
        raise SplitError(f"{n} ratings are too few to hold out {share:.0%}")
    return chosen


def _task(data: Dataset, protocol: str, is_test: np.ndarray, *, seed: int) -> RatingSplit:
    return RatingSplit(
        protocol=protocol,
        dataset=data.name,
        seed=seed,
        train=data.interactions.select(~is_test),
        test=data.interactions.select(is_test),
    )
