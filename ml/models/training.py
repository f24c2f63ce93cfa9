"""What the trained (torch) models share: progress, early stopping, an internal validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

VALIDATION_USERS = 1000
VALIDATION_SHARE = 0.1
VALIDATION_K = 20


@dataclass(frozen=True, slots=True)
class Epoch:
    """One finished pass: ``epoch`` from 1, mean ``loss``, ``quality`` None where not measured."""

    epoch: int
    n_epochs: int
    loss: float
    quality: float | None


Progress = Callable[[Epoch], None]


class EarlyStopping:
    """Keeps the best state seen and says when ``patience`` measurements brought nothing better."""

    def __init__(self, *, patience: int) -> None:
        self.patience = patience
        self.best = -np.inf
        self.best_epoch = 0
        self.state: Any = None
        self._since = 0

    def update(self, quality: float, epoch: int, state: Callable[[], Any]) -> bool:
        """True if training should stop. ``state()`` is only called (and kept) when better."""
        if quality > self.best:
            self.best, self.best_epoch, self._since = quality, epoch, 0
            self.state = state()
        else:
            self._since += 1
        return self._since >= self.patience


@dataclass(frozen=True, slots=True)
class Holdout:
    """An internal validation cut from training data: never from anybody's test.

    ``train`` csr without the held-back entries; ``users`` whose entries were held back; ``truth``
    csr [len(users), n_items] of those entries.
    """

    train: sparse.csr_matrix
    users: NDArray[np.intp]
    truth: sparse.csr_matrix

    def recall(self, score: Callable[[NDArray[np.intp]], NDArray[np.floating]]) -> float:
        """Mean capped recall@20 of ``score(users) -> [n, n_items]`` without films of ``train``."""
        found = []
        for start in range(0, len(self.users), 256):
            rows = np.arange(start, min(start + 256, len(self.users)))
            scores = np.array(score(self.users[rows]), dtype=np.float32)
            known = self.train[self.users[rows]]
            at = np.repeat(np.arange(len(rows)), np.diff(known.indptr))
            scores[at, known.indices] = -np.inf
            k = min(VALIDATION_K, scores.shape[1])
            best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
            wanted = self.truth[rows].toarray() > 0
            hits = np.take_along_axis(wanted, best, axis=1).sum(axis=1)
            found.append(hits / np.minimum(wanted.sum(axis=1), k))
        return float(np.concatenate(found).mean())


def hold_out(matrix: sparse.csr_matrix, rng: np.random.Generator) -> Holdout | None:
    """10 % (at least one) of the entries of up to 1,000 users with 5 or more; None without any."""
    counts = np.diff(matrix.indptr)
    able = np.flatnonzero(counts >= 5)
    if not len(able):
        return None
    users = np.sort(rng.choice(able, min(VALIDATION_USERS, len(able)), replace=False))
    rows, columns = [], []
    for at, user in enumerate(users):
        items = matrix.indices[matrix.indptr[user] : matrix.indptr[user + 1]]
        n = max(1, round(VALIDATION_SHARE * len(items)))
        columns.append(rng.choice(items, n, replace=False))
        rows.append(np.full(n, at))
    row, column = np.concatenate(rows), np.concatenate(columns)
    shape = (len(users), matrix.shape[1])
    truth = sparse.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=shape)
    hidden = sparse.csr_matrix(
        (np.ones(len(row), np.float32), (users[row], column)), shape=matrix.shape
    )
    train = (matrix - matrix.multiply(hidden)).tocsr()
    train.eliminate_zeros()
    return Holdout(train=train, users=users, truth=truth)


def batches(n: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """A random order of 0..n-1 in pieces of ``size``."""
    order = rng.permutation(n)
    for start in range(0, n, size):
        yield order[start : start + size]
