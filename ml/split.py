"""Evaluation splits: what a model may learn from, what it is shown of a person, what it must find.

Every split is frozen, carries a sha256 of all its rows, and raises :class:`SplitError` if a
person's truth leaks into the history, the mask or the training events.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.data import Dataset
from ml.retrieval import history_mask
from ml.types import BoolArray, FloatArray, Histories, IntArray, Interactions, LongArray


class SplitError(ValueError):
    """The data cannot be split as asked, or a split leaks; the message says which."""


class HistorySource(Protocol):
    """Histories that are cut out when asked for; :class:`Histories` is one."""

    def __len__(self) -> int:
        """Number of people (or moments)."""
        ...

    def select(self, rows: NDArray[np.intp]) -> Histories:
        """The given rows, in the given order."""
        ...


@dataclass(frozen=True, slots=True)
class RollingHistories:
    """Histories at many moments of the same people, cut from one flat array when asked for.

    Row ``i`` is events ``start[i]:stop[i]`` of the flat arrays (each person's events oldest
    first), so a hundred thousand moments cost no more memory than the events themselves.
    """

    start: LongArray
    stop: LongArray
    item_index: IntArray
    rating: FloatArray
    timestamp: LongArray

    def __len__(self) -> int:
        return len(self.start)

    def select(self, rows: NDArray[np.intp]) -> Histories:
        """The given moments, in the given order; weights are 1."""
        start, stop = self.start[rows], self.stop[rows]
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(stop - start)])
        flat = np.repeat(start - indptr[:-1], np.diff(indptr)) + np.arange(indptr[-1])
        return Histories(
            indptr=indptr,
            item_index=self.item_index[flat],
            weight=np.ones(len(flat), dtype=np.float32),
            rating=self.rating[flat],
            timestamp=self.timestamp[flat],
        )


@dataclass(frozen=True, slots=True)
class RankingSplit:
    """One ranking task of ``n`` rows (people, or moments of people).

    ``truth`` csr bool [n, n_items] is what must be found; ``histories`` what the model is shown.
    Films of the history never count as recommendations, nor do those in ``exclude``; ``candidates``
    (bool[n_items]) narrows the catalogue for everyone. ``user_index`` is each row's user in
    ``train`` (-1: held out), ``group`` the person for the bootstrap: rows of one person are drawn
    together. ``truth_timestamp`` int64[n] where a row has exactly one truth, else None.
    """

    protocol: str
    dataset: str
    seed: int
    train: Interactions
    histories: HistorySource
    truth: sparse.csr_matrix
    user_index: IntArray
    group: IntArray
    exclude: sparse.csr_matrix | None = None
    candidates: BoolArray | None = None
    truth_timestamp: LongArray | None = None
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.histories)
        for name in ("user_index", "group"):
            if len(getattr(self, name)) != n:
                raise SplitError(f"{name} has {len(getattr(self, name))} rows, histories {n}")
        if self.truth.shape != (n, self.train.n_items):
            raise SplitError(f"truth is {self.truth.shape}, not {(n, self.train.n_items)}")
        if n and int(np.diff(self.truth.indptr).min()) == 0:
            raise SplitError("every row needs at least one film to find")
        object.__setattr__(self, "sha256", self._check_and_hash())

    def __len__(self) -> int:
        return len(self.histories)

    def _check_and_hash(self) -> str:
        digest = hashlib.sha256(self.protocol.encode())
        for name in ("user_index", "item_index", "rating", "timestamp"):
            digest.update(np.ascontiguousarray(getattr(self.train, name)).tobytes())
        if _overlap(self.truth, self._train_rows()):
            raise SplitError("truth leaks: a pair to find is among the training events")
        if self.exclude is not None and _overlap(self.truth, self.exclude):
            raise SplitError("truth leaks: a film to find is excluded from the answer")
        for start in range(0, len(self), 2048):
            rows = np.arange(start, min(start + 2048, len(self)))
            shown = self.histories.select(rows)
            if _overlap(self.truth[rows], history_mask(shown, self.train.n_items)):
                raise SplitError("truth leaks: a film to find is in the history")
            digest.update(shown.indptr.tobytes())
            digest.update(shown.item_index.tobytes())
        for matrix in (self.truth, self.exclude):
            if matrix is not None:
                digest.update(matrix.indptr.astype(np.int64).tobytes())
                digest.update(matrix.indices.astype(np.int64).tobytes())
        if self.candidates is not None:
            digest.update(self.candidates.tobytes())
        return digest.hexdigest()

    def _train_rows(self) -> sparse.csr_matrix:
        """What the users of the rows did in training; rows held out are empty."""
        train = pairs_csr(
            self.train.user_index,
            self.train.item_index,
            shape=(self.train.n_users, self.train.n_items),
        )
        known = np.flatnonzero(self.user_index >= 0)
        place = sparse.csr_matrix(
            (np.ones(len(known), np.int8), (known, self.user_index[known])),
            shape=(len(self.user_index), self.train.n_users),
        )
        return place @ train

    def renamed(self, protocol: str) -> RankingSplit:
        """The same rows under another protocol name (and so another sha256)."""
        return replace(self, protocol=protocol)


@dataclass(frozen=True, slots=True)
class RatingSplit:
    """One task of predicting stars: ``train`` to learn from, ``test`` to predict; no pair twice."""

    protocol: str
    dataset: str
    seed: int
    train: Interactions
    test: Interactions
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        if np.intersect1d(pair_keys(self.train), pair_keys(self.test)).size:
            raise SplitError("truth leaks: a rating to predict is among the training ratings")
        digest = hashlib.sha256(self.protocol.encode())
        for part in (self.train, self.test):
            for name in ("user_index", "item_index", "rating"):
                digest.update(np.ascontiguousarray(getattr(part, name)).tobytes())
        object.__setattr__(self, "sha256", digest.hexdigest())

    def __len__(self) -> int:
        return len(self.test)


def pair_keys(interactions: Interactions) -> NDArray[np.int64]:
    """int64[n]: one number per (user, film) pair."""
    return interactions.user_index.astype(np.int64) * max(interactions.n_items, 1) + (
        interactions.item_index
    )


def pairs_csr(
    rows: NDArray[np.integer], items: NDArray[np.integer], *, shape: tuple[int, int]
) -> sparse.csr_matrix:
    """csr bool of the given pairs, column indices sorted."""
    matrix = sparse.csr_matrix((np.ones(len(rows), dtype=np.bool_), (rows, items)), shape=shape)
    matrix.sum_duplicates()
    return matrix


def _overlap(a: sparse.csr_matrix, b: sparse.csr_matrix) -> bool:
    return a.astype(np.int8).multiply(b.astype(np.int8)).nnz > 0


def event_ranks(user_index: IntArray, order: NDArray[np.intp]) -> tuple[LongArray, LongArray]:
    """Each event's place (0, 1, ...) among its user's taken in ``order``, and the user's count."""
    users = user_index[order]
    counts = np.bincount(users, minlength=int(users.max()) + 1 if len(users) else 0)
    first = np.cumsum(counts) - counts
    by_user = np.argsort(users, kind="stable")
    rank = np.empty(len(users), dtype=np.int64)
    rank[order[by_user]] = np.arange(len(users)) - first[users[by_user]]
    return rank, counts[user_index].astype(np.int64)


def time_order(interactions: Interactions) -> NDArray[np.intp]:
    """Positions of the events by (time, source row)."""
    return np.argsort(interactions.timestamp, kind="stable")


def random_ranks(
    interactions: Interactions, rng: np.random.Generator
) -> tuple[LongArray, LongArray]:
    """Each event's place within its user in a random order, and the user's number of events."""
    return event_ranks(interactions.user_index, rng.permutation(len(interactions)))


def ranking_task(
    data: Dataset,
    protocol: str,
    *,
    seed: int,
    train: Interactions,
    shown: Interactions,
    hidden: Interactions,
    held_out: bool,
    exclude: Interactions | None = None,
    candidates: BoolArray | None = None,
) -> RankingSplit:
    """The task of finding ``hidden`` from ``shown``: one row per user with something hidden.

    ``held_out``: the users are not in ``train`` (their rows get user_index -1).
    """
    users = np.unique(hidden.user_index)
    row_of = np.full(hidden.n_users, -1, dtype=np.int64)
    row_of[users] = np.arange(len(users))
    shape = (len(users), train.n_items)

    def rows_csr(part: Interactions) -> sparse.csr_matrix:
        rows = row_of[part.user_index]
        return pairs_csr(rows[rows >= 0], part.item_index[rows >= 0], shape=shape)

    return RankingSplit(
        protocol=protocol,
        dataset=data.name,
        seed=seed,
        train=train,
        histories=Histories.from_interactions(shown, users=users),
        truth=rows_csr(hidden),
        user_index=np.full(len(users), -1, np.int32) if held_out else users.astype(np.int32),
        group=users.astype(np.int32),
        exclude=None if exclude is None else rows_csr(exclude),
        candidates=candidates,
    )
