"""Sittings with breaks set by hand, and leanings that are there or are not."""

from __future__ import annotations

import numpy as np
import pytest

from ml.sessions import GAP_S, leanings, sitting_numbers, sitting_sizes, size_shares

MINUTE = 60


def test_an_hours_break_parts_sittings_and_less_does_not():
    at = np.array([0, 10, 70, 71, 131, 200]) * MINUTE
    # breaks: 10, 60 (not more than an hour), 1, 60, 69 minutes
    assert sitting_numbers(np.zeros(6, int), at).tolist() == [0, 0, 0, 0, 0, 1]
    assert sitting_numbers(np.zeros(6, int), at, gap_s=GAP_S - 1).tolist() == [0, 0, 1, 1, 2, 3]


def test_each_person_has_sittings_of_their_own_whatever_the_order_of_the_log():
    user = np.array([7, 3, 7, 3, 7])
    at = np.array([9000, 0, 0, 100, 9100])
    assert sitting_numbers(user, at).tolist() == [2, 0, 1, 0, 2]
    assert sitting_sizes(sitting_numbers(user, at)).tolist() == [2, 1, 2]


def test_nothing_has_no_sittings_and_wrong_input_is_refused():
    empty = np.empty(0, int)
    assert sitting_numbers(empty, empty).tolist() == []
    assert sitting_sizes(sitting_numbers(empty, empty)).tolist() == []
    with pytest.raises(ValueError, match="2 users for 1 times"):
        sitting_numbers(np.zeros(2, int), np.zeros(1, int))
    with pytest.raises(ValueError, match="gap_s must be 0 or more"):
        sitting_numbers(empty, empty, gap_s=-1)


def test_sizes_are_counted_up_to_each_edge():
    assert size_shares([1, 1, 2, 3, 5, 6, 40], [1, 5, 20]) == [2, 3, 1, 1]
    assert size_shares([], [1, 5]) == [0, 0, 0]


class TestLeanings:
    everybody = np.array([0.2, 0.5])

    def films(self, n, *, horror):
        """``n`` films: the first ``horror`` have the first trait, every second one the other."""
        found = np.zeros((n, 2))
        found[:horror, 0] = 1
        found[::2, 1] = 1
        return found

    def test_six_of_six_after_a_past_of_few_is_a_leaning(self):
        (found,) = leanings(self.films(6, horror=6), self.films(40, horror=4), self.everybody)
        assert (found.column, found.now, found.before) == (0, 1.0, 0.1)

    def test_what_somebody_always_does_is_none(self):
        assert not leanings(self.films(6, horror=6), self.films(40, horror=40), self.everybody)

    def test_two_films_lean_nowhere(self):
        assert not leanings(self.films(2, horror=2), self.films(40, horror=0), self.everybody)

    def test_without_a_past_the_catalogue_stands_in(self):
        none = np.empty((0, 2))
        (found,) = leanings(self.films(6, horror=6), none, self.everybody)
        assert (found.now, found.before) == (1.0, 0.0)
        assert not leanings(self.films(6, horror=6), none, np.array([0.9, 0.5]))

    def test_chance_alone_rarely_leans(self):
        rng = np.random.default_rng(5)
        before = (rng.random((200, 20)) < 0.3).astype(float)
        usual = np.full(20, 0.3)
        n = sum(
            bool(leanings((rng.random((8, 20)) < 0.3).astype(float), before, usual))
            for _ in range(400)
        )
        assert n <= 400 * 0.05 + 3 * np.sqrt(400 * 0.05 * 0.95)
