"""The fused top-k of products equals the plain one, ties and masks included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from ml.retrieval import top_k, top_k_products


def whole_numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Small integers: products are exact in float32, so equal scores are really equal."""
    return rng.integers(-3, 4, size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("n", "n_items", "k"), [(1, 7, 3), (300, 1500, 20), (5, 513, 513), (257, 90, 100), (3, 512, 1)]
)
def test_products_equal_the_full_matrix_with_many_ties(n: int, n_items: int, k: int) -> None:
    rng = np.random.default_rng(n)
    users, items = whole_numbers(rng, n, 6), whole_numbers(rng, n_items, 6)
    mask = sparse.random_array((n, n_items), density=0.2, rng=rng).tocsr()
    for exclude in (None, mask):
        wanted = top_k(users @ items.T, k, exclude=exclude)
        found = top_k_products(users, items, k, exclude=exclude)
        assert np.array_equal(found.item_index, wanted.item_index)
        assert np.array_equal(found.score, wanted.score)
        assert found.item_index.dtype == np.int32
        assert found.score.dtype == np.float32


def test_stopping_early_at_short_vectors_loses_nothing() -> None:
    rng = np.random.default_rng(1)
    users = rng.normal(size=(400, 8)).astype(np.float32)
    lengths = np.geomspace(1, 1e-4, 6000)[:, None]
    items = (rng.permutation(lengths) * rng.normal(size=(6000, 8))).astype(np.float32)
    wanted = top_k(users @ items.T, 30)
    found = top_k_products(users, items, 30)
    np.testing.assert_allclose(found.score, wanted.score, rtol=1e-5)
    assert (found.item_index == wanted.item_index).mean() > 0.999


def test_all_films_excluded_gives_an_empty_list() -> None:
    everything = sparse.csr_matrix(np.ones((2, 9)))
    found = top_k_products(np.ones((2, 3), np.float32), np.ones((9, 3), np.float32), 4)
    assert found.item_index.tolist() == [[0, 1, 2, 3]] * 2
    none = top_k_products(
        np.ones((2, 3), np.float32), np.ones((9, 3), np.float32), 4, exclude=everything
    )
    assert (none.item_index == -1).all()
    assert np.isneginf(none.score).all()


def test_nothing_asked_nothing_answered() -> None:
    nobody = top_k_products(np.empty((0, 3), np.float32), np.ones((9, 3), np.float32), 4)
    assert nobody.item_index.shape == (0, 4)
    no_films = top_k_products(np.ones((2, 3), np.float32), np.empty((0, 3), np.float32), 4)
    assert (no_films.item_index == -1).all()
