"""The list out of a pool: terms that add up, promises that hold, neutral that is neutral."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.dials import Dials
from ml.reranking import calibration_error, intra_list_diversity
from ml.shortlist import LIST_FILMS, Pool, Strengths, shortlist, shortlists, traits_of

OFF = Strengths()
ALL = Strengths(taste=0.3, genres=0.5, ignored=0.5, variety=0.4, max_repeats=0.7)
N = 90


def make_pool(seed: int = 0, n: int = N) -> Pool:
    rng = np.random.default_rng(seed)
    return Pool(
        model_score=np.sort(rng.normal(size=n))[::-1].copy(),
        vectors=rng.normal(size=(n, 8)),
        liked_vectors=rng.normal(size=(6, 8)),
        liked_weight=rng.uniform(0.6, 1.0, 6),
        genres=(rng.random((n, 7)) < 0.25).astype(float),
        genre_target=np.array([0.6, 0.2, 0.2, 0, 0, 0, 0]),
        popularity=rng.integers(0, 500, n).astype(float),
        year=np.where(rng.random(n) < 0.1, np.nan, rng.integers(1930, 2020, n)),
        runtime=rng.integers(70, 200, n).astype(float),
    )


DIALS = [
    Dials(),
    Dials(surprise=1.0),
    Dials(surprise=-0.5, era=0.25),
    Dials(diversity=0.75, length=-1.0),
]


@pytest.mark.parametrize("dials", DIALS)
@pytest.mark.parametrize("strengths", [OFF, ALL])
def test_the_score_is_the_models_plus_the_terms(strengths, dials):
    pool = make_pool()
    found = shortlist(pool, strengths, dials=dials)
    total = pool.model_score + sum(found.terms.values(), np.zeros(N))
    np.testing.assert_allclose(found.score, total, atol=1e-12)
    assert sorted(found.order) == list(range(N))
    if found.taste_events is not None:
        shift = found.terms["taste"] - found.taste_events.sum(axis=0)
        np.testing.assert_allclose(shift, shift[0], atol=1e-12)


def test_with_everything_off_it_is_the_models_list():
    found = shortlist(make_pool(), OFF)
    assert found.order.tolist() == list(range(N))
    assert (found.terms, found.cost, found.kept) == ({}, 0.0, 1.0)


def test_the_list_is_in_the_order_of_its_scores_and_so_is_the_rest():
    found = shortlist(make_pool(), ALL)
    ordered = found.score[found.order]
    assert (np.diff(ordered[:LIST_FILMS]) <= 1e-12).all()
    assert (np.diff(ordered[LIST_FILMS:]) <= 1e-12).all()


def test_neutral_dials_change_nothing_and_turned_ones_do():
    pool = make_pool()
    neutral, turned = shortlists(pool, ALL, [Dials(), Dials(surprise=1.0)])
    alone = shortlist(pool, ALL)
    assert neutral.order.tolist() == alone.order.tolist()
    assert not {"surprise", "era", "length", "diversity"} & set(neutral.terms)
    assert turned.order.tolist() != neutral.order.tolist()
    assert (turned.cost > 0, turned.kept < 1) == (True, True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["surprise", "era", "length", "diversity"])
def test_turning_a_dial_up_never_lowers_what_it_stands_for(seed, name):
    pool = make_pool(seed)
    traits = traits_of(pool)
    stops = np.arange(0.0 if name == "diversity" else -1.0, 1.01, 0.25)
    lists = shortlists(pool, ALL, [Dials(**{name: float(at)}) for at in stops])
    tops = [found.order[:LIST_FILMS] for found in lists]
    if name == "diversity":
        measured = [float(intra_list_diversity(t[None, :], traits.similarity)[0]) for t in tops]
    else:
        year = np.where(np.isnan(pool.year), np.nanmean(pool.year), pool.year)
        value = {"surprise": traits.surprise, "era": year, "length": pool.runtime}[name]
        measured = [float(value[t].mean()) for t in tops]
    assert (np.diff(measured) >= -1e-9).all(), measured
    assert measured[-1] > measured[0]


def test_similarity_to_liked_films_lifts_a_film_and_says_whose_it_is():
    pool = make_pool()
    pool.vectors[50] = pool.liked_vectors[2] * 3
    blended = shortlist(pool, Strengths(taste=0.5))
    assert list(blended.order).index(50) < 50
    assert blended.taste_events[:, 50].argmax() == 2
    nobody = replace(pool, liked_vectors=pool.liked_vectors[:0], liked_weight=np.empty(0))
    assert shortlist(nobody, Strengths(taste=0.5)).order.tolist() == list(range(N))


def test_calibration_brings_the_mix_nearer_to_the_persons():
    pool = make_pool()
    errors = [
        float(
            calibration_error(
                shortlist(pool, Strengths(genres=s)).order[None, :LIST_FILMS],
                pool.genres,
                pool.genre_target,
            )[0]
        )
        for s in (0.0, 0.3, 1.0)
    ]
    assert errors[2] < errors[1] < errors[0]
    unknown = replace(pool, genre_target=np.zeros(7))
    assert shortlist(unknown, Strengths(genres=1.0)).order.tolist() == list(range(N))


def test_ignored_films_sink_and_pinned_ones_do_not():
    pool = make_pool()
    ignored, pinned = np.zeros(N), np.zeros(N, dtype=bool)
    ignored[:2], pinned[1] = 3.0, True
    found = shortlist(replace(pool, ignored=ignored, is_pinned=pinned), Strengths(ignored=1.0))
    assert found.terms["shown"][0] < 0 == found.terms["shown"][1]
    places = {film: place for place, film in enumerate(found.order.tolist())}
    assert places[0] > places[1] == 0
    old = replace(pool, ignored=ignored, ignored_days=np.full(N, 28.0))
    assert shortlist(old, Strengths(ignored=1.0)).terms["shown"][0] > found.terms["shown"][0]


@pytest.mark.parametrize("dials", DIALS)
@pytest.mark.parametrize("k", [10, 12, LIST_FILMS])
def test_at_most_seven_in_ten_come_back(dials, k):
    pool = make_pool(3)
    first = shortlist(pool, ALL, dials=dials)
    repeat = np.zeros(N, dtype=bool)
    repeat[first.order[:LIST_FILMS]] = True
    second = shortlist(replace(pool, is_repeat=repeat), ALL, dials=dials)
    assert repeat[second.order[:k]].mean() <= 0.7
    pinned = replace(pool, is_repeat=repeat, is_pinned=repeat)
    assert shortlist(pinned, ALL, dials=dials).order.tolist() == first.order.tolist()


def test_when_nothing_new_is_left_the_old_films_fill_the_list():
    pool = make_pool(n=30)
    repeat = np.ones(30, dtype=bool)
    repeat[:4] = False
    found = shortlist(replace(pool, is_repeat=repeat), ALL)
    assert len(found.order) == 30
    assert {0, 1, 2, 3} <= set(found.order[:LIST_FILMS].tolist())


def test_a_pool_of_nothing_and_one_with_an_infinite_score():
    empty = Pool(model_score=np.empty(0))
    assert len(shortlist(empty, ALL).order) == 0
    with pytest.raises(ValueError, match="finite"):
        shortlist(Pool(model_score=np.array([1.0, -np.inf])), ALL)
    bare = shortlist(Pool(model_score=np.array([2.0, 1.0])), ALL, dials=Dials(era=1.0))
    assert bare.order.tolist() == [0, 1]
