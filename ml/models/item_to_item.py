"""What every model with an item-to-item table shares: score = recency-weighted history @ table."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.compiled import ITEM_TO_ITEM, kernels, load_kernels
from ml.models.base import LinearRecommender
from ml.types import BoolArray, FloatArray, Histories

# Above this share of stored history entries a dense product beats the sparse one (BLAS runs both
# cores at full width; scipy's sparse product is single-threaded and bound by memory).
_DENSE_SHARE = 0.01
_FULL_SHARE = 0.1
_DENSE_CELLS = 400_000_000  # 20,000 films, 1.6 GB
# Batches of as many people are worth loading numba for: a quarter of the time of scipy's product,
# which finds out first where the result will have entries and then fills in the rest. A process
# that has the kernels uses them for single people too; the numbers are the same, bit for bit.
_COMPILED_ROWS = 64
# Lighter events add nothing: their float32 products are denormal, a hundred times slower to add.
_LIGHTEST = 1e-30


class Entries(NamedTuple):
    """Stored entries of some rows, as the three arrays of a sparse matrix."""

    data: NDArray[np.float32]
    indices: NDArray[np.integer]
    indptr: NDArray[np.integer]


class ItemToItem(LinearRecommender):
    """Linear model with one table ``W`` [n_items, n_items]: ``score = sum_j w_j W[j]``.

    ``W`` is dense float32 or csr. The weight of event ``j`` is its own weight times
    ``max(decay^age, floor)``, age 0 for the latest event, 1 for the one before, ... (QUALITY
    recipe 3; decay 1: all alike). Films without training events score ``-inf``.
    """

    table: NDArray[np.float32] | sparse.csr_matrix
    seen: BoolArray

    def __init__(self, *, decay: float = 1.0, floor: float = 0.0) -> None:
        if not 0 < decay <= 1 or not 0 <= floor <= 1:
            raise ValueError("decay must be in (0, 1] and floor in [0, 1]")
        self.decay = decay
        self.floor = floor

    def event_weights(self, histories: Histories) -> FloatArray:
        """float32[n_events]: what each event counts; 0 for films unknown here."""
        key = ("event weights", self.n_items, self.decay, self.floor)
        return histories.derived(key, lambda: self._event_weights(histories))

    def _event_weights(self, histories: Histories) -> FloatArray:
        known = (histories.item_index >= 0) & (histories.item_index < self.n_items)
        weight = np.where(known, histories.weight, 0.0)
        if self.decay < 1:
            weight = weight * np.maximum(self.decay ** event_ages(histories), self.floor)
            weight[np.abs(weight) < _LIGHTEST] = 0.0
        return weight.astype(np.float32)

    def score(self, histories: Histories) -> FloatArray:
        weight = self.event_weights(histories)
        used = weight != 0
        if len(histories) == 1 and not isinstance(self.table, np.ndarray):
            items = histories.item_index[used]
            return self.masked(one_product(self.table, items, weight[used]))
        rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
        matrix = sparse.csr_matrix(
            (weight[used], (rows[used], histories.item_index[used])),
            shape=(len(histories), self.n_items),
        )
        return self.masked(
            history_product(matrix, self.table), is_empty=np.diff(matrix.indptr) == 0
        )

    def masked(self, scores: FloatArray, *, is_empty: BoolArray | None = None) -> FloatArray:
        """``scores`` [n, n_items] with ``-inf`` for films without events and empty histories."""
        np.copyto(scores, -np.inf, where=~self.seen)
        if is_empty is not None:
            scores[is_empty] = -np.inf
        return scores

    def contributions(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        weight = self.event_weights(history)
        used = weight != 0
        out = np.zeros((len(weight), len(items)), dtype=np.float32)
        if used.any():
            rows = history.item_index[used]
            # Models that ask one table with other weights share what they find there. The table is
            # kept with it: in memory that was freed another one could stand at the same address.
            key = ("block", _address(self.table), rows.tobytes(), items.tobytes())
            _, block = history.derived(
                key, lambda: (self.table, table_block(self.table, rows, items))
            )
            out[used] = weight[used, None] * block
        return out

    def history_params(self) -> dict[str, Any]:
        """The settings of the history's weights."""
        return {"decay": self.decay, "floor": self.floor}

    def with_history(self, *, decay: float, floor: float) -> Self:
        """The same fitted table asked with another weighting of the history; nothing is copied."""
        return type(self).from_arrays(
            self.to_arrays(), {**self.params(), "decay": decay, "floor": floor}
        )

    def to_arrays(self) -> dict[str, NDArray]:
        return {**table_to_arrays(self.table), "seen": self.seen}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        model = cls(**params)
        model.seen = arrays["seen"]
        model.table = table_from_arrays(arrays, n_columns=len(model.seen))
        model.n_items = len(model.seen)
        return model


def _address(table: NDArray[np.float32] | sparse.csr_matrix) -> int:
    """Where in memory the table's numbers lie: the same for two that share an artifact's array."""
    data = table if isinstance(table, np.ndarray) else table.data
    return int(data.__array_interface__["data"][0])


def event_ages(histories: Histories) -> NDArray[np.int64]:
    """int64[n_events]: 0 for each person's latest event, 1 for the one before, ..."""
    lengths = np.diff(histories.indptr)
    return np.repeat(histories.indptr[1:], lengths) - 1 - np.arange(len(histories.item_index))


def table_block(
    table: NDArray[np.float32] | sparse.csr_matrix,
    rows: NDArray[np.integer],
    columns: NDArray[np.integer],
) -> FloatArray:
    """float32[len(rows), len(columns)]: these rows and columns of the table.

    Of a sparse one only the stored entries of the rows are looked at: making the rows dense would
    cost more than the whole list (73 rows of 26,744 films are 8 MB of fresh memory).
    """
    if isinstance(table, np.ndarray):
        return np.asarray(table[np.ix_(rows, columns)], dtype=np.float32)
    out = np.zeros((len(rows), len(columns)), dtype=np.float32)
    place = np.full(table.shape[1], -1, dtype=np.int32)
    place[columns] = np.arange(len(columns), dtype=np.int32)
    if compiled := kernels(ITEM_TO_ITEM):
        compiled.fill_block(rows, place, table.indptr, table.indices, table.data, out)
        return out
    entries = stored_entries(table, rows)
    at = place[entries.indices]
    wanted = np.flatnonzero(at >= 0)
    row_of = np.searchsorted(entries.indptr, wanted, side="right") - 1
    out[row_of, at[wanted]] = entries.data[wanted]
    return out


def stored_entries(table: sparse.csr_matrix, rows: NDArray[np.integer]) -> Entries:
    """The stored entries of these rows, one row after the other."""
    first, last = table.indptr[rows].tolist(), table.indptr[rows + 1].tolist()
    bounds = list(zip(first, last, strict=True))
    # Joined slices: an index of every entry took as long as all that is done with them.
    data = np.concatenate([table.data[a:b] for a, b in bounds])
    indices = np.concatenate([table.indices[a:b] for a, b in bounds])
    return Entries(data, indices, np.cumsum([0, *(b - a for a, b in bounds)]))


def one_product(
    table: sparse.csr_matrix, rows: NDArray[np.integer], weight: FloatArray
) -> FloatArray:
    """float32[1, n_items]: one person's weighted rows added up, bit for bit as
    :func:`history_product` does it; all ``-inf`` without rows.

    Of a product of two sparse matrices most is spent on looking where the result will have entries.
    """
    if not len(rows):
        return np.full((1, table.shape[1]), -np.inf, dtype=np.float32)
    order = np.argsort(rows, kind="stable")
    if compiled := kernels(ITEM_TO_ITEM):
        out = np.zeros((1, table.shape[1]), dtype=np.float32)
        bounds = np.array([0, len(rows)])
        compiled.add_weighted_rows(
            *(bounds, rows[order], weight[order]),
            *(table.indptr, table.indices, table.data, out),
        )
        return out
    entries = stored_entries(table, rows[order])
    shape = (table.shape[1], len(rows))
    columns = sparse.csc_matrix(tuple(entries), shape=shape, copy=False)
    return np.asarray(columns @ weight[order], dtype=np.float32)[None]


def history_product(
    matrix: sparse.csr_matrix, table: NDArray[np.float32] | sparse.csr_matrix
) -> FloatArray:
    """float32[n, n_items]: ``matrix @ table``, by the fastest of the sparse and dense routes."""
    if not isinstance(table, np.ndarray):
        if matrix.shape[0] < _COMPILED_ROWS:
            return np.asarray((matrix @ table).toarray(), dtype=np.float32)
        out = np.zeros((matrix.shape[0], table.shape[1]), dtype=np.float32)
        load_kernels(ITEM_TO_ITEM).add_weighted_rows(
            *(matrix.indptr, matrix.indices, matrix.data.astype(np.float32, copy=False)),
            *(table.indptr, table.indices, table.data),
            out,
        )
        return out
    cells = matrix.shape[0] * matrix.shape[1]
    if matrix.shape[0] > 1 and cells and matrix.nnz > _DENSE_SHARE * cells:
        return matrix.toarray() @ table
    return np.asarray(matrix @ table, dtype=np.float32)


def dense_if_full(table: sparse.csr_matrix) -> NDArray[np.float32] | sparse.csr_matrix:
    """The table dense where at least a tenth is stored: BLAS is then several times faster."""
    cells = table.shape[0] * table.shape[1]
    if cells <= _DENSE_CELLS and table.nnz >= _FULL_SHARE * cells:
        return np.ascontiguousarray(table.toarray(), dtype=np.float32)
    table.sort_indices()
    return table


def table_to_arrays(table: NDArray[np.float32] | sparse.csr_matrix) -> dict[str, NDArray]:
    """A dense table as one array, a sparse one as its three."""
    if isinstance(table, np.ndarray):
        return {"table": table}
    return {
        "table_data": np.asarray(table.data),
        "table_indices": table.indices,
        "table_indptr": table.indptr,
    }


def table_from_arrays(
    arrays: dict[str, NDArray], *, n_columns: int
) -> NDArray[np.float32] | sparse.csr_matrix:
    """The inverse of :func:`table_to_arrays`; a memory-mapped array stays one."""
    if "table" in arrays:
        return arrays["table"]
    indptr = arrays["table_indptr"]
    parts = (arrays["table_data"], arrays["table_indices"], indptr)
    return sparse.csr_matrix(parts, shape=(len(indptr) - 1, n_columns), copy=False)


def keep_largest(table: NDArray[np.float32] | sparse.csr_matrix, n_kept: int) -> sparse.csr_matrix:
    """csr of the ``n_kept`` entries of each row that are largest in absolute value."""
    n_rows, n_columns = table.shape
    if n_kept >= n_columns:
        return sparse.csr_matrix(table)
    if not isinstance(table, np.ndarray):
        return _keep_largest_stored(table, n_kept)
    data, indices, counts = [], [], np.zeros(n_rows, dtype=np.int64)
    for i in range(n_rows):  # row by row: argpartition of the whole would double the memory
        best = np.sort(np.argpartition(-np.abs(table[i]), n_kept)[:n_kept])
        best = best[table[i, best] != 0]
        indices.append(best.astype(np.int32))
        data.append(table[i, best])
        counts[i] = len(best)
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    flat_data = np.concatenate(data) if data else np.empty(0, np.float32)
    flat_indices = np.concatenate(indices) if indices else np.empty(0, np.int32)
    return sparse.csr_matrix((flat_data, flat_indices, indptr), shape=table.shape)


def _keep_largest_stored(table: sparse.csr_matrix, n_kept: int) -> sparse.csr_matrix:
    is_kept = np.ones(table.nnz, dtype=np.bool_)
    for i in np.flatnonzero(np.diff(table.indptr) > n_kept):
        row = slice(table.indptr[i], table.indptr[i + 1])
        is_kept[row] = False
        largest = np.argpartition(-np.abs(table.data[row]), n_kept)[:n_kept]
        is_kept[row.start + largest] = True
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(is_kept)])
    kept = sparse.csr_matrix(
        (table.data[is_kept], table.indices[is_kept], before[table.indptr]), shape=table.shape
    )
    kept.sort_indices()
    return kept
