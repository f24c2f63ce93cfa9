"""Predicted stars: better than averages, honest intervals, fold-in that agrees with training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import load_model, save_artifact
from ml.evaluation_ratings import constant_width
from ml.models._star_intervals import shortest_run, star_probabilities
from ml.models.bayesian_mf import BayesianMF
from ml.types import Histories, Interactions

N_USERS, N_ITEMS = 150, 60


@pytest.fixture(scope="module")
def ratings() -> Interactions:
    """Stars from two latent tastes with noise, on the half-star grid; people differ in noise."""
    rng = np.random.default_rng(4)
    people, films = rng.normal(size=(N_USERS, 2)), rng.normal(size=(N_ITEMS, 2))
    noise = rng.uniform(0.2, 0.9, size=N_USERS)
    user, item = np.nonzero(rng.random((N_USERS, N_ITEMS)) < 0.5)
    mean = 3.2 + 0.7 * np.einsum("nd,nd->n", people[user], films[item]) + 0.3 * films[item, 0]
    stars = np.clip(np.round((mean + noise[user] * rng.normal(size=len(user))) * 2) / 2, 0.5, 5.0)
    return Interactions(
        user_index=user.astype(np.int32),
        item_index=item.astype(np.int32),
        rating=stars.astype(np.float32),
        timestamp=np.arange(len(user), dtype=np.int64),
        n_users=N_USERS,
        n_items=N_ITEMS,
    )


@pytest.fixture(scope="module")
def halves(ratings: Interactions) -> tuple[Interactions, Interactions]:
    is_test = np.random.default_rng(1).random(len(ratings)) < 0.25
    return ratings.select(~is_test), ratings.select(is_test)


@pytest.fixture(scope="module")
def model(halves: tuple[Interactions, Interactions]) -> BayesianMF:
    return BayesianMF(dim=4, sweeps=100, rank=10).fit(halves[0], seed=2)


def rmse(predicted: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((predicted - truth) ** 2)))


def test_predicts_far_better_than_both_averages(
    model: BayesianMF, halves: tuple[Interactions, Interactions]
) -> None:
    train, test = halves
    by_item = np.bincount(train.item_index, train.rating, N_ITEMS) / np.bincount(
        train.item_index, minlength=N_ITEMS
    )
    predicted = model.predict(test.user_index, test.item_index)
    assert rmse(predicted, test.rating) < 0.8 * rmse(by_item[test.item_index], test.rating)
    assert predicted.min() >= 0.5
    assert predicted.max() <= 5.0


def test_the_80_percent_interval_covers_about_80_percent(
    model: BayesianMF, halves: tuple[Interactions, Interactions]
) -> None:
    test = halves[1]
    mean, lo, hi = model.predict_interval(test.user_index, test.item_index)
    inside = (test.rating >= lo) & (test.rating <= hi)
    assert 0.75 <= inside.mean() <= 0.86
    assert (lo <= hi).all()
    assert set(np.unique(np.concatenate([lo, hi]) * 2) % 1) == {0.0}
    constant = 2 * np.quantile(np.abs(mean - test.rating), 0.8)
    assert (hi - lo).mean() < 0.9 * constant


def test_a_higher_level_never_gives_a_narrower_interval_on_average(
    model: BayesianMF, halves: tuple[Interactions, Interactions]
) -> None:
    test = halves[1]
    widths = []
    for level in (0.5, 0.7, 0.8, 0.95):
        _, lo, hi = model.predict_interval(test.user_index, test.item_index, level=level)
        widths.append(float((hi - lo).mean()))
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]
    with pytest.raises(ValueError, match="level must lie in"):
        model.predict_interval(test.user_index, test.item_index, level=0.99)


def test_fold_in_agrees_with_training(
    model: BayesianMF, halves: tuple[Interactions, Interactions]
) -> None:
    train = halves[0]
    people = Histories.from_interactions(train, users=np.arange(30))
    items = np.arange(N_ITEMS)
    folded = model.predict_for(people, items)
    users = np.repeat(np.arange(30), N_ITEMS)
    trained = model.predict(users, np.tile(items, 30)).reshape(30, N_ITEMS)
    assert np.abs(folded - trained).mean() < 0.12
    assert np.corrcoef(folded.ravel(), trained.ravel())[0, 1] > 0.97


def test_fold_in_is_repeatable_and_ignores_what_it_cannot_use(model: BayesianMF) -> None:
    items = np.array([1, 5, 9])
    plain = Histories.from_lists([[3, 4]], ratings=[[5.0, 1.0]])
    with_noise = Histories.from_lists([[3, 4, -1, 999, 7]], ratings=[[5.0, 1.0, 5.0, 5.0, np.nan]])
    first, second = (
        model.predict_interval_for(plain, items),
        model.predict_interval_for(plain, items),
    )
    for a, b, c in zip(first, second, model.predict_interval_for(with_noise, items), strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(a, c)


def test_strangers_and_unknown_films_get_averages_and_wider_intervals(model: BayesianMF) -> None:
    items = np.arange(N_ITEMS)
    stranger = model.predict(np.full(N_ITEMS, -1), items)
    nobody = model.predict_for(Histories.from_lists([[]], ratings=[[]]), items)[0]
    assert np.abs(stranger - nobody).mean() < 0.15
    everyone = np.arange(N_USERS)
    unknown = model.predict(everyone, np.full(N_USERS, N_ITEMS + 3))
    assert np.isfinite(unknown).all()
    _, lo, hi = model.predict_interval(everyone, np.full(N_USERS, 5))
    _, wide_lo, wide_hi = model.predict_interval(everyone, np.full(N_USERS, -1))
    assert (wide_hi - wide_lo).mean() > (hi - lo).mean()


def test_same_seed_same_predictions_and_round_trip(
    model: BayesianMF, halves: tuple[Interactions, Interactions], tmp_path: Path
) -> None:
    train, test = halves
    again = BayesianMF(dim=4, sweeps=100, rank=10).fit(train, seed=2)
    save_artifact(model, tmp_path / "model", metadata={})
    loaded, _ = load_model(tmp_path / "model")
    assert isinstance(loaded, BayesianMF)
    for other in (again, loaded):
        for a, b in zip(
            model.predict_interval(test.user_index, test.item_index),
            other.predict_interval(test.user_index, test.item_index),
            strict=True,
        ):
            assert np.array_equal(a, b)


def test_no_ratings_is_an_error_and_one_rating_is_not() -> None:
    nothing = Interactions(
        user_index=np.empty(0, np.int32),
        item_index=np.empty(0, np.int32),
        rating=np.empty(0, np.float32),
        timestamp=np.empty(0, np.int64),
        n_users=3,
        n_items=3,
    )
    with pytest.raises(ValueError, match="no ratings"):
        BayesianMF().fit(nothing)
    one = Interactions(
        user_index=np.zeros(1, np.int32),
        item_index=np.ones(1, np.int32),
        rating=np.array([4.0], np.float32),
        timestamp=np.zeros(1, np.int64),
        n_users=3,
        n_items=3,
    )
    model = BayesianMF(dim=2, sweeps=30).fit(one)
    assert model.predict(np.array([0, 2]), np.array([1, 2])).tolist() == [4.0, 4.0]


def test_star_probabilities_follow_the_persons_habit() -> None:
    grid = np.arange(0.5, 5.01, 0.5)
    whole = np.where(grid % 1 == 0, 20.0, 0.0)
    prior = np.full(len(grid), 0.1)
    p = star_probabilities(
        np.array([3.4, 3.4]),
        np.array([0.7, 0.7]),
        np.stack([whole, np.zeros(len(grid))]),
        prior=prior,
        grid=grid,
    )
    assert np.allclose(p.sum(axis=1), 1.0)
    halves = grid % 1 != 0
    assert p[0, halves].sum() < 0.25 < p[1, halves].sum()


def test_shortest_run_takes_the_least_stars_with_enough_mass() -> None:
    grid = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    p = np.array([[0.05, 0.1, 0.5, 0.3, 0.05], [0.0, 0.0, 0.05, 0.05, 0.9]])
    lo, hi = shortest_run(p, np.array([0.75, 0.75]), grid)
    assert lo.tolist() == [3.0, 5.0]
    assert hi.tolist() == [4.0, 5.0]


def test_the_rival_interval_is_measured_on_the_same_stars() -> None:
    grid = np.arange(1.0, 6.0)
    predicted, truth = np.array([3.4, 3.4, 4.9, 3.0]), np.array([3.0, 4.0, 5.0, 3.0])
    # A margin of .6 covers all four: {3, 4} twice, {5}, {3}.
    assert constant_width(predicted, truth, grid, coverage=1.0) == pytest.approx(0.5)
    # With 1.6: {2..5} or so.
    wide = constant_width(predicted, truth - 1.0, grid, coverage=1.0)
    assert wide > 1.5


def test_rank_0_is_the_plain_model_without_side_information(
    halves: tuple[Interactions, Interactions],
) -> None:
    train, test = halves
    plain = BayesianMF(dim=4, sweeps=60, rank=0, calibrated=False).fit(train, seed=2)
    stars = plain.predict(test.user_index, test.item_index)
    assert plain.draws.people_map.shape == (N_ITEMS, 0)
    assert rmse(stars, test.rating) < rmse(np.full(len(test), train.rating.mean()), test.rating)
    folded = plain.predict_for(Histories.from_lists([[1, 2]], ratings=[[5.0, 1.0]]), np.arange(5))
    assert np.isfinite(folded).all()
