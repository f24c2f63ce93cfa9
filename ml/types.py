"""The data that models exchange: frozen dataclasses of numpy arrays.

Positions, not identifiers: ``user_index`` and ``item_index`` count from 0 and are joined to
database ids by :class:`ml.idmap.IdMap`. An ``item_index`` of ``-1`` means "unknown here" and is
ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

IntArray: TypeAlias = NDArray[np.int32]
LongArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float32]
BoolArray: TypeAlias = NDArray[np.bool_]

UNKNOWN_ITEM = -1


@dataclass(frozen=True, slots=True)
class Interactions:
    """What people did: ``n`` events as parallel arrays.

    ``rating`` is in stars (0.5 to 5; 1.0 where only the event is known), ``timestamp`` in seconds
    since the epoch, UTC (0 where unknown). Rows keep the order of their source, which breaks ties
    between equal timestamps.
    """

    user_index: IntArray
    item_index: IntArray
    rating: FloatArray
    timestamp: LongArray
    n_users: int
    n_items: int

    def __post_init__(self) -> None:
        n = len(self.user_index)
        for name in ("item_index", "rating", "timestamp"):
            if len(getattr(self, name)) != n:
                msg = f"{name} has {len(getattr(self, name))} rows, user_index has {n}"
                raise ValueError(msg)
        if n and (self.user_index.min() < 0 or self.user_index.max() >= self.n_users):
            raise ValueError("user_index outside 0..n_users-1")
        if n and (self.item_index.min() < 0 or self.item_index.max() >= self.n_items):
            raise ValueError("item_index outside 0..n_items-1")

    def __len__(self) -> int:
        return len(self.user_index)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Interactions:
        """The given rows (mask or positions), same users and items."""
        return Interactions(
            user_index=self.user_index[rows],
            item_index=self.item_index[rows],
            rating=self.rating[rows],
            timestamp=self.timestamp[rows],
            n_users=self.n_users,
            n_items=self.n_items,
        )


@dataclass(frozen=True, slots=True)
class Histories:
    """What ``n`` people have reacted to, oldest first: a ragged array.

    Row ``i`` is ``item_index[indptr[i]:indptr[i + 1]]``. ``weight`` says how much an event counts
    as a wish for more of the same (1 a plain like, 0 nothing, negative a dislike); ``rating`` keeps
    the stars for models of ratings (nan where none was given).
    """

    indptr: LongArray
    item_index: IntArray
    weight: FloatArray
    rating: FloatArray
    timestamp: LongArray
    _derived: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        n = int(self.indptr[-1]) if len(self.indptr) else -1
        for name in ("item_index", "weight", "rating", "timestamp"):
            if len(getattr(self, name)) != n:
                msg = f"{name} has {len(getattr(self, name))} rows, indptr ends at {n}"
                raise ValueError(msg)

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def derived(self, key: Hashable, make: Callable[[], T]) -> T:
        """``make()``, or what it gave for this key before: what scores and their reasons, or two
        models, work out of the same events. To be read, not written to."""
        if key not in self._derived:
            self._derived[key] = make()
        return self._derived[key]

    def row(self, i: int) -> slice:
        """Where person ``i``'s events lie in the flat arrays."""
        return slice(int(self.indptr[i]), int(self.indptr[i + 1]))

    def select(self, rows: Sequence[int] | NDArray[np.integer]) -> Histories:
        """The given people, in the given order; all of one person is ``self``, with what is
        :meth:`derived` already."""
        if len(self) == 1 and len(rows) == 1 and rows[0] == 0:
            return self
        parts = [np.arange(self.indptr[i], self.indptr[i + 1]) for i in rows]
        flat = np.concatenate(parts) if parts else np.empty(0, np.int64)
        lengths = np.array([len(p) for p in parts], dtype=np.int64)
        return Histories(
            indptr=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
            item_index=self.item_index[flat],
            weight=self.weight[flat],
            rating=self.rating[flat],
            timestamp=self.timestamp[flat],
        )

    @classmethod
    def from_lists(
        cls,
        items: Iterable[Sequence[int] | NDArray[np.integer]],
        *,
        weights: Iterable[Sequence[float]] | None = None,
        ratings: Iterable[Sequence[float]] | None = None,
        timestamps: Iterable[Sequence[int]] | None = None,
    ) -> Histories:
        """From one list per person. Missing weights are 1, ratings nan, times 0, 1, 2, ..."""
        rows = [np.asarray(row, dtype=np.int32) for row in items]
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        n = int(lengths.sum())

        def flat(given: Iterable[Sequence[float]] | None, default: NDArray) -> NDArray:
            if given is None:
                return default
            parts = [np.asarray(row) for row in given]
            return np.concatenate(parts) if parts else default

        order = np.concatenate([np.arange(k) for k in lengths]) if n else np.empty(0)
        return cls(
            indptr=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
            item_index=np.concatenate(rows) if n else np.empty(0, np.int32),
            weight=flat(weights, np.ones(n)).astype(np.float32),
            rating=flat(ratings, np.full(n, np.nan)).astype(np.float32),
            timestamp=flat(timestamps, order).astype(np.int64),
        )

    @classmethod
    def from_interactions(
        cls, interactions: Interactions, *, users: NDArray[np.integer] | None = None
    ) -> Histories:
        """One row per user (all, or the given ones in order), sorted by (time, source row)."""
        order = np.lexsort((interactions.timestamp, interactions.user_index))
        counts = np.bincount(interactions.user_index, minlength=interactions.n_users)
        everyone = cls(
            indptr=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
            item_index=interactions.item_index[order],
            weight=np.ones(len(order), dtype=np.float32),
            rating=interactions.rating[order],
            timestamp=interactions.timestamp[order],
        )
        return everyone if users is None else everyone.select(users)


@dataclass(frozen=True, slots=True)
class ItemFeatures:
    """Facts about the ``n_items`` films; every field may be absent (None).

    ``genres`` multi-hot [n_items, n_genres] with ``genre_names``; ``year`` [n_items], nan unknown;
    ``text`` [n_items, d] text embedding (zero row unknown); ``tags`` token lists per facet, such
    as ``{"director": [...], "cast": [...], "keyword": [...], "language": [...]}``, one tuple of
    strings per item.
    """

    n_items: int
    genres: FloatArray | None = None
    genre_names: tuple[str, ...] = ()
    year: FloatArray | None = None
    text: FloatArray | None = None
    tags: dict[str, list[tuple[str, ...]]] | None = None


@dataclass(frozen=True, slots=True)
class ScoredItems:
    """The best ``k`` per person, best first.

    ``item_index`` int32[n, k] and ``score`` float32[n, k]. Where fewer than ``k`` remain the rest
    is ``-1`` with score ``-inf``, so that nothing that was excluded can come back as a filler.
    """

    item_index: IntArray
    score: FloatArray
