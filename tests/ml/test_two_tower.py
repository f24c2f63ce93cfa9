"""Two towers: facts place films without events; the correction undoes the sampling."""

from __future__ import annotations

import numpy as np
import pytest

from ml.models.training import Epoch
from ml.models.two_tower import TwoTower, _history_rows, film_facts
from ml.types import Histories, Interactions, ItemFeatures
from tests.ml.data import item_features, two_tastes

HALF = 24


def small(**settings: object) -> TwoTower:
    return TwoTower(**{"n_factors": 16, "n_epochs": 30, **settings})  # type: ignore[arg-type]


def test_films_without_events_are_placed_by_their_genre() -> None:
    genres = np.zeros((50, 2), dtype=np.float32)
    genres[:HALF, 0] = genres[HALF:48, 1] = 1
    genres[48, 0] = genres[49, 1] = 1  # the two films that nobody has seen
    events = two_tastes().select(two_tastes().rating >= 4)
    model = small().fit(events, seed=0, features=ItemFeatures(n_items=50, genres=genres))
    first, second = model.score(Histories.from_lists([list(range(8)), list(range(24, 32))]))
    assert first[48] > first[49]
    assert second[49] > second[48]


def test_without_facts_films_without_events_are_unknown() -> None:
    model = small(n_epochs=3).fit(two_tastes(), seed=0)
    scores = model.score(Histories.from_lists([[0, 1], [48, 49]]))
    assert np.isneginf(scores[0, 48:]).all()
    assert np.isfinite(scores[0, :48]).all()
    assert np.isneginf(scores[1]).all()


def test_history_weights_fall_with_age_and_sum_to_one() -> None:
    films = np.array([7, 8, 9, 1, 2], dtype=np.int32)
    rows = _history_rows(films, np.array([0, 3, 5]), np.array([3, 5, 5]), 10, 0.5)
    np.testing.assert_allclose(rows[[0]].toarray()[0, [7, 8, 9]], np.array([1, 2, 4]) / 7)
    np.testing.assert_allclose(rows[[1]].toarray()[0, [1, 2]], np.array([1, 2]) / 3)
    assert rows[[2]].nnz == 0


def test_only_the_latest_films_count() -> None:
    model = small(n_epochs=3, length=3).fit(two_tastes(), seed=0)
    long, short = model.score(Histories.from_lists([[30, 31, 1, 2, 3], [1, 2, 3]]))
    np.testing.assert_allclose(long, short, atol=1e-6)


def test_facts_are_centred_scaled_and_zero_where_unknown() -> None:
    text = np.array([[3.0, 4.0], [3.0, 2.0], [0.0, 0.0]], dtype=np.float32)
    year = np.array([1980.0, 2000.0, np.nan], dtype=np.float32)
    facts = film_facts(ItemFeatures(n_items=3, text=text, year=year), 3)
    np.testing.assert_allclose(facts, [[0, 1, -0.5], [0, -1, 0.5], [0, 0, 0]], atol=1e-6)
    assert film_facts(None, 4).shape == (4, 0)
    assert film_facts(item_features(50), 50).shape[0] == 50


def test_popular_films_are_not_pushed_down_by_being_everybodys_negatives() -> None:
    """Without taste in the data the corrected scores follow popularity."""
    rng = np.random.default_rng(0)
    weight = np.geomspace(1, 0.05, 20)
    rows = [rng.choice(20, 8, replace=False, p=weight / weight.sum()) for _ in range(400)]
    made = Interactions(
        user_index=np.repeat(np.arange(400), 8).astype(np.int32),
        item_index=np.concatenate(rows).astype(np.int32),
        rating=np.full(3200, 5.0, dtype=np.float32),
        timestamp=np.tile(np.arange(8), 400).astype(np.int64),
        n_users=400,
        n_items=20,
    )
    model = small(temperature=0.2).fit(made, seed=0)
    shown = Histories.from_lists([rng.choice(20, 3, replace=False).tolist() for _ in range(50)])
    popularity = np.bincount(made.item_index, minlength=20)
    mean = model.score(shown).mean(axis=0)
    assert np.corrcoef(mean, np.log(popularity))[0, 1] > 0.7


def test_progress_is_told_and_settings_are_checked() -> None:
    told: list[Epoch] = []
    small(n_epochs=6, eval_every=3, progress=told.append).fit(two_tastes(), seed=0)
    assert [e.quality is not None for e in told] == [False, False, True, False, False, True]
    assert told[-1].loss < told[0].loss
    with pytest.raises(ValueError, match="temperature"):
        TwoTower(temperature=0)
