"""Sparse feature matrices about people and films: who rated what, and the films' facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.types import FloatArray, Interactions, ItemFeatures

YEAR_STEP, YEAR_SIGMA = 5.0, 6.0  # radial basis over release years


def rated_by(interactions: Interactions) -> sparse.csr_matrix:
    """csr [n_users, n_items]: 1 where rated, each row scaled to length 1 (SVD++'s |N(u)|^-1/2)."""
    ones = np.ones(len(interactions))
    matrix = sparse.csr_matrix(
        (ones, (interactions.user_index, interactions.item_index)),
        shape=(interactions.n_users, interactions.n_items),
    )
    matrix.data[:] = 1.0  # the same pair twice counts once
    return scale_rows(matrix)


def scale_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Rows of Euclidean length 1; empty rows stay empty."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1.0 / np.where(length > 0, length, 1.0)).dot(matrix).tocsr()


def token_matrix(tokens: Sequence[tuple[str, ...]], *, min_count: int = 2) -> sparse.csr_matrix:
    """csr [n_items, n_tokens] of unit rows, without tokens of fewer than ``min_count`` films."""
    vocabulary: dict[str, int] = {}
    rows, columns = [], []
    for i, row in enumerate(tokens):
        for token in set(row):
            rows.append(i)
            columns.append(vocabulary.setdefault(token, len(vocabulary)))
    shape = (len(tokens), max(len(vocabulary), 1))
    # Sorted tokens: the columns' order must not depend on Python's hash seed.
    order = {name: i for i, name in enumerate(sorted(vocabulary))}
    new = np.array([order[name] for name in vocabulary], dtype=np.int64)
    matrix = sparse.csr_matrix((np.ones(len(rows)), (rows, new[columns])), shape=shape)
    common = np.flatnonzero(np.asarray((matrix > 0).sum(axis=0)).ravel() >= min_count)
    return scale_rows(matrix[:, common]) if len(common) else sparse.csr_matrix((shape[0], 1))


def year_basis(year: FloatArray) -> NDArray[np.float64]:
    """[n, n_centers]: Gaussian bumps over release years; unknown years give a zero row."""
    known = np.isfinite(year)
    if not known.any():
        return np.zeros((len(year), 1))
    centers = np.arange(year[known].min(), year[known].max() + YEAR_STEP, YEAR_STEP)
    filled = np.where(known, year, 0.0)
    return np.exp(-0.5 * ((filled[:, None] - centers) / YEAR_SIGMA) ** 2) * known[:, None]


def centered_text(text: FloatArray) -> FloatArray:
    """Text vectors minus their mean over the films that have one: sentence vectors share a large
    common part that hides what differs (QUALITY: it doubles what they say)."""
    known = np.abs(text).sum(axis=1) > 0
    if not known.any():
        return text
    return np.where(known[:, None], text - text[known].mean(axis=0), 0.0).astype(np.float32)


def item_facts(
    features: ItemFeatures | None, weights: Mapping[str, float]
) -> list[sparse.csr_matrix]:
    """One weighted block per fact that ``features`` has and ``weights`` names."""
    if features is None:
        return []
    blocks: dict[str, sparse.csr_matrix] = {}
    if features.genres is not None:
        blocks["genres"] = scale_rows(sparse.csr_matrix(features.genres))
    if features.year is not None:
        blocks["year"] = sparse.csr_matrix(year_basis(features.year))
    if features.text is not None:
        blocks["text"] = sparse.csr_matrix(centered_text(features.text))
    for facet, tokens in (features.tags or {}).items():
        blocks[facet] = token_matrix(tokens)
    return [blocks[name] * weight for name, weight in weights.items() if weight and name in blocks]
