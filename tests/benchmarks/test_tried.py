"""The curve of what was tried takes in what helps most first, and ends where nothing helps."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.tried import growing
from ml.tuning import Candidates


def pool(*sources: list[list[float]]) -> Candidates:
    """Two people, four films each; the first film of each is to be found."""
    is_truth = np.zeros((2, 4), dtype=np.bool_)
    is_truth[:, 0] = True
    return Candidates(
        z=np.array(sources, dtype=np.float32),
        is_real=np.ones((2, 4), dtype=np.bool_),
        is_truth=is_truth,
        n_truth=np.ones(2, dtype=np.int64),
    )


def test_two_halves_make_a_whole_and_noise_adds_nothing() -> None:
    knows_first = [[3.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]  # the second person's film is 2nd
    knows_second = [[0.0, 1.0, 0.5, 0.0], [3.0, 0.0, 0.0, 0.0]]
    wrong = [[0.0, 0.0, 0.0, 5.0], [0.0, 0.0, 5.0, 0.0]]
    found = list(growing(pool(wrong, knows_first, knows_second), ["wrong", "a", "b"], k=4))
    assert [label for label, _ in found] == ["a", "b"]
    assert found[-1][1] == pytest.approx(1.0)
    assert found[0][1] < 1.0


def test_a_perfect_source_ends_the_curve() -> None:
    right = [[1.0, 0.0, 0.0, 0.0]] * 2
    other = [[0.0, 1.0, 0.0, 0.0]] * 2
    found = list(growing(pool(other, right), ["other", "right"], k=4))
    assert found == [("right", pytest.approx(1.0))]
