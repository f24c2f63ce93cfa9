"""Assignment, mismatch, interleaving and the tail shuffle."""

from __future__ import annotations

import numpy as np
import pytest

from ml.experiments.assignment import arm_of, bucket_of, seed_of
from ml.experiments.exploration import Exploration, propensity_of, support, tail_shuffle
from ml.experiments.interleaving import credits_of, preference, team_draft
from ml.experiments.mismatch import ALARM, mismatch

PEOPLE = [str(i) for i in range(20_000)]


def test_the_same_person_gets_the_same_arm_and_arms_get_their_shares():
    arms = np.array([arm_of("salt", unit, (0.3, 0.2)) for unit in PEOPLE])
    assert [arm_of("salt", unit, (0.3, 0.2)) for unit in PEOPLE[:50]] == arms[:50].tolist()
    shares = [(arms == arm).mean() for arm in (0, 1, -1)]
    assert shares == pytest.approx([0.3, 0.2, 0.5], abs=0.012)


def test_another_salt_splits_people_independently():
    one = np.array([bucket_of("one", unit) < 0.5 for unit in PEOPLE])
    two = np.array([bucket_of("two", unit) < 0.5 for unit in PEOPLE])
    assert (one & two).mean() == pytest.approx(0.25, abs=0.012)
    assert seed_of("one", "7") != seed_of("two", "7")
    assert seed_of("one", "7") == seed_of("one", "7")


def test_impossible_shares_are_refused():
    for shares in ((0.6, 0.6), (-0.1, 0.5)):
        with pytest.raises(ValueError, match="shares"):
            arm_of("salt", "1", shares)


def test_a_wrong_split_is_found_and_a_right_one_hardly_ever():
    assert mismatch([500, 500], [1, 1]).p_value == 1.0
    assert mismatch([100, 300], [1, 3]).statistic == 0.0
    assert mismatch([400, 600], [1, 1]).is_alarm
    assert mismatch([400, 600], [1, 1]).p_value < 1e-9
    assert not mismatch([520, 480], [1, 1]).is_alarm
    assert mismatch([0, 0], [1, 1]).e_value == 1.0
    for counts, shares in (([1], [1]), ([1, 2], [1]), ([1, 2], [1, 0])):
        with pytest.raises(ValueError, match="share"):
            mismatch(counts, shares)


def test_looking_at_a_right_split_for_ever_raises_no_alarm():
    """The chance that the e-value ever passes 20 is at most 1 in 20; of the alarm, 1 in 1000."""
    ever_20 = ever_alarm = 0
    for run in range(300):
        is_one = np.random.default_rng([2, run]).random(1000) < 0.5
        ones = np.cumsum(is_one)
        seen = [mismatch([int(ones[t]), t + 1 - int(ones[t])], [1, 1]) for t in range(9, 1000, 10)]
        ever_20 += any(found.e_value >= 20 for found in seen)
        ever_alarm += any(found.e_value >= ALARM for found in seen)
    assert ever_20 <= 27  # 15 expected at most, and three standard errors of chance
    assert ever_alarm <= 2


def test_a_draft_takes_turns_and_never_shows_a_film_twice():
    a, b = [1, 2, 3, 4, 5, 6], [3, 1, 7, 8, 9, 2]
    first = set()
    for seed in range(50):
        draft = team_draft(a, b, 6, np.random.default_rng(seed))
        assert len(set(draft.items)) == 6
        assert draft.teams.count("A") == 3
        for pair in range(0, 6, 2):
            assert set(draft.teams[pair : pair + 2]) == {"A", "B"}
        first.add(draft.items[0])
        own = {"A": [i for i in draft.items if i in a], "B": [i for i in draft.items if i in b]}
        for team, ranking in (("A", a), ("B", b)):
            mine = [i for i, t in zip(draft.items, draft.teams, strict=True) if t == team]
            assert mine == sorted(mine, key=ranking.index)
            assert set(mine) <= set(own[team])
    assert first == {1, 3}
    again = team_draft(a, b, 6, np.random.default_rng(4))
    assert again == team_draft(a, b, 6, np.random.default_rng(4))


def test_a_draft_of_short_rankings_ends_when_both_do():
    draft = team_draft([1], [1, 2, 3], 10, np.random.default_rng(0))
    assert sorted(draft.items) == [1, 2, 3]
    assert team_draft([], [], 5, np.random.default_rng(0)).items == ()


def test_with_the_same_list_twice_no_team_has_an_advantage():
    ranking = list(range(10))
    chance = np.linspace(0.5, 0.05, 10)
    rng = np.random.default_rng(9)
    values = []
    for _ in range(4000):
        draft = team_draft(ranking, ranking, 10, rng)
        assert draft.items == tuple(ranking)
        values.append(preference(*credits_of(draft.teams, rng.random(10) < chance)))
    assert np.mean(values) == pytest.approx(0.0, abs=3 * np.std(values) / np.sqrt(4000))


def test_credit_goes_to_the_team_that_brought_the_film():
    clicked = np.array([True, False, True, True])
    assert credits_of("ABBA", clicked) == (2, 1)
    assert preference(2, 1) == pytest.approx(-1 / 3)
    assert preference(0, 0) == 0.0
    assert preference(0, 3) == 1.0


@pytest.mark.parametrize("how", [Exploration(0.4, first=2, reserve=5), Exploration(1.0, first=0)])
def test_propensities_are_the_shares_in_which_films_stand_there(how):
    rng = np.random.default_rng(1)
    n_ranked, n, runs = 14, 8, 20_000
    seen = np.zeros((n_ranked, n))
    for _ in range(runs):
        found = tail_shuffle(n_ranked, n, how, rng)
        seen[list(found.order), range(n)] += 1
        for at, (place, chance) in enumerate(zip(found.order, found.propensity, strict=True)):
            assert chance == propensity_of(place, at, n_ranked, n, how)
    wanted = [[propensity_of(p, at, n_ranked, n, how) for at in range(n)] for p in range(n_ranked)]
    assert np.abs(seen / runs - np.array(wanted)).max() < 0.015
    assert np.array(wanted).sum(axis=0) == pytest.approx(np.ones(n))


def test_without_epsilon_a_list_is_the_policys_own():
    found = tail_shuffle(30, 10, Exploration(), np.random.default_rng(0))
    assert found.order == tuple(range(10))
    assert set(found.propensity) == {1.0}
    assert tail_shuffle(0, 10, Exploration(0.5), np.random.default_rng(0)).order == ()
    short = tail_shuffle(4, 10, Exploration(1.0, first=2), np.random.default_rng(0))
    assert sorted(short.order) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="epsilon"):
        Exploration(1.5)


def test_support_is_the_share_that_could_have_been_shown():
    assert support([1, 2, 3, 4], [2, 9]) == 0.5
    assert support([], []) == 0.0
