"""Estimates from logs, held against a truth that is known."""

from __future__ import annotations

import numpy as np
import pytest

from ml.experiments.off_policy import Logged, off_policy

RATES = np.array([0.1, 0.3, 0.6])
LOGGING = np.array([0.7, 0.2, 0.1])
TARGET = np.array([0.1, 0.2, 0.7])
TRUTH = float((TARGET * RATES).sum())


def draw(seed: int, n: int = 1500) -> tuple[Logged, np.ndarray]:
    rng = np.random.default_rng(seed)
    action = rng.choice(3, size=n, p=LOGGING)
    reward = (rng.random(n) < RATES[action]).astype(float)
    return Logged(reward, LOGGING[action], TARGET[action], np.arange(n)), action


def test_all_estimators_cover_the_truth_as_often_as_they_say():
    covered = {"ips": 0, "snips": 0, "dr": 0}
    means = []
    for seed in range(400):
        log, action = draw(seed)
        guess = np.array([0.2, 0.2, 0.5])  # wrong, as models are
        target = np.full(len(action), float((TARGET * guess).sum()))
        found = off_policy(log, predicted_shown=guess[action], predicted_target=target)
        assert found.dr is not None
        for name in covered:
            value = getattr(found, name)
            covered[name] += value.lo <= TRUTH <= value.hi
        means.append((found.ips.mean, found.snips.mean, found.dr.mean, np.mean(log.reward)))
    for n in covered.values():
        assert 0.92 <= n / 400 <= 0.98
    ips, snips, dr, naive = np.mean(means, axis=0)
    assert (ips, snips, dr) == pytest.approx((TRUTH,) * 3, abs=0.01)
    assert abs(naive - TRUTH) > 0.2  # what the log says without weights


def test_places_of_one_list_are_one_witness():
    log, _ = draw(1, n=300)
    doubled = Logged(*(np.repeat(c, 4) for c in (log.reward, log.logged, log.target, log.group)))
    once, four = off_policy(log), off_policy(doubled)
    for name in ("ips", "snips"):
        a, b = getattr(once, name), getattr(four, name)
        assert (a.mean, a.lo, a.hi) == pytest.approx((b.mean, b.lo, b.hi))


def test_the_logging_policy_is_worth_what_it_earned():
    log, _ = draw(2)
    same = Logged(log.reward, log.logged, log.logged, log.group)
    found = off_policy(same)
    assert found.ips.mean == found.snips.mean == pytest.approx(log.reward.mean())
    assert found.n_effective == pytest.approx(len(log.reward))
    assert found.largest_weight == 1.0
    assert found.dr is None


def test_a_policy_that_the_log_never_showed_cannot_be_judged():
    log, _ = draw(3, n=50)
    found = off_policy(Logged(log.reward, log.logged, np.zeros(50), log.group))
    assert np.isnan(found.snips.mean)
    assert (found.snips.lo, found.snips.hi, found.n_effective) == (-np.inf, np.inf, 0.0)


def test_bad_logs_are_refused():
    one = np.ones(2)
    with pytest.raises(ValueError, match="above 0"):
        Logged(one, np.array([1.0, 0.0]), one, np.arange(2))
    with pytest.raises(ValueError, match="lengths"):
        Logged(one, one, np.ones(3), np.arange(2))
    with pytest.raises(ValueError, match="nothing"):
        off_policy(Logged(*(np.empty(0),) * 3, np.empty(0, np.int64)))
