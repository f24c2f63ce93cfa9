"""What puts the sources of a blend on one scale: the same numbers in every process."""

from __future__ import annotations

import numpy as np
import pytest

from ml import compiled
from ml.models.hybrid import affine

LENGTHS = (1, 5, 63, 64, 65, 1000, 26744)


def _row(n: int, *, without: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(n)
    row = (rng.normal(size=n) * 10 + 3).astype(np.float32)
    row[rng.random(n) < without] = -np.inf
    return row


@pytest.fixture
def plain(monkeypatch):
    """A process that has not loaded the kernels."""
    monkeypatch.setattr(compiled, "_loaded", {})


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("without", [0.0, 0.3])
def test_mean_and_deviation_are_of_the_finite_scores(plain, n, without):
    row = _row(n, without=without)
    finite = row[np.isfinite(row)].astype(np.float64)
    mean, scale = affine(row[None])
    if len(finite) > 1:
        assert mean[0] == pytest.approx(finite.mean(), rel=1e-6)
        assert 1.0 / scale[0] == pytest.approx(finite.std(), rel=1e-6)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("without", [0.0, 0.3])
def test_the_compiled_ones_are_the_same_bit_for_bit(plain, n, without):
    row = _row(n, without=without)
    before = affine(row[None])
    compiled.load_kernels(compiled.HYBRID)
    np.testing.assert_array_equal(affine(row[None]), before)


def test_many_people_at_once_are_the_same_as_one_by_one(plain):
    scores = np.stack([_row(500, without=i / 100) for i in range(100)])
    alone = [affine(scores[i : i + 1]) for i in range(len(scores))]
    together = affine(scores)
    np.testing.assert_array_equal(together[0], np.concatenate([mean for mean, _ in alone]))
    np.testing.assert_array_equal(together[1], np.concatenate([scale for _, scale in alone]))


@pytest.mark.parametrize("is_compiled", [False, True])
def test_a_flat_row_and_one_without_scores_have_no_scale(plain, is_compiled):
    if is_compiled:
        compiled.load_kernels(compiled.HYBRID)
    rows = np.stack([np.full(70, 2.5), np.full(70, -np.inf), np.full(70, np.nan)])
    mean, scale = affine(rows.astype(np.float32))
    assert mean.tolist() == [0.0, 0.0, 0.0]
    assert scale.tolist() == [0.0, 0.0, 0.0]
