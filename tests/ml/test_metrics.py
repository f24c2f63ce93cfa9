"""Known answers, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from ml import metrics
from ml.bootstrap import mean_intervals, paired_difference, share_interval

# Three people, ten films. Truths: {1, 2, 3}, {0}, {9}; the third gets a short list.
TRUTH = sparse.csr_matrix(
    (np.ones(5, dtype=np.bool_), ([0, 0, 0, 1, 2], [1, 2, 3, 0, 9])), shape=(3, 10)
)
LISTS = np.array([[1, 5, 3, 7], [4, 5, 6, 7], [8, 9, -1, -1]], dtype=np.int32)
LOG = np.log2(np.arange(2, 6))  # discounts' denominators of places 1..4


def test_two_recalls_differ_on_the_same_list() -> None:
    assert metrics.recall_at_k(LISTS, TRUTH, 2) == pytest.approx([1 / 3, 0, 1])
    assert metrics.capped_recall_at_k(LISTS, TRUTH, 2) == pytest.approx([1 / 2, 0, 1])


def test_ndcg_divides_by_the_best_possible_list() -> None:
    ideal = (1 / LOG[:3]).sum()
    expected = [(1 / LOG[0] + 1 / LOG[2]) / ideal, 0, 1 / LOG[1]]
    assert metrics.ndcg_at_k(LISTS, TRUTH, 4) == pytest.approx(expected)


def test_ndcg_beyond_the_list_counts_missing_places_as_misses() -> None:
    assert metrics.ndcg_at_k(LISTS, TRUTH, 50) == pytest.approx(metrics.ndcg_at_k(LISTS, TRUTH, 4))


def test_map_divides_by_all_that_is_to_be_found() -> None:
    assert metrics.map_at_k(LISTS, TRUTH, 4) == pytest.approx([(1 + 2 / 3) / 3, 0, 1 / 2])


def test_hit_mrr_precision() -> None:
    assert metrics.hit_at_k(LISTS, TRUTH, 1) == pytest.approx([1, 0, 0])
    assert metrics.mrr(LISTS, TRUTH) == pytest.approx([1, 0, 1 / 2])
    assert metrics.precision_at_k(LISTS, TRUTH, 4) == pytest.approx([1 / 2, 0, 1 / 4])


def test_a_film_repeated_in_a_list_counts_once() -> None:
    repeated = np.array([[1, 1, 1, 2]], dtype=np.int32)
    assert metrics.recall_at_k(repeated, TRUTH[[0]], 4) == pytest.approx([2 / 3])


def test_empty_places_never_hit_even_where_film_0_is_the_truth() -> None:
    empty = np.full((1, 4), -1, dtype=np.int32)
    assert metrics.hit_at_k(empty, TRUTH[[1]], 4) == pytest.approx([0])


def test_a_row_without_truth_is_nan() -> None:
    nothing = sparse.csr_matrix((1, 10), dtype=np.bool_)
    for measure in (metrics.recall_at_k, metrics.ndcg_at_k, metrics.map_at_k, metrics.hit_at_k):
        assert np.isnan(measure(LISTS[:1], nothing, 3)).all()


def test_coverage_and_novelty() -> None:
    assert metrics.coverage(LISTS, 10) == pytest.approx(8 / 10)
    popularity = np.array([7, 3, 0, 0, 0, 0, 0, 0, 0, 0])
    bits = metrics.novelty(np.array([[0, 1], [0, -1]], dtype=np.int32), popularity, 7)
    assert bits == pytest.approx([0.5, 0.0])


def test_diversity_is_0_for_alike_and_1_for_unrelated() -> None:
    features = np.array([[1, 0], [2, 0], [0, 3]], dtype=np.float32)
    lists = np.array([[0, 1], [0, 2], [0, -1]], dtype=np.int32)
    diversity = metrics.intra_list_diversity(lists, features)
    assert diversity[:2] == pytest.approx([0, 1])
    assert np.isnan(diversity[2])


def test_star_errors() -> None:
    assert metrics.rmse(np.array([3.0, 5.0]), np.array([4.0, 2.0])) == pytest.approx(5**0.5)
    assert metrics.mae(np.array([3.0, 5.0]), np.array([4.0, 2.0])) == pytest.approx(2)
    assert np.isnan(metrics.rmse(np.array([]), np.array([])))


def test_calibration_error_weighs_bins_by_size() -> None:
    probability = np.array([0.9, 0.9, 0.9, 0.1])
    outcome = np.array([True, True, False, False])
    expected = (3 * abs(0.9 - 2 / 3) + 1 * 0.1) / 4
    assert metrics.calibration_error(probability, outcome) == pytest.approx(expected)


def test_interval_coverage_includes_the_ends() -> None:
    low, high = np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0])
    assert metrics.interval_coverage(low, high, np.array([2.0, 1.0, 3.5])) == pytest.approx(2 / 3)


def test_interval_of_a_share_is_wilsons() -> None:
    """6 of 10: .313 to .832 (Brown, Cai and DasGupta 2001 recommend it for so few)."""
    found = share_interval(6, 10)
    assert (found.mean, found.lo, found.hi) == pytest.approx((0.6, 0.3127, 0.8318), abs=1e-4)
    none, every = share_interval(0, 10), share_interval(10, 10)
    assert (none.lo, every.hi) == pytest.approx((0.0, 1.0))
    assert none.hi == pytest.approx(1 - every.lo) == pytest.approx(0.2775, abs=1e-4)
    assert np.isnan(share_interval(0, 0).mean)


def test_bootstrap_interval_of_a_known_mean() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, size=4000)
    got = mean_intervals({"x": values}, seed=1)["x"]
    assert got.mean == pytest.approx(values.mean())
    half_width = 1.96 * values.std() / np.sqrt(len(values))
    assert got.hi - got.mean == pytest.approx(half_width, rel=0.15)
    assert got.mean - got.lo == pytest.approx(half_width, rel=0.15)


def test_pairing_finds_a_difference_that_means_alone_hide() -> None:
    rng = np.random.default_rng(2)
    person = rng.normal(0, 5, size=500)
    a, b = person + 0.3 + rng.normal(0, 0.5, 500), person + rng.normal(0, 0.5, 500)
    difference = paired_difference(a, b)
    assert difference.lo > 0
    alone = mean_intervals({"a": a, "b": b})
    assert alone["a"].lo < alone["b"].hi


def test_rows_of_one_person_are_drawn_together() -> None:
    values = np.repeat(np.random.default_rng(3).normal(size=20), 50)
    alone = mean_intervals({"x": values})["x"]
    grouped = mean_intervals({"x": values}, group=np.repeat(np.arange(20), 50))["x"]
    assert grouped.mean == pytest.approx(alone.mean)
    assert (grouped.hi - grouped.lo) > 4 * (alone.hi - alone.lo)


def test_gini_is_nothing_where_all_are_alike_and_nearly_one_for_one_alone():
    assert metrics.gini(np.array([3, 3, 3, 3])) == pytest.approx(0.0)
    assert metrics.gini(np.array([0, 0, 0, 8])) == pytest.approx(0.75)
    assert metrics.gini(np.array([1, 2, 3])) == pytest.approx(2 / 9)
    assert np.isnan(metrics.gini(np.zeros(3)))
