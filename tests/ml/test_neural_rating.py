"""The rating network: learns more than averages, predicts without torch, survives a round trip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import load_model, save_artifact
from ml.models._neural_net import Numbers
from ml.models.neural_rating import NeuralRating
from ml.types import Histories, Interactions
from tests.ml.data import interactions, item_features, two_tastes


@pytest.fixture(scope="module")
def parts() -> tuple[Interactions, Interactions]:
    events = two_tastes(n_users=200)
    is_test = np.random.default_rng(0).random(len(events)) < 0.2
    return events.select(~is_test), events.select(is_test)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "improved"])
def model(request: pytest.FixtureRequest, parts: tuple[Interactions, Interactions]) -> NeuralRating:
    settings = {"dim": 8, "n_epochs": 12, "batch_size": 128, "learning_rate": 5e-3}
    members = 2 if request.param else 1
    made = NeuralRating(**settings, improved=request.param, n_members=members)
    return made.fit(parts[0], seed=1, features=item_features())


def test_learns_who_likes_what(
    model: NeuralRating, parts: tuple[Interactions, Interactions]
) -> None:
    train, test = parts
    predicted = model.predict(test.user_index, test.item_index)
    error = np.sqrt(np.mean((predicted - test.rating) ** 2))
    assert error < 0.95 * np.sqrt(np.mean((train.rating.mean() - test.rating) ** 2))
    assert predicted.min() >= 1.0
    assert predicted.max() <= 5.0


def test_intervals_cover_about_as_often_as_they_say(
    model: NeuralRating, parts: tuple[Interactions, Interactions]
) -> None:
    test = parts[1]
    _, lo, hi = model.predict_interval(test.user_index, test.item_index)
    assert 0.72 <= np.mean((test.rating >= lo) & (test.rating <= hi)) <= 0.92


def test_unknown_people_and_films_are_average(model: NeuralRating) -> None:
    stars = model.predict(np.array([-1, 0, 999]), np.array([0, -1, 999]))
    assert np.isfinite(stars).all()
    folded = model.predict_for(
        Histories.from_lists([[0, 1], [0, 1]], ratings=[[5.0, 5.0], [1.0, 1.0]]), np.array([2, 3])
    )
    assert folded.shape == (2, 2)
    assert (folded[0] > folded[1]).all()


def test_round_trip_is_bit_equal(
    model: NeuralRating, parts: tuple[Interactions, Interactions], tmp_path: Path
) -> None:
    test = parts[1]
    save_artifact(model, tmp_path / "model", metadata={})
    loaded, _ = load_model(tmp_path / "model")
    assert isinstance(loaded, NeuralRating)
    before = model.predict_interval(test.user_index, test.item_index)
    after = loaded.predict_interval(test.user_index, test.item_index)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_rating_does_not_announce_itself() -> None:
    events = interactions([(0, 0, 5.0, 0), (0, 1, 1.0, 0), (1, 0, 1.0, 0)], n_users=2, n_items=2)
    numbers = Numbers.of(events, None)
    one = (np.array([0]), np.array([0]))
    with_it = numbers.of_pairs(*one)
    without = numbers.of_pairs(*one, own=np.array([5.0]))
    assert with_it[0, 1] > without[0, 1]
    others = interactions([(0, 1, 1.0, 0), (1, 0, 1.0, 0)], n_users=2, n_items=2)
    again = Numbers(
        Numbers.of(others, None).user_sums, Numbers.of(others, None).item_sums,
        numbers.year, numbers.totals,
    )  # fmt: skip
    assert without == pytest.approx(again.of_pairs(*one))
