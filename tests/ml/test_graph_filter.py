"""The graph filter's table equals its formula, written out densely."""

from __future__ import annotations

import numpy as np
import pytest

from ml.data import to_csr
from ml.models.graph_filter import GraphFilter, leading_eigenvectors, normalised
from ml.types import Histories
from tests.ml.data import two_tastes


def smooth_dense() -> tuple[np.ndarray, np.ndarray]:
    """R~ and the films' degrees by definition."""
    x = (to_csr(two_tastes()).toarray() > 0).astype(np.float64)
    users, items = x.sum(1), x.sum(0)
    return x / np.sqrt(np.maximum(users, 1))[:, None] / np.sqrt(np.maximum(items, 1)), items


def test_without_filter_or_sharpening_the_table_is_the_normalised_neighbourhood() -> None:
    smooth, _ = smooth_dense()
    model = GraphFilter(low_pass=0, sharpen=0).fit(two_tastes())
    np.testing.assert_allclose(model.table, smooth.T @ smooth, atol=1e-6)


@pytest.mark.parametrize("sharpen", [0.0, 0.7])
def test_the_table_equals_the_formula(sharpen: float) -> None:
    smooth, degree = smooth_dense()
    near = smooth.T @ smooth
    values, vectors = np.linalg.eigh(near)
    basis = vectors[:, np.argsort(-values)[:5]]
    root = np.sqrt(np.maximum(degree, 1))
    wanted = near + 0.3 * np.diag(1 / root) @ basis @ basis.T @ np.diag(root)
    wanted = wanted @ (np.eye(len(near)) - sharpen * near)
    model = GraphFilter(n_factors=5, low_pass=0.3, sharpen=sharpen).fit(two_tastes())
    np.testing.assert_allclose(model.table, wanted, atol=2e-4)


def test_eigenvectors_are_orthonormal_and_leading() -> None:
    smooth = normalised((to_csr(two_tastes()) > 0).astype(np.float32))
    basis = leading_eigenvectors(smooth, 4, seed=0)
    np.testing.assert_allclose(basis.T @ basis, np.eye(4), atol=1e-4)
    dense = smooth.toarray()
    kept = np.trace(basis.T @ dense.T @ dense @ basis)
    best = np.sort(np.linalg.eigvalsh(dense.T @ dense))[-4:].sum()
    assert kept == pytest.approx(best, rel=1e-4)


def test_the_default_rank_follows_the_number_of_people() -> None:
    few = GraphFilter().fit(two_tastes(n_users=24))
    one = GraphFilter(n_factors=1).fit(two_tastes(n_users=24))
    assert np.array_equal(few.table, one.table)


def test_recent_events_count_more_with_decay() -> None:
    model = GraphFilter(decay=0.5).fit(two_tastes())
    score = model.score(Histories.from_lists([[0, 30], [30, 0]]))
    first, second = model.table[0], model.table[30]
    np.testing.assert_allclose(score[0][:48], (0.5 * first + second)[:48], atol=1e-6)
    np.testing.assert_allclose(score[1][:48], (0.5 * second + first)[:48], atol=1e-6)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        GraphFilter(sharpen=-1)
