"""Splits: what is hidden stays hidden, and every split is what its protocol says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from ml.protocols import tasks_of
from ml.protocols_ratings import rating_folds, rating_holdout
from ml.protocols_return import returning
from ml.protocols_time import last_out, prequential, temporal_warm
from ml.protocols_users import cold_item, ms_100k, ratio_811, sparse_history, strong
from ml.retrieval import history_mask
from ml.split import RankingSplit, RatingSplit, SplitError, pair_keys
from tests.ml.data import dataset, interactions, two_tastes

DATA = dataset(two_tastes(n_users=150, n_items=30))
RANKING: dict[str, Callable[..., RankingSplit]] = {
    "strong": strong,
    "ratio-811": ratio_811,
    "ms-100k": ms_100k,
    "last-out": last_out,
    "temporal": temporal_warm,
    "prequential": prequential,
    "returning": returning,
    "sparse@3": lambda data, **kw: sparse_history(data, length=3, **kw),
    "cold-item": cold_item,
    "cold-item-all": lambda data, **kw: cold_item(data, among_all=True, **kw),
}


@pytest.fixture(params=list(RANKING.items()), ids=list(RANKING))
def protocol(request: pytest.FixtureRequest) -> tuple[str, Callable[..., RankingSplit]]:
    return request.param


def test_only_events_after_a_pause_are_asked_for_and_of_nobody_too_many() -> None:
    hour = 3600
    rows = []
    for user in range(20):
        for step in range(12):  # sittings of three films, two days apart
            at = (step // 3) * 48 * hour + (step % 3) * 60
            rows.append((user, (user + step) % 15, 2.0 if step == 3 else 5.0, at))
    data = dataset(interactions(rows, n_users=20, n_items=15))
    split = returning(data, seed=1)
    lengths = np.diff(split.histories.select(np.arange(len(split))).indptr)
    assert sorted(set(lengths.tolist())) == [3, 6, 9]
    assert len(split) == 3 * len(np.unique(split.group)) == 9
    assert set(split.group).isdisjoint(split.train.user_index)
    valid = returning(data, seed=1, part="valid")
    assert set(valid.group).isdisjoint(split.group)
    assert np.array_equal(valid.train.user_index, split.train.user_index)
    assert len(returning(data, seed=1, max_rows=2)) == 6
    assert len(returning(data, seed=1, min_rating=4.0)) == 6
    few = [returning(data, seed=1, max_people=1, part=part) for part in ("valid", "test")]
    assert [len(np.unique(part.group)) for part in few] == [1, 1]
    assert len(np.unique(few[0].train.user_index)) == 18
    with pytest.raises(SplitError, match="came back"):
        returning(data, seed=1, pause_s=100 * hour)


@pytest.mark.parametrize("part", ["valid", "test"])
def test_truth_is_nowhere_else(
    protocol: tuple[str, Callable[..., RankingSplit]], part: str
) -> None:
    name, build = protocol
    split = build(DATA, seed=3, part=part)
    assert split.protocol == name
    assert len(split) > 5
    shown = split.histories.select(np.arange(len(split)))
    mask = history_mask(shown, split.train.n_items)
    trained = set(pair_keys(split.train).tolist())
    for i in range(len(split)):
        truth = set(split.truth[i].indices.tolist())
        assert truth
        assert truth.isdisjoint(mask[i].indices.tolist())
        user = int(split.user_index[i])
        assert all(user < 0 or user * 30 + item not in trained for item in truth)
        if split.exclude is not None:
            assert truth.isdisjoint(split.exclude[i].indices.tolist())


def test_same_seed_same_split_other_seed_another(
    protocol: tuple[str, Callable[..., RankingSplit]],
) -> None:
    name, build = protocol
    assert build(DATA, seed=3).sha256 == build(DATA, seed=3).sha256
    by_time = name in {"last-out", "temporal", "prequential"}
    assert (build(DATA, seed=3).sha256 == build(DATA, seed=4).sha256) is by_time


def test_validation_never_shows_a_test_pair(
    protocol: tuple[str, Callable[..., RankingSplit]],
) -> None:
    _, build = protocol
    test, valid = build(DATA, seed=3), build(DATA, seed=3, part="valid")
    hidden = {
        (int(test.group[i]), int(item)) for i in range(len(test)) for item in test.truth[i].indices
    }
    shown = valid.histories.select(np.arange(len(valid)))
    used = set(zip(valid.train.user_index.tolist(), valid.train.item_index.tolist(), strict=True))
    for i in range(len(valid)):
        films = shown.item_index[shown.row(i)].tolist() + valid.truth[i].indices.tolist()
        used |= {(int(valid.group[i]), film) for film in films}
    assert hidden
    assert hidden.isdisjoint(used)


def test_a_leaking_split_cannot_be_made() -> None:
    split = strong(DATA, seed=3)
    shown = split.histories.select(np.arange(len(split)))
    with pytest.raises(SplitError, match="in the history"):
        replace(split, truth=history_mask(shown, split.train.n_items))
    warm = ratio_811(DATA, seed=3)
    with pytest.raises(SplitError, match="training events"):
        replace(warm, train=DATA.interactions)
    with pytest.raises(SplitError, match="excluded"):
        replace(warm, exclude=warm.truth)


def test_a_row_without_truth_cannot_be_made() -> None:
    split = strong(DATA, seed=3)
    with pytest.raises(SplitError, match="at least one film"):
        replace(split, truth=sparse.csr_matrix(split.truth.shape, dtype=np.bool_))


def test_strong_holds_people_out() -> None:
    split, valid = strong(DATA, seed=3), strong(DATA, seed=3, part="valid")
    trained = set(split.train.user_index.tolist())
    assert len(split) == len(valid) == 15
    assert trained.isdisjoint(split.group.tolist())
    assert trained.isdisjoint(valid.group.tolist())
    assert set(split.group.tolist()).isdisjoint(valid.group.tolist())
    assert split.train.rating.min() >= 4


def test_ratio_811_shares() -> None:
    rows = [(u, i, 5.0, i) for u, n in enumerate([30, 10, 5, 2]) for i in range(n)]
    split = ratio_811(dataset(interactions(rows, n_users=4, n_items=30)), seed=1)
    assert np.bincount(split.train.user_index).tolist() == [24, 8, 3, 1]
    assert np.diff(split.truth.indptr).tolist() == [3, 1, 1, 1]


def test_last_out_takes_the_last_by_time_then_row() -> None:
    rows = [(0, 3, 1.0, 50), (0, 1, 5.0, 20), (0, 2, 3.0, 50), (0, 0, 3.0, 10), (1, 4, 3.0, 1)]
    data = dataset(interactions(rows, n_users=2, n_items=5))
    split = last_out(data)
    assert split.truth.indices.tolist() == [2]
    shown = split.histories.select(np.array([0]))
    assert shown.item_index.tolist() == [0, 1, 3]
    assert 4 in split.train.item_index
    assert last_out(data, part="valid").truth.indices.tolist() == [3]


def test_temporal_learns_only_from_before() -> None:
    split = temporal_warm(DATA, seed=0)
    later = set(zip(split.train.user_index.tolist(), split.train.item_index.tolist(), strict=True))
    events = DATA.interactions
    cut = split.train.timestamp.max()
    columns = (events.user_index, events.item_index, events.timestamp)
    for user, item, time in zip(*(column.tolist() for column in columns), strict=True):
        assert ((user, item) in later) is bool(time <= cut)


def test_prequential_shows_everything_before_the_event() -> None:
    split = prequential(DATA, seed=0)
    cut = split.train.timestamp.max()
    events = DATA.interactions
    assert split.truth_timestamp is not None
    assert (split.truth_timestamp > cut).all()
    for i in (0, len(split) // 2, len(split) - 1):
        user, time = int(split.group[i]), int(split.truth_timestamp[i])
        before = events.select((events.user_index == user) & (events.timestamp < time))
        shown = split.histories.select(np.array([i]))
        assert sorted(shown.item_index.tolist()) == sorted(before.item_index.tolist())
        assert (np.diff(shown.timestamp) >= 0).all()


def test_prequential_reaches_past_the_training_time() -> None:
    split = prequential(DATA, seed=0)
    shown = split.histories.select(np.arange(len(split)))
    assert shown.timestamp.max() > split.train.timestamp.max()


def test_sparse_asks_the_same_people_the_same_at_every_length() -> None:
    short, long = (sparse_history(DATA, seed=3, length=n) for n in (1, 10))
    assert (short.truth != long.truth).nnz == 0
    assert short.group.tolist() == long.group.tolist()
    everyone = np.arange(len(short))
    assert np.diff(short.histories.select(everyone).indptr).tolist() == [1] * len(short)
    assert np.diff(long.histories.select(everyone).indptr).tolist() == [10] * len(long)


def test_cold_films_have_no_event_to_learn_from() -> None:
    split = cold_item(DATA, seed=3)
    assert split.candidates is not None
    assert split.candidates.sum() == 6
    assert not split.candidates[split.train.item_index].any()
    assert split.candidates[split.truth.indices].all()


def test_protocols_that_need_time_refuse_data_without() -> None:
    timeless = dataset(two_tastes(), has_timestamps=False)
    for build in (last_out, temporal_warm, prequential):
        with pytest.raises(SplitError, match="needs a timestamp"):
            build(timeless)


def test_too_little_data_is_a_clear_error(
    protocol: tuple[str, Callable[..., RankingSplit]],
) -> None:
    with pytest.raises(SplitError):
        protocol[1](dataset(interactions([(0, 0, 5.0, 1)], n_users=1, n_items=1)), seed=0)


def test_rating_folds_predict_every_rating_once() -> None:
    folds = rating_folds(DATA, n_folds=5, seed=1)
    keys = np.concatenate([pair_keys(fold.test) for fold in folds])
    assert sorted(keys.tolist()) == sorted(pair_keys(DATA.interactions).tolist())
    assert all(len(f.train) + len(f.test) == len(DATA.interactions) for f in folds)


def test_rating_validation_is_inside_the_training_part() -> None:
    test, valid = (rating_holdout(DATA, seed=1, part=p) for p in ("test", "valid"))
    inside = np.union1d(pair_keys(valid.train), pair_keys(valid.test))
    assert np.array_equal(inside, np.sort(pair_keys(test.train)))


def test_a_rating_in_both_parts_is_refused() -> None:
    with pytest.raises(SplitError, match="training ratings"):
        RatingSplit("x", "y", 0, DATA.interactions, DATA.interactions.select(np.array([3])))


def test_draws_of_sparse_validation_share_nobody_with_each_other_or_the_test() -> None:
    (task,) = tasks_of(["sparse@5"])
    test = task.build(DATA, 1, "test")
    draws = task.validation(DATA, 1)
    assert len(draws) == 4
    people = [set(split.group.tolist()) for split in (test, *draws)]
    assert sum(len(own) for own in people) == len(set().union(*people))
    for draw in draws:
        seen = set(np.unique(draw.train.user_index).tolist())
        assert not seen & (people[0] | set(draw.group.tolist()))


def test_ms_100k_validation_holds_a_tenth_of_the_training_part_back() -> None:
    test, valid = (ms_100k(DATA, seed=1, part=p) for p in ("test", "valid"))
    assert valid.truth.nnz + len(valid.train) == len(test.train)
    assert valid.truth.nnz / len(test.train) == pytest.approx(0.1, abs=0.03)
