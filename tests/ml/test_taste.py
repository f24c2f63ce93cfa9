"""Groups within a taste: found where they are, and not where they are not."""

from __future__ import annotations

import numpy as np

from ml.taste import taste_groups


def test_two_strands_are_told_apart_and_the_larger_is_first():
    crime = np.tile([1.0, 0.8, 0.0, 0.0], (9, 1))
    musicals = np.tile([0.0, 0.1, 1.0, 0.9], (4, 1))
    vectors = np.concatenate([musicals, crime]).astype(np.float32)
    vectors += np.random.default_rng(1).normal(0, 0.02, vectors.shape).astype(np.float32)
    assert taste_groups(vectors).tolist() == [1] * 4 + [0] * 9


def test_films_of_one_kind_are_one_group():
    assert not taste_groups(np.ones((12, 3), np.float32)).any()


def test_noise_is_no_group_of_its_own():
    vectors = np.tile([1.0, 0.0], (8, 1)).astype(np.float32)
    vectors[0] = [0.0, 1.0]  # one odd film is not a taste
    assert not taste_groups(vectors).any()


def test_few_films_and_none_at_all():
    assert taste_groups(np.eye(4, dtype=np.float32)).tolist() == [0, 0, 0, 0]
    assert taste_groups(np.zeros((0, 4), np.float32)).tolist() == []


def test_the_same_films_give_the_same_groups():
    vectors = np.random.default_rng(2).random((40, 6)).astype(np.float32)
    assert (taste_groups(vectors) == taste_groups(vectors)).all()
