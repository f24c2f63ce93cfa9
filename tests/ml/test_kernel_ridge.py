"""The kernel is the infinite network's, the solution a ridge regression."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from ml.data import to_csr
from ml.models.kernel_ridge import KernelRidge, tangent_kernel
from tests.ml.data import histories, two_tastes


def test_kernel_has_its_known_values() -> None:
    rows = sparse.csr_matrix(np.array([[1.0, 0, 0], [5.0, 0, 0], [0, 2.0, 0], [1.0, 1.0, 0]]))
    found = tangent_kernel(rows, rows)
    assert found[0, 0] == pytest.approx(2.0, abs=1e-5)  # the same taste
    assert found[0, 1] == pytest.approx(2.0, abs=1e-5)  # length doesn't matter
    assert found[0, 2] == pytest.approx(1 / np.pi, abs=1e-6)  # nothing in common
    angle = np.pi / 4
    half = (np.sin(angle) + 2 * (np.pi - angle) * np.cos(angle)) / np.pi
    assert found[0, 3] == pytest.approx(half, abs=1e-6)


def test_kernel_is_that_of_a_wide_random_network() -> None:
    """Gradients' inner products of f(x) = a'relu(Wx) / sqrt(m) * sqrt(2) at a random start."""
    rng = np.random.default_rng(0)
    m = 200_000
    x, y = np.array([1.0, 0.0, 0.0]), np.array([0.6, 0.8, 0.0])
    weights, out = rng.normal(size=(m, 3)), rng.normal(size=m)
    hidden_x, hidden_y = np.maximum(weights @ x, 0), np.maximum(weights @ y, 0)
    by_out = 2 * hidden_x @ hidden_y / m
    both = (weights @ x > 0) & (weights @ y > 0)
    by_weights = 2 * (out**2 * both).sum() / m * (x @ y)
    found = tangent_kernel(sparse.csr_matrix(x[None]), sparse.csr_matrix(y[None]))[0, 0]
    assert found == pytest.approx(by_out + by_weights, rel=0.02)


def test_scores_are_the_ridge_solution() -> None:
    events = two_tastes()
    model = KernelRidge(l2=0.7).fit(events)
    x = (to_csr(events) > 0).astype(np.float64)
    kernel = tangent_kernel(x, x).astype(np.float64)
    dual = np.linalg.solve(kernel + 0.7 * np.diag(kernel).mean() * np.eye(len(kernel)), x.toarray())
    found = model.score(histories(events, [0, 5]))
    seen = np.isfinite(found[0])
    np.testing.assert_allclose(found[:, seen], (kernel[[0, 5]] @ dual)[:, seen], atol=1e-4)


def test_landmarks_are_a_sample_chosen_by_the_seed() -> None:
    events = two_tastes()
    some = KernelRidge(n_landmarks=30).fit(events, seed=1)
    assert some.landmarks.shape[0] == 30
    assert some.dual.shape == (30, 50)
    again, other = (KernelRidge(n_landmarks=30).fit(events, seed=s) for s in (1, 2))
    assert np.array_equal(some.dual, again.dual)
    assert not np.array_equal(some.dual, other.dual)
