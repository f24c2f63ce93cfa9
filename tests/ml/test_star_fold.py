"""Fold-in without the sampler gives what the sampler's own fold-in gives."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ml.artifacts import load_model, save_artifact
from ml.models.bayesian_mf import BayesianMF
from ml.models.star_fold import StarFold
from ml.types import Histories, Interactions

SETTINGS = {"dim": 4, "sweeps": 40, "burn_in": 10, "thin": 2, "rank": 5}


@pytest.fixture(scope="module")
def data() -> Interactions:
    rng = np.random.default_rng(1)
    user, item = np.nonzero(rng.random((60, 30)) < 0.5)
    taste = np.where((user % 2) == (item % 2), 4.5, 2.0)
    stars = np.clip(np.round(2 * (taste + rng.normal(0, 0.4, len(user)))) / 2, 0.5, 5.0)
    return Interactions(
        user.astype(np.int32),
        item.astype(np.int32),
        stars.astype(np.float32),
        np.arange(len(user), dtype=np.int64),
        n_users=60,
        n_items=30,
    )


@pytest.fixture(scope="module")
def fitted(data) -> StarFold:
    return StarFold(**SETTINGS).fit(data, seed=3)


PEOPLE = Histories.from_lists(
    [[0, 2, 4], [], [1, 3, 5, 7, 9], [0, -1, 2]],
    ratings=[[5.0, 4.5, 4.0], [], [5, 4, 4.5, 5, 4], [1.0, 5.0, np.nan]],
)
FILMS = np.array([6, 11, 12, -1, 29])


def test_it_says_what_the_sampler_says(data, fitted):
    theirs = BayesianMF(**SETTINGS).fit(data, seed=3).predict_interval_for(PEOPLE, FILMS)
    ours = fitted.predict_interval_for(PEOPLE, FILMS)
    np.testing.assert_allclose(ours[0], theirs[0], atol=2e-3)
    for end, expected in zip(ours[1:], theirs[1:], strict=True):
        assert np.mean(np.abs(end - expected) < 1e-6) >= 0.9  # a mass at the threshold may tip over


def test_it_knows_who_likes_what(fitted):
    stars = fitted.predict_interval_for(PEOPLE, np.array([6, 8, 11, 13]))[0]
    assert stars[0, :2].min() > stars[0, 2:].max() + 1
    assert stars[2, 2:].min() > stars[2, :2].max() + 1


def test_its_files_hold_no_person_and_say_the_same(fitted, tmp_path):
    save_artifact(fitted, tmp_path / "m", metadata={})
    loaded, manifest = load_model(tmp_path / "m")
    assert all(
        60 not in entry.shape and 61 not in entry.shape for entry in manifest.arrays.values()
    )
    for a, b in zip(
        fitted.predict_interval_for(PEOPLE, FILMS),
        loaded.predict_interval_for(PEOPLE, FILMS),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_predicting_needs_no_compiler(fitted, tmp_path):
    save_artifact(fitted, tmp_path / "m", metadata={})
    code = f"""
import sys, numpy as np
from ml.artifacts import load_model
from ml.types import Histories
model, _ = load_model({str(tmp_path / "m")!r})
model.predict_interval_for(Histories.from_lists([[0]], ratings=[[5.0]]), np.array([1]))
bad = {{"numba", "torch", "lightgbm"}} & set(sys.modules)
assert not bad, bad
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
