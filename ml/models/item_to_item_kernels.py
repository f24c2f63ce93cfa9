"""Sparse products with dense results, compiled: histories times an item-to-item table, and ``X'X``.

Imported by what fits, works in batches or serves (ml.compiled), so that nobody else loads numba.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(nogil=True)
def _add_row(total, rows, weights, indptr, indices, data):  # type: ignore[no-untyped-def]  # numba infers
    """Add to ``total`` the csr rows ``rows`` times their weights, in this order."""
    for event in range(len(rows)):
        row, weight = rows[event], weights[event]
        for at in range(indptr[row], indptr[row + 1]):
            total[indices[at]] += weight * data[at]


@numba.njit(nogil=True, cache=True)
def add_weighted_rows(
    indptr: NDArray[np.integer],
    rows: NDArray[np.integer],
    weights: NDArray[np.float32],
    table_indptr: NDArray[np.integer],
    table_indices: NDArray[np.integer],
    table_data: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Add to row u of ``out`` [n, n_items] the table's rows ``rows[indptr[u]:indptr[u + 1]]`` times
    their weights, in this order."""
    for person in range(len(indptr) - 1):
        own = slice(indptr[person], indptr[person + 1])
        _add_row(out[person], rows[own], weights[own], table_indptr, table_indices, table_data)


@numba.njit(parallel=True, cache=True)
def add_gram(
    transposed_indptr: NDArray[np.integer],
    people: NDArray[np.integer],
    weights: NDArray[np.float32],
    indptr: NDArray[np.integer],
    items: NDArray[np.integer],
    data: NDArray[np.float32],
    gram: NDArray[np.float32],
) -> None:
    """Add ``X'X`` to ``gram`` [n_items, n_items] for ``X`` as csr and its transpose, all cores.

    A row of the result stays in a core's cache; a sparse product of the same would be larger than
    the dense one as soon as a third of all pairs of films were seen by one person.
    """
    for item in numba.prange(len(transposed_indptr) - 1):
        own = slice(transposed_indptr[item], transposed_indptr[item + 1])
        _add_row(gram[item], people[own], weights[own], indptr, items, data)


@numba.njit(nogil=True, cache=True)
def fill_block(
    rows: NDArray[np.integer],
    place: NDArray[np.int32],
    table_indptr: NDArray[np.integer],
    table_indices: NDArray[np.integer],
    table_data: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Copy into ``out`` [n, m] (given as zeros) what the table's ``rows`` [n] hold of m columns.

    ``place`` [n_items] is where a column goes, -1 for those that are not wanted.
    """
    for i in range(len(rows)):
        for at in range(table_indptr[rows[i]], table_indptr[rows[i] + 1]):
            column = place[table_indices[at]]
            if column >= 0:
                out[i, column] = table_data[at]
