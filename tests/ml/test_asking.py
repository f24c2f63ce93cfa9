"""Asking a newcomer: the film whose answer would change the list most, and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from ml import asking

WEIGHTS = np.array([1.0])


def test_the_change_is_the_share_of_the_first_films_that_an_answer_replaces():
    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0], np.float32)
    rows = np.array(
        [
            [0, 0, 0, 0, 0],  # nothing
            [0, 0, 0, 3, 0],  # one of two is replaced
            [0, 0, 0, 9, 9],  # both are
            [1, 0, 0, 0, 0],  # the order, which is no change of the first films
        ],
        np.float32,
    )
    chances = np.ones((4, 1), np.float32)
    change = asking.expected_change(scores, rows, chances=chances, weights=WEIGHTS, k=2)
    np.testing.assert_allclose(change, [0.0, 0.5, 1.0, 0.0])


def test_unlikely_answers_change_little_and_a_weightless_one_nothing():
    scores = np.array([2.0, 1.0, 0.0], np.float32)
    rows = np.array([[0, 0, 9]], np.float32)
    chances = np.array([[0.25, 0.75]], np.float32)
    change = asking.expected_change(
        scores, rows, chances=chances, weights=np.array([1.0, 0.0]), k=1
    )
    np.testing.assert_allclose(change, [0.25])


def test_films_out_of_the_lists_neither_count_nor_come_back():
    scores = np.array([-np.inf, 1.0, 0.5], np.float32)
    rows = np.array([[9, 0, 0]], np.float32)
    one = np.ones((1, 1), np.float32)
    assert asking.expected_change(scores, rows, chances=one, weights=WEIGHTS, k=1) == [0.0]
    nothing = np.full(3, -np.inf, np.float32)
    assert asking.expected_change(nothing, rows, chances=one, weights=WEIGHTS, k=1) == [0.0]


def test_chances_add_up_and_follow_the_films_mean():
    chances = asking.answer_chances(np.array([1.5, 3.0, 4.6], np.float32))
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, rtol=1e-6)
    assert list(chances.argmax(axis=1)) == [0, 1, 3]


@pytest.mark.parametrize("is_sparse", [False, True])
def test_a_pool_is_of_the_best_known_films(is_sparse):
    table = np.arange(16, dtype=np.float32).reshape(4, 4)
    pool, films = asking.asking_pool(
        sparse.csr_matrix(table) if is_sparse else table,
        counts=np.array([5.0, 0.0, 9.0, 7.0]),
        means=np.array([4.0, np.nan, np.nan, 3.0]),
        n_askable=2,
        n_films=10,
        n_people=10.0,
    )
    assert films.tolist() == [2, 3, 0]  # nobody knows film 1
    np.testing.assert_allclose(pool.rows, table[[2, 3]][:, [2, 3, 0]])
    np.testing.assert_allclose(pool.seen, [0.9, 0.7])
    np.testing.assert_allclose(pool.mean, [3.5, 3.0])
    np.testing.assert_allclose(
        pool.scores(np.array([1]), np.array([0.5])), pool.prior + 0.5 * pool.rows[1]
    )


def two_crowds():
    """Eight films, two crowds of four; what one of a crowd is liked for lifts the rest of it."""
    table = np.kron(np.eye(2), np.ones((4, 4))).astype(np.float32)
    np.fill_diagonal(table, 0.0)
    counts = np.array([90, 50, 50, 50, 60, 50, 50, 50.0])
    return asking.asking_pool(
        table, counts=counts, means=np.full(8, 3.8), n_askable=8, n_films=8, n_people=100.0
    )


def test_the_question_is_the_one_whose_answer_would_change_the_list():
    pool, films = two_crowds()
    asked = np.zeros(8, np.bool_)
    places = asking.Asking(8, heard_seen=1, heard_stars=0, damping=1, depth=4, measure="places")
    place = asking.next_question(pool, pool.prior, asked=asked, asking=places)
    # Film 0 is known best, but the first crowd fills the list as it is: film 4 would turn it over.
    assert films[place] == 4
    # Whoever loves the second crowd learns little from one more of it.
    asked[place] = True
    heard = pool.scores(np.array([place]), np.array([1.0]))
    heard[place] = -np.inf
    second = asking.next_question(pool, heard, asked=asked, asking=replace(places, depth=3))
    assert films[second] < 4


def test_what_the_answers_speak_for_is_asked_about_where_it_is_likelier_known():
    pool, films = two_crowds()
    asked = np.zeros(8, np.bool_)
    first = int(np.flatnonzero(films == 4)[0])
    asked[first] = True
    heard = pool.scores(np.array([first]), np.array([1.0]))
    heard[first] = -np.inf
    deaf = asking.Asking(8, heard_seen=0, heard_stars=0, damping=0, depth=8)
    keen = replace(deaf, heard_seen=1)
    # Without listening the best known film is next, listening the crowd that the answer is of.
    assert films[asking.next_question(pool, heard, asked=asked, asking=deaf)] == 0
    assert films[asking.next_question(pool, heard, asked=asked, asking=keen)] > 4


def test_the_shift_counts_the_first_scores_only():
    scores = np.array([3.0, 2.0, 1.0, -np.inf], np.float32)
    rows = np.array([[0, 1, 5, 9], [2, 0, 0, 0]], np.float32)
    one = np.ones((2, 1), np.float32)
    shift = asking.expected_shift(scores, rows, chances=one, weights=np.array([-1.0]), depth=2)
    np.testing.assert_allclose(shift, [1.0, 2.0])
    assert asking.expected_shift(
        scores[3:], rows[:, 3:], chances=one, weights=WEIGHTS, depth=2
    ).tolist() == [0.0, 0.0]


def test_nothing_left_to_ask_is_minus_one():
    pool, _ = two_crowds()
    asked = np.ones(8, np.bool_)
    assert asking.next_question(pool, pool.prior, asked=asked) == -1


def test_the_served_settings_are_those_that_were_measured():
    results = Path(__file__).parents[2] / "benchmarks/results/onboarding.json"
    record = json.loads(results.read_text(encoding="utf-8"))
    assert record["settings"] == asdict(asking.Asking())
    assert record["differences"]["adaptive - popular five"]["lo"] > 0
    assert record["differences"]["popular five - quiz"]["lo"] > 0


def test_overlap_counts_films_and_not_their_order():
    assert asking.overlap_at_k(np.array([1, 2, 3, 9]), np.array([3, 2, 1, 8]), 3) == 1.0
    assert asking.overlap_at_k(np.array([1, 2]), np.array([2, 3]), 2) == 0.5
    assert asking.overlap_at_k(np.array([1]), np.array([1]), 0) == 1.0
