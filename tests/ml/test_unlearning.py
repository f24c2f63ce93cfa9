"""Removing a person or a rating equals a refit without them, to 1e-9."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from ml import unlearning as un
from ml.data import to_csr
from ml.models.registry import create
from tests.ml.data import two_tastes

N_USERS, N_ITEMS = 60, 40
LAMBDA = 5.0
PLAIN, DROPOUT = 0.0, 0.5 / (1 - 0.5)


def matrix(seed: int, *, weighted: bool = False) -> sparse.csr_matrix:
    rng = np.random.default_rng(seed)
    dense = (rng.random((N_USERS, N_ITEMS)) < 0.2) * 1.0
    if weighted:
        dense *= rng.integers(1, 11, dense.shape) / 2
    return sparse.csr_matrix(dense)


def refit(x: sparse.csr_matrix, ratio: float) -> np.ndarray:
    """P by definition, from the data."""
    gram = x.T @ x
    gram = gram.toarray()
    return np.linalg.inv(gram + np.diag(LAMBDA + ratio * np.diag(gram)))


def item_weights(p: np.ndarray) -> np.ndarray:
    """B by definition, column by column."""
    return np.array(
        [[0.0 if i == j else -p[i, j] / p[j, j] for j in range(len(p))] for i in range(len(p))]
    )


def keep_rows(x: sparse.csr_matrix, users: list[int]) -> sparse.csr_matrix:
    return x[np.setdiff1d(np.arange(x.shape[0]), users)]


@pytest.mark.parametrize("users", [[7], [0, 3, 59], list(range(30))])
@pytest.mark.parametrize("ratio", [PLAIN, DROPOUT])
@pytest.mark.parametrize("weighted", [False, True])
def test_removing_people_equals_a_refit_without_them(
    users: list[int], ratio: float, weighted: bool
) -> None:
    x = matrix(1, weighted=weighted)
    before, after = refit(x, ratio), refit(keep_rows(x, users), ratio)
    assert np.abs(before - after).max() > 1e-4
    found = un.inverse_without(before, x[users], dropout_ratio=ratio)
    np.testing.assert_allclose(found, after, atol=1e-9, rtol=0)
    weights, diagonal = un.ease_without(
        item_weights(before), np.diag(before), x[users], dropout_ratio=ratio
    )
    np.testing.assert_allclose(weights, item_weights(after), atol=1e-9, rtol=0)
    np.testing.assert_allclose(diagonal, np.diag(after), atol=1e-9, rtol=0)


def test_removing_everyone_leaves_the_prior() -> None:
    x = matrix(2)
    found = un.inverse_without(refit(x, DROPOUT), x, dropout_ratio=DROPOUT)
    np.testing.assert_allclose(found, np.eye(N_ITEMS) / LAMBDA, atol=1e-9)


def test_a_film_that_only_the_removed_person_saw_is_forgotten() -> None:
    x = matrix(3).tolil()
    x[:, 4] = 0
    x[9, 4] = 1
    x = sparse.csr_matrix(x)
    weights = un.weights_from_inverse(un.inverse_without(refit(x, PLAIN), x[[9]]))
    assert np.abs(item_weights(refit(x, PLAIN))[4]).max() > 0.01
    np.testing.assert_allclose(weights[4], 0, atol=1e-12)
    np.testing.assert_allclose(weights[:, 4], 0, atol=1e-12)


def test_someone_who_was_never_fitted_is_refused() -> None:
    x = matrix(4)
    stranger = sparse.csr_matrix(np.full((1, N_ITEMS), 5.0))
    with pytest.raises(ValueError, match="not part of the fit"):
        un.inverse_without(refit(x, PLAIN), stranger)


def test_a_person_without_ratings_changes_nothing() -> None:
    x = matrix(4)
    p = refit(x, PLAIN)
    assert np.array_equal(un.inverse_without(p, sparse.csr_matrix((1, N_ITEMS))), p)


def test_single_precision_stays_within_its_own_rounding() -> None:
    x = matrix(5)
    p = refit(x, DROPOUT).astype(np.float32)
    found = un.inverse_without(p, x[[3]], dropout_ratio=DROPOUT)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, refit(keep_rows(x, [3]), DROPOUT), atol=1e-5)


def test_the_inverse_comes_back_from_the_table_and_one_vector() -> None:
    p = refit(matrix(6), PLAIN)
    table = un.weights_from_inverse(p)
    np.testing.assert_allclose(table, item_weights(p), atol=1e-12)
    np.testing.assert_allclose(un.inverse_from_weights(table, np.diag(p)), p, atol=1e-12)


@pytest.mark.parametrize("ratio", [PLAIN, DROPOUT])
def test_the_diagonal_comes_back_from_the_table_and_the_data(ratio: float) -> None:
    x = matrix(6)
    p = refit(x, ratio)
    gram = (x.T @ x).toarray()
    penalised = gram + np.diag(LAMBDA + ratio * np.diag(gram))
    found = un.diagonal_from_gram(item_weights(p), penalised)
    np.testing.assert_allclose(found, np.diag(p), atol=1e-12)


def test_a_fitted_model_without_a_person_equals_the_model_fitted_without_them() -> None:
    """Through the library's own EDLAE, in its single precision."""
    events = two_tastes()
    settings = {"l2": 5.0, "dropout": 0.5}
    whole = create("edlae", settings).fit(events)
    refitted = create("edlae", settings).fit(events.select(events.user_index != 3))
    x = to_csr(events).astype(np.float64)
    gram = (x.T @ x).toarray()
    penalised = gram + np.diag(5.0 + np.diag(gram))
    table = whole.table.astype(np.float64)
    diagonal = un.diagonal_from_gram(table, penalised)
    found, _ = un.ease_without(table, diagonal, x[[3]], dropout_ratio=1.0)
    assert np.abs(whole.table - refitted.table).max() > 1e-3
    np.testing.assert_allclose(found, refitted.table, atol=1e-5)


@pytest.mark.parametrize("ratio", [PLAIN, DROPOUT])
@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_rating_out_equals_a_refit_without_that_rating(
    ratio: float, weighted: bool
) -> None:
    x = matrix(7, weighted=weighted)
    for user in (0, 11, 42):
        items, values = x[[user]].indices, x[[user]].data
        found = un.leave_one_out_scores(refit(x, ratio), items, values)
        assert len(found) > 3
        for i, item in enumerate(items):
            less = x.copy()
            less[user, item] = 0
            expected = (less[[user]] @ item_weights(refit(less, ratio)))[0, item]
            assert found[i] == pytest.approx(float(expected), abs=1e-9)


def test_leave_one_out_of_a_single_rating_has_no_evidence() -> None:
    p = refit(matrix(8), PLAIN)
    assert un.leave_one_out_scores(p, np.array([3]), np.array([1.0])) == pytest.approx(0.0)


@pytest.mark.parametrize("shrinkage", [0.0, 10.0])
def test_cosine_without_people_equals_a_recount(shrinkage: float) -> None:
    x = matrix(9, weighted=True)
    users = [2, 5, 17]
    gram = (x.T @ x).toarray()
    rest = keep_rows(x, users).toarray()
    norm = np.sqrt((rest**2).sum(axis=0))
    expected = (rest.T @ rest) / (np.outer(norm, norm) + shrinkage)
    np.fill_diagonal(expected, 0)
    table = un.cosine_from_gram(gram, shrinkage=shrinkage)
    found, left = un.cosine_without(table, gram, x[users], shrinkage=shrinkage)
    np.testing.assert_allclose(left, rest.T @ rest, atol=1e-9)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.abs(found - table).max() > 1e-3


@pytest.mark.parametrize("shrinkage", [0.0, 10.0])
def test_cosine_leave_one_rating_out_equals_a_recount(shrinkage: float) -> None:
    x = matrix(10, weighted=True)
    user = 13
    items, values = x[[user]].indices, x[[user]].data
    gram = (x.T @ x).toarray()
    found = un.cosine_leave_one_out_scores(gram, items, values, shrinkage=shrinkage)
    for i, item in enumerate(items):
        less = x.copy()
        less[user, item] = 0
        table = un.cosine_from_gram((less.T @ less).toarray(), shrinkage=shrinkage)
        expected = (less[[user]] @ table)[0, item]
        assert found[i] == pytest.approx(float(expected), abs=1e-9)
