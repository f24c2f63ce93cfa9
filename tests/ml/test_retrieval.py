"""The compiled top-k of products and tables equals the plain one, ties and masks included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from ml import compiled
from ml.retrieval import ReadyTable, top_k, top_k_of_one, top_k_products, top_k_table
from ml.types import ScoredItems


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


def sparse_numbers(
    rng: np.random.Generator, n: int, width: int, density: float
) -> sparse.csr_matrix:
    """csr float32[n, width] of small integers."""
    return sparse.random_array(
        (n, width),
        density=density,
        rng=rng,
        data_sampler=lambda size: whole_numbers(rng, size),
        dtype=np.float32,
    ).tocsr()


def assert_same(found: ScoredItems, wanted: ScoredItems) -> None:
    assert np.array_equal(found.item_index, wanted.item_index)
    assert np.array_equal(found.score, wanted.score)


@pytest.mark.parametrize(("n_items", "k"), [(7, 3), (90, 100), (700, 9), (1500, 20), (66_000, 30)])
def test_tables_equal_the_full_matrix_with_many_ties(n_items: int, k: int) -> None:
    rng = np.random.default_rng(n_items)
    table = sparse_numbers(rng, 40, n_items, 0.1)
    seen = rng.random(n_items) < 0.9
    rows = sparse_numbers(rng, 70, 40, 0.2)
    rows.data[rows.data == 0] = 1.0
    mask = sparse.random_array((70, n_items), density=0.1, rng=rng).tocsr()
    scores = (rows @ table).toarray()
    scores[:, ~seen] = -np.inf
    scores[np.diff(rows.indptr) == 0] = -np.inf
    (found,) = top_k_table([(0.0, rows)], ReadyTable.of(table, seen=seen), k, exclude=mask)
    assert_same(found, top_k(scores, k, exclude=mask))


def test_scores_carried_on_are_those_of_both_histories_together() -> None:
    rng = np.random.default_rng(2)
    table = sparse_numbers(rng, 40, 300, 0.1)
    rows, more = (sparse_numbers(rng, 50, 40, 0.3) for _ in range(2))
    none = sparse.csr_matrix((50, 300), dtype=np.float32)
    ready = ReadyTable.of(table, seen=np.ones(300, dtype=np.bool_))
    found = top_k_table([(0.0, rows), (0.5, more)], ready, 12, exclude=none)
    assert_same(found[0], top_k((rows @ table).toarray(), 12))
    assert_same(found[1], top_k(((0.5 * rows + more) @ table).toarray(), 12))


@pytest.mark.parametrize("recent_films_lead_somewhere", [True, False])
def test_light_events_are_left_out_only_where_they_change_nothing(
    recent_films_lead_somewhere: bool,
) -> None:
    rng = np.random.default_rng(3)
    table = sparse.csr_matrix(rng.random((200, 400)).astype(np.float32))
    if not recent_films_lead_somewhere:  # what was watched long ago is then all there is
        table = sparse.csr_matrix(np.arange(200)[:, None] < 100).astype(np.float32).multiply(table)
    weight = (0.6 ** np.arange(199, -1, -1.0)).astype(np.float32)
    rows = sparse.csr_matrix(np.tile(weight, (3, 1)))
    none = sparse.csr_matrix((3, 400), dtype=np.float32)
    ready = ReadyTable.of(table.tocsr(), seen=np.ones(400, dtype=np.bool_))
    (found,) = top_k_table([(0.0, rows)], ready, 25, exclude=none)
    wanted = top_k((rows.astype(np.float64) @ table).toarray().astype(np.float32), 25)
    assert np.array_equal(found.item_index, wanted.item_index)
    np.testing.assert_allclose(found.score, wanted.score, rtol=1e-6)
    assert (found.score > 0).all()


def test_one_order_for_all_leaves_out_what_each_knows() -> None:
    scores = np.array([1, 5, -np.inf, 5, 0, 2], dtype=np.float32)
    mask = sparse.csr_matrix(np.array([[0, 1, 0, 0, 0, 0], [0] * 6, [1] * 6], dtype=np.float32))
    found = top_k_of_one(scores, 4, exclude=mask)
    assert found.item_index.tolist() == [[3, 5, 0, 4], [1, 3, 5, 0], [-1] * 4]
    assert_same(found, top_k(np.tile(scores, (3, 1)), 4, exclude=mask))


@pytest.mark.parametrize(("n_items", "k"), [(1, 1), (5, 9), (64, 64), (700, 20), (5000, 100)])
def test_kernels_find_the_same_best_films(n_items: int, k: int, monkeypatch) -> None:
    rng = np.random.default_rng(n_items)
    scores = whole_numbers(rng, 6, n_items)
    scores[rng.random(scores.shape) < 0.1] = -np.inf
    scores[1, 0], scores[2, 0] = np.nan, np.inf
    scores[3] = np.nan
    scores[4] = np.where(rng.random(n_items) < 0.5, 0.0, -0.0)  # equals
    mask = sparse.random_array(scores.shape, density=0.2, rng=rng).tocsr()
    for exclude in (None, mask):
        found = []
        for is_loaded in (False, True):
            monkeypatch.setattr(compiled, "_loaded", {})
            if is_loaded:
                compiled.load_kernels(compiled.RETRIEVAL)
            found.append(top_k(scores, k, exclude=exclude))
        plain, fast = found
        assert np.array_equal(plain.item_index, fast.item_index)
        assert np.array_equal(plain.score, fast.score)
