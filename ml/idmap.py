"""Joins identifiers (database ids, MovieLens ids) to positions, with a fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.types import UNKNOWN_ITEM, IntArray

# Many ids that lie close together, as those of a catalogue do, are looked up in a table: a search
# among 70,000 takes seventeen steps, each to another place of memory.
_MANY, _CLOSE = 1024, 8


class IdMap:
    """A bijection between sorted unique integer ids and positions 0..n-1."""

    __slots__ = ("_places", "ids")

    def __init__(self, ids: NDArray[np.int64]) -> None:
        """``ids`` int64[n], strictly increasing; anything else raises ValueError."""
        ids = np.ascontiguousarray(ids, dtype=np.int64)
        if ids.ndim != 1 or (len(ids) > 1 and not np.all(np.diff(ids) > 0)):
            raise ValueError("ids must be one-dimensional and strictly increasing")
        self.ids = ids
        self._places: IntArray | None = None

    @classmethod
    def of(cls, values: Sequence[int] | NDArray[np.int64]) -> IdMap:
        """A map of the distinct values."""
        return cls(np.unique(np.asarray(values, dtype=np.int64)))

    def __len__(self) -> int:
        return len(self.ids)

    def index(self, ids: Sequence[int] | NDArray[np.int64]) -> IntArray:
        """Positions of ``ids``; ``-1`` where unknown."""
        wanted = np.asarray(ids, dtype=np.int64)
        if not len(self.ids):
            return np.full(len(wanted), UNKNOWN_ITEM, dtype=np.int32)
        n = len(self.ids)
        if n >= _MANY and self.ids[0] >= 0 and self.ids[-1] < _CLOSE * n:
            return self._table().take(wanted + 1, mode="clip")
        at = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return np.where(self.ids[at] == wanted, at, UNKNOWN_ITEM).astype(np.int32)

    def _table(self) -> IntArray:
        """int32[largest id + 3]: the position of each id behind a place for smaller ones, with one
        for larger ones at the end."""
        if self._places is None:
            places = np.full(self.ids[-1] + 3, UNKNOWN_ITEM, dtype=np.int32)
            places[self.ids + 1] = np.arange(len(self.ids), dtype=np.int32)
            self._places = places
        return self._places

    def id(self, index: NDArray[np.integer]) -> NDArray[np.int64]:
        """Ids at ``index``; every position must be known (0..n-1)."""
        return self.ids[index]

    @property
    def fingerprint(self) -> str:
        """sha256 of the ids: two maps with the same fingerprint give the same positions."""
        return hashlib.sha256(self.ids.tobytes()).hexdigest()
