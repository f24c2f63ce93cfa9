"""The feature store: known values, nothing from the future, one order everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ml.features import (
    BASE_FEATURES,
    CROSS_FEATURES,
    DAY_S,
    ITEM_FEATURES,
    NEVER_DAYS,
    USER_FEATURES,
    FeatureStore,
    feature_names,
    last_moment,
)
from ml.models._pool_examples import Examples, Target, held_back
from ml.models.lambdamart import LambdaMart
from ml.models.registry import create
from ml.types import Histories, Interactions
from tests.ml.data import interactions, item_features, two_tastes

T0 = 1_000_000_000
PARTS = [{"label": "edlae", "model": "edlae", "weight": 1.0, "params": {"l2": 5.0}}]


@pytest.fixture
def events() -> Interactions:
    """Film 0: day 0 (5 stars), day 10 (3), day 40 (4). Film 1: day 39 (2). Film 2: never."""
    days = [(0, 0, 5.0, 0), (1, 0, 3.0, 10), (2, 0, 4.0, 40), (0, 1, 2.0, 39)]
    rows = [(u, i, stars, T0 + day * DAY_S) for u, i, stars, day in days]
    return interactions(rows, n_users=3, n_items=3)


def item_row(events: Interactions, film: int, day: float) -> dict[str, float]:
    now = np.array([T0 + int(day * DAY_S)])
    values = FeatureStore.build(events).item_table(np.array([film]), now)[0]
    return dict(zip(ITEM_FEATURES, values.tolist(), strict=True))


def test_item_features_have_known_values(events: Interactions) -> None:
    row = item_row(events, 0, 41)
    assert row["item_interactions"] == pytest.approx(np.log1p(3))
    assert row["item_conf_sum"] == pytest.approx(np.log1p(1.0 + 0.6 + 0.8))
    decayed = 1.0 * 2 ** (-41 / 30) + 0.6 * 2 ** (-31 / 30) + 0.8 * 2 ** (-1 / 30)
    assert row["item_conf_decay_sum"] == pytest.approx(np.log1p(decayed), rel=1e-5)
    assert row["item_days_since_last"] == pytest.approx(1.0)
    assert row["item_log_popularity_7d"] == pytest.approx(np.log1p(1))
    assert row["item_log_popularity_90d"] == pytest.approx(np.log1p(3))
    assert row["item_mean_rating"] == pytest.approx((12 + 5 * 3.5) / 8)


def test_a_film_without_events_has_never_been_seen(events: Interactions) -> None:
    row = item_row(events, 2, 41)
    assert row["item_interactions"] == row["item_conf_decay_sum"] == 0.0
    assert row["item_days_since_last"] == NEVER_DAYS


@pytest.mark.parametrize("day", [0, 5, 10, 39.5, 40])
def test_nothing_comes_from_the_moment_asked_or_later(events: Interactions, day: float) -> None:
    now = T0 + int(day * DAY_S)
    past = events.select(events.timestamp < now)
    for film in range(3):
        full, cut = item_row(events, film, day), item_row(past, film, day)
        assert full == pytest.approx(cut, rel=1e-5, nan_ok=True)


def test_a_history_from_the_future_is_refused(events: Interactions) -> None:
    store = FeatureStore.build(events)
    history = Histories.from_lists([[0]], timestamps=[[T0 + 50 * DAY_S]])
    with pytest.raises(ValueError, match="later than the moment"):
        store.user_table(history, np.array([T0 + 49 * DAY_S]))


def test_user_features_have_known_values(events: Interactions) -> None:
    history = Histories.from_lists(
        [[0, 1], []], ratings=[[5.0, 2.5], []], timestamps=[[T0, T0 + 30 * DAY_S], []]
    )
    table = FeatureStore.build(events).user_table(history, np.full(2, T0 + 60 * DAY_S))
    row = dict(zip(USER_FEATURES, table[0].tolist(), strict=True))
    assert row["user_interactions"] == pytest.approx(np.log1p(2))
    assert row["user_conf_sum"] == pytest.approx(np.log1p(1.5))
    assert row["user_conf_decay_sum"] == pytest.approx(np.log1p(0.25 + 0.25))
    assert row["user_days_since_last"] == pytest.approx(30.0)
    assert row["user_mean_popularity"] == pytest.approx((np.log1p(3) + np.log1p(1)) / 2)
    assert table[1, 0] == 0.0
    assert table[1, 3] == NEVER_DAYS


def test_affinities_are_higher_for_films_like_the_history() -> None:
    events, facts = two_tastes(), item_features()
    store = FeatureStore.build(events, facts)
    history = Histories.from_lists([[0, 1, 2]], timestamps=[[T0, T0, T0]])
    table = store.cross_table(history, np.array([[5, 30]]), np.array([T0]))
    same, other = (dict(zip(CROSS_FEATURES, row.tolist(), strict=True)) for row in table[0])
    for name in ("user_genre_affinity", "semantic_similarity", "semantic_similarity_recent"):
        assert same[name] > other[name]
    assert same["hour_sin"] ** 2 + same["hour_cos"] ** 2 == pytest.approx(1.0)


def test_the_order_is_locked_and_the_matrix_has_it() -> None:
    assert BASE_FEATURES[:4] == (
        "user_interactions",
        "user_conf_sum",
        "user_conf_decay_sum",
        "user_days_since_last",
    )
    names = feature_names(["a", "b"])
    assert names[-4:] == ("a_score", "a_rank", "b_score", "b_rank")
    store = FeatureStore.build(two_tastes(), item_features())
    history = Histories.from_lists([[0, 1]], timestamps=[[T0, T0]])
    items = np.array([[3, 4, 5]])
    scores = np.array([[1.0, 2.0, 3.0]])
    x = store.matrix(
        history, items, now=np.array([T0]), sources={"a": (scores, scores), "b": (scores, scores)}
    )
    assert x.shape == (3, len(names))
    assert x[:, names.index("b_rank")].tolist() == [1.0, 2.0, 3.0]


def test_a_stored_table_gives_the_same_features() -> None:
    store = FeatureStore.build(two_tastes(), item_features())
    again = FeatureStore.from_arrays(store.to_arrays())
    items, now = np.arange(50), np.full(50, 1_620_000_000)
    assert np.array_equal(store.item_table(items, now), again.item_table(items, now))


def test_a_ranker_refuses_other_features() -> None:
    settings: dict[str, Any] = {"parts": PARTS, "n_trees": 5}
    model = create("lambdamart", settings).fit(two_tastes(), seed=1, features=item_features())
    arrays = model.to_arrays()
    arrays["names"] = np.frombuffer(b"something\nelse", dtype=np.uint8)
    with pytest.raises(ValueError, match="other features"):
        LambdaMart.from_arrays(arrays, model.params())


def test_the_ranker_keeps_its_pool_above_the_rest_and_out_of_the_history() -> None:
    settings: dict[str, Any] = {"parts": PARTS, "n_trees": 5, "n_candidates": 7}
    model = create("lambdamart", settings).fit(two_tastes(), seed=1, features=item_features())
    people = Histories.from_interactions(two_tastes(), users=np.array([0, 1]))
    assert isinstance(model, LambdaMart)
    pool, scores = model.pool(people), model.score(people)
    for i in range(2):
        own = set(people.item_index[people.row(i)].tolist())
        assert own.isdisjoint(pool.items[i].tolist())
        inside = scores[i, pool.items[i]]
        outside = np.delete(scores[i], pool.items[i])
        assert inside.min() > outside.max()
    importance = model.importance()
    assert list(importance) == list(model.features)
    assert sum(importance.values()) == pytest.approx(1.0)


def test_last_moment_of_nobody_is_zero() -> None:
    people = Histories.from_lists([[1, 2], []], timestamps=[[5, 9], []])
    assert last_moment(people).tolist() == [9, 0]


def test_a_kept_source_is_fitted_once_and_the_others_again_on_everything() -> None:
    events = two_tastes()
    parts = [
        {"label": "edlae", "model": "edlae", "weight": 1.0, "params": {"l2": 5.0}},
        {"label": "order", "model": "transition", "weight": 1.0},
    ]
    settings: dict[str, Any] = {"parts": parts, "n_trees": 5}
    again = LambdaMart(**settings).fit(events, seed=1)
    kept = LambdaMart(**settings, kept=["order"]).fit(events, seed=1)
    own, other = (m.models["edlae"].to_arrays() for m in (kept, again))
    assert all(np.allclose(own[name], other[name]) for name in own)
    table, full = (m.models["order"].to_arrays() for m in (kept, again))
    assert any(not np.array_equal(table[name], full[name]) for name in full)
    with pytest.raises(ValueError, match="kept names no source: nobody"):
        LambdaMart(**settings, kept=["nobody"])


def test_a_ranker_may_see_the_blend_beside_its_sources() -> None:
    settings: dict[str, Any] = {"parts": PARTS, "n_trees": 5, "sees_blend": True}
    model = create("lambdamart", settings).fit(two_tastes(), seed=1, features=item_features())
    assert isinstance(model, LambdaMart)
    assert model.features[-2:] == ("blend_score", "blend_rank")
    people = Histories.from_interactions(two_tastes(), users=np.array([0, 1]))
    pool = model.pool(people)
    score, rank = pool.sources["blend"]
    assert np.array_equal(score, np.take_along_axis(pool.blend, pool.items, axis=1))
    assert (np.diff(rank, axis=1)[pool.valid[:, 1:]] >= 0).all()  # best first, as the pool is
    again = LambdaMart.from_arrays(model.to_arrays(), model.params())
    assert np.array_equal(again.score(people), model.score(people))
    x = model.features_of(people, pool)[0]
    shares, base = model.shares_of_features(x)
    assert shares.sum(axis=1) + base == pytest.approx(model.predict(x), abs=1e-4)
    with pytest.raises(ValueError, match="'blend' is taken"):
        LambdaMart(parts=[{"label": "blend", "model": "edlae", "weight": 1.0}])


@pytest.mark.parametrize("target", ["hidden", "strangers"])
def test_what_is_held_back_is_counted_nowhere(target: Target) -> None:
    events = two_tastes()
    rest, tasks = held_back(events, target, 2, np.random.default_rng(1))
    known = set(zip(rest.user_index.tolist(), rest.item_index.tolist(), strict=True))
    for i, user in enumerate(tasks.user):
        shown = tasks.histories.select(np.array([i])).item_index.tolist()
        wanted = tasks.wanted[i].tolist()
        assert wanted
        assert not set(wanted) & set(shown)
        assert not known & {(int(user), film) for film in wanted}
        own = int((events.user_index == user).sum())
        assert len(shown) + len(wanted) == own
    if target == "strangers":
        assert not np.isin(rest.user_index, tasks.user).any()
        assert len(tasks.user) == np.ceil(0.2 * events.n_users)


def test_trees_that_learned_nothing_leave_the_blend_as_it_is() -> None:
    settings: dict[str, Any] = {"parts": PARTS, "n_trees": 1, "learning_rate": 1e-9}
    model = create("lambdamart", {**settings, "sees_blend": True}).fit(two_tastes(), seed=1)
    assert isinstance(model, LambdaMart)
    pool = model.pool(Histories.from_interactions(two_tastes(), users=np.array([3])))
    x = model.features_of(Histories.from_interactions(two_tastes(), users=np.array([3])), pool)[0]
    assert (np.diff(model.predict(x)[pool.valid[0]]) <= 0).all()  # best first, as the pool is


def test_far_ahead_is_not_made_equal() -> None:
    settings: dict[str, Any] = {"parts": PARTS, "n_trees": 5, "sees_blend": True}
    model = create("lambdamart", settings).fit(two_tastes(), seed=1)
    assert isinstance(model, LambdaMart)
    plain = model.predict
    model.predict = lambda x: 40.0 + plain(x)  # type: ignore[method-assign]
    people = Histories.from_interactions(two_tastes(), users=np.array([3]))
    found = model.score(people)[0, model.pool(people).items[0][:5]]
    assert len(np.unique(found)) == 5


class Watched(LambdaMart):
    """Keeps the examples it was given."""

    def learn(self, train: Examples, valid: Examples, *, seed: int) -> None:
        self.given = train


def test_a_learner_sees_no_count_of_what_it_is_to_find() -> None:
    events = two_tastes()
    model = Watched(parts=PARTS, target="hidden").fit(events, seed=1)
    column = model.features.index("item_interactions")
    rest, _ = held_back(events, "hidden", 2, np.random.default_rng(1))
    most = np.log1p(np.bincount(rest.item_index).max())
    assert model.given.x[:, column].max() <= most + 1e-6
    assert most < np.log1p(np.bincount(events.item_index).max())
    assert model.store.start[-1] == len(events)  # what serves counts everything again
