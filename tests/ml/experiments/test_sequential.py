"""Confidence sequences: right at all times at once, and what they are made of."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ml.experiments.arms import difference
from ml.experiments.sequential import (
    ALPHA,
    mean_sequence,
    more_needed,
    radius,
    rho_for,
)

RUNS = 400
ALLOWED = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)


def test_the_radius_is_the_papers_formula():
    rho, t, alpha = 0.1, 250.0, 0.05
    wanted = math.sqrt(
        2 * (t * rho**2 + 1) / (t**2 * rho**2) * math.log(math.sqrt(t * rho**2 + 1) / alpha)
    )
    assert float(radius(t, rho=rho, alpha=alpha)) == pytest.approx(wanted, rel=1e-12)


def test_rho_is_about_the_best_for_its_number_of_observations():
    best = rho_for(500)
    tight = float(radius(500.0, rho=best))
    for factor in (0.5, 0.8, 1.25, 2.0):
        assert tight <= float(radius(500.0, rho=best * factor)) * 1.001
    with pytest.raises(ValueError, match="n_target"):
        rho_for(0)


def test_looking_all_the_time_is_wrong_in_at_most_five_per_cent_of_experiments():
    """The same looks with ordinary 95 % intervals are wrong many times as often."""
    wrong = naive = 0
    t = np.arange(1, 1001)
    for run in range(RUNS):
        values = np.random.default_rng([1, run]).exponential(size=1000) - 1.0
        path = mean_sequence(values, n_target=500)
        wrong += bool(path.is_decided.any())
        with np.errstate(invalid="ignore"):
            naive += bool((np.abs(path.mean) > 1.96 * path.deviation / np.sqrt(t))[30:].any())
    assert wrong / RUNS <= ALLOWED
    assert naive / RUNS > 0.25


def test_a_real_effect_is_found_and_its_p_value_agrees_with_its_interval():
    values = np.random.default_rng(3).normal(0.3, 1.0, 2000)
    path = mean_sequence(values)
    assert path.lo[-1] > 0
    assert path.lo[-1] < 0.3 < path.hi[-1]
    ready = np.isfinite(path.lo)
    assert ((path.p_value[ready] < ALPHA) == path.is_decided[ready]).all()
    found = path.first_decision()
    assert found is not None
    assert path.is_decided[found - 1]
    assert not path.is_decided[: found - 1].any()


def test_nothing_is_said_of_lists_on_which_nobody_clicked():
    path = mean_sequence(np.zeros(500))
    assert not path.is_decided.any()
    assert (path.p_value == 1.0).all()
    few = np.zeros(500)
    few[:29] = 1.0
    assert np.isinf(mean_sequence(few, start=30).hi).all()
    assert len(mean_sequence(np.empty(0))) == 0


def test_how_many_more_are_needed_is_how_many_more_it_takes():
    more = more_needed(n=100, deviation=1.0, width=0.1)
    assert more is not None
    rho = rho_for(1000)
    assert float(radius(100.0 + more, rho=rho)) <= 0.1
    assert float(radius(99.0 + more, rho=rho)) > 0.1
    assert more_needed(n=10**6, deviation=1.0, width=0.1) == 0
    assert more_needed(n=10, deviation=1.0, width=0.0) is None
    assert more_needed(n=10, deviation=1.0, width=1e-9) is None
    assert more_needed(n=10, deviation=math.inf, width=0.1) is None


def test_the_difference_is_the_difference_of_means_at_every_moment():
    rng = np.random.default_rng(5)
    arm = rng.integers(2, size=400)
    outcome = rng.normal(size=400) + 0.5 * arm
    found = difference(outcome, arm)
    for t in (100, 250, 400):
        y, a = outcome[:t], arm[:t]
        assert found.path.mean[t - 1] == pytest.approx(y[a == 1].mean() - y[a == 0].mean())
    y1, y0 = outcome[arm == 1], outcome[arm == 0]
    wanted = (y1.var(ddof=1) * len(y1) + y0.var(ddof=1) * len(y0)) * 4 / 400
    assert found.path.deviation[-1] == pytest.approx(math.sqrt(wanted))
    assert (found.n_control, found.n_treatment) == (len(y0), len(y1))


def test_people_split_in_two_without_a_difference_raise_few_false_alarms():
    wrong = 0
    for run in range(RUNS):
        rng = np.random.default_rng([7, run])
        arm = (rng.random(800) < 0.3).astype(int)
        outcome = rng.poisson(1.0, size=800)
        wrong += bool(difference(outcome, arm, share=0.3).path.is_decided.any())
    assert wrong / RUNS <= ALLOWED


def test_cuped_narrows_the_interval_and_leaves_the_difference_in_place():
    rng = np.random.default_rng(8)
    before = rng.gamma(2.0, size=3000)
    arm = rng.integers(2, size=3000)
    outcome = before + rng.normal(0, 0.5, 3000) + 0.1 * arm
    plain = difference(outcome, arm)
    adjusted = difference(outcome, arm, covariate=before)
    assert adjusted.explained > 0.8
    assert plain.explained == 0.0
    width = adjusted.path.hi[-1] - adjusted.path.lo[-1]
    assert width < 0.5 * (plain.path.hi[-1] - plain.path.lo[-1])
    assert adjusted.path.lo[-1] < 0.1 < adjusted.path.hi[-1]
    assert not plain.path.is_decided[-1]
    assert adjusted.path.is_decided[-1]


def test_arms_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one arm"):
        difference(np.ones(3), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="one arm"):
        difference(np.ones(3), np.array([0, 1]))
    with pytest.raises(ValueError, match="share"):
        difference(np.ones(2), np.array([0, 1]), share=1.0)
    with pytest.raises(ValueError, match="covariates"):
        difference(np.ones(2), np.array([0, 1]), covariate=np.ones(3))


def test_one_arm_alone_says_nothing():
    found = difference(np.arange(100.0), np.ones(100, dtype=int))
    assert math.isnan(found.mean_control)
    assert not found.path.is_decided.any()
