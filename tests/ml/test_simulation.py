"""Invented people behave as they are described, and experiments on them find what is there."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ml.__main__ import main
from ml.experiments.drill import interleaved, set_stage, split
from ml.models.ease import Ease
from ml.models.popularity import Popularity
from ml.simulation import (
    Behaviour,
    click_chance,
    clicks,
    examined,
    leanings_of,
    made_world,
    people_of,
    watched,
)
from ml.simulation_rounds import Plan, run_rounds


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    return people_of(made_world(n_items=150, rng=rng), 200, rng)


def test_people_watch_what_they_like_and_what_is_known(people):
    log = watched(people, np.random.default_rng(1))
    liking = people.liking()
    assert liking[log.user_index, log.item_index].mean() > people.eagerness.mean() + 0.5
    seen = np.bincount(log.item_index, minlength=150)
    assert np.corrcoef(seen, people.world.fame)[0, 1] > 0.3
    pairs = set(zip(log.user_index.tolist(), log.item_index.tolist(), strict=True))
    assert len(pairs) == len(log)


def test_tastes_drift_as_far_as_they_are_told(people):
    later = people.drifted(np.random.default_rng(2), keep=0.8)
    assert np.corrcoef(people.taste.ravel(), later.taste.ravel())[0, 1] == pytest.approx(
        0.8, abs=0.05
    )
    still = people.drifted(np.random.default_rng(2), keep=1.0)
    assert (still.taste == people.taste).all()


def test_tastes_are_spread_as_those_of_the_people_given():
    rng = np.random.default_rng(4)
    axis, other = np.eye(5)[0], np.eye(5)[3]
    real = rng.normal(size=(400, 1)) * 3 * axis + rng.normal(size=(400, 1)) * other + 7.0
    world = made_world(n_items=50, rng=rng, n_factors=5)
    people = people_of(world, 20_000, rng, directions=leanings_of(real))
    spread = people.taste.var(axis=0)
    # What all real people share is no leaning; a quarter of each taste is a person's own.
    assert people.taste.mean(axis=0) == pytest.approx(np.zeros(5), abs=0.1)
    assert spread[0] / spread.sum() == pytest.approx(0.75 * 0.9 + 0.05, abs=0.05)
    assert spread[3] / spread.sum() == pytest.approx(0.75 * 0.1 + 0.05, abs=0.03)
    assert spread[1] / spread.sum() == pytest.approx(0.05, abs=0.02)
    made_up = people_of(world, 20_000, rng).taste.var(axis=0).sum()
    assert 0.3 < spread.sum() / made_up < 3


def test_people_who_are_all_alike_lean_nowhere():
    assert leanings_of(np.ones((9, 4))) is None
    assert leanings_of(np.arange(4.0)[None]) is None
    assert leanings_of(np.ones((0, 4))) is None


@pytest.mark.parametrize("stars", [5, 1])
def test_one_persons_ratings_are_enough_to_simulate(tmp_path, stars):
    lines = [f"1,{film},{stars},{film}" for film in range(1, 9)]
    (tmp_path / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *lines]))
    data = ["--data", str(tmp_path / "ratings.csv")]
    assert (
        main(["simulate", *data, "--models", "popularity", "--people", "9", "--rounds", "1"]) == 0
    )


def test_clicks_fall_with_the_place_and_rise_with_liking():
    behaviour = Behaviour(position_bias=1.0, noise=0.0)
    assert examined(4, behaviour) == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    liking = np.full((40_000, 3), 1.5)
    rate = clicks(liking, behaviour, np.random.default_rng(3)).mean(axis=0)
    assert rate == pytest.approx([0.5, 0.25, 0.5 / 3], abs=0.01)
    low, high = click_chance(np.array([-2.0]), behaviour), click_chance(np.array([3.0]), behaviour)
    assert high > 0.9 > 0.01 > low
    noisy = click_chance(np.array([-2.0]), Behaviour(noise=0.5, noise_rate=0.2))
    assert noisy == pytest.approx([0.1], abs=0.001)


def test_interleaving_finds_the_better_model_sooner_than_a_split_does():
    stage = set_stage("popularity", "ease", seed=1, n_items=200, n_past=500, n_people=500)
    rate_a, rate_b = stage.clicks_per_list()
    assert rate_b > 1.2 * rate_a
    found = []
    for run in range(12):
        rng = np.random.default_rng(run)
        path, halves = interleaved(stage, 400, rng), split(stage, 1500, rng)
        first = path.first_decision()
        assert first is not None
        assert path.lo[first - 1] > 0
        found.append((first, halves.first_decision() or 1500))
    drafted, divided = np.median(found, axis=0)
    assert drafted < divided


def test_a_policy_that_learns_beats_frozen_popularity_while_tastes_drift(people):
    past = watched(people, np.random.default_rng(1))
    plan = Plan(n_rounds=6, refit_after=100)
    learns = run_rounds("ease", lambda: Ease(l2=50.0), people, past, plan, behaviour=Behaviour())
    frozen = run_rounds(
        "popularity", Popularity, people, past, Plan(n_rounds=6, refit_after=None),
        behaviour=Behaviour(),
    )  # fmt: skip
    assert [r.n_lists for r in learns] == [r.n_lists for r in frozen]
    assert learns[-1].n_refits > 0
    assert frozen[-1].n_refits == 0
    assert np.mean([r.positive_rate for r in learns]) > np.mean([r.positive_rate for r in frozen])


def test_the_command_prints_a_table_and_writes_the_rounds(tmp_path, capsys):
    file = tmp_path / "rounds.json"
    options = ["--people", "60", "--rounds", "3", "--refit-after", "20", "--json", str(file)]
    assert main(["simulate", *options]) == 0
    rounds = json.loads(file.read_text())
    assert {r["policy"] for r in rounds} == {"ease", "popularity:frozen"}
    assert len(rounds) == 6
    assert main(["simulate", *options]) == 0
    assert json.loads(file.read_text()) == rounds
    assert "positive rate" in capsys.readouterr().out
    assert main(["simulate", "--models", "magic", "--people", "9", "--rounds", "1"]) == 2
    assert "magic" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["simulate", "--keep", "2"])
    assert "not from 0 to 1" in capsys.readouterr().err
