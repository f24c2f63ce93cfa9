"""Planted audiences are found, noise is not cut, and names say what was planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from ml.clusters import (
    EASY,
    FEW_AT_ONCE,
    HARD,
    HEAD,
    MANY_AT_ONCE,
    MIN_FILMS,
    MIN_MEMBERS,
    MIN_PEOPLE,
    TAIL,
    TooFewPeopleError,
    Trait,
    behaviour_marks,
    cluster_of,
    film_traits,
    fit_clusters,
    marks,
)
from ml.kmeans import MAX_MEASURED, silhouette

GENRES = ("Crime", "Horror", "Musical")


def planted(sizes, *, own=0.9, seed=3, n_films=12):
    """liked [people, films] and traits: crowd i likes films of genre i, ``own`` of the time.

    120 films, 40 of each genre, of the fifties to the seventies in turn.
    """
    rng = np.random.default_rng(seed)
    genre = np.repeat(np.arange(3), 40)
    genres = np.eye(3, dtype=np.float32)[genre]
    year = np.tile([1955.0, 1965.0, 1975.0, np.nan], 30)
    films = film_traits(genres, GENRES, year, np.arange(120)[::-1])
    liked = np.zeros((sum(sizes), 120))
    for row, crowd in enumerate(np.repeat(np.arange(len(sizes)), sizes)):
        chance = np.where(genre == crowd, own, (1 - own) / 2)
        at = rng.choice(120, size=n_films, replace=False, p=chance / chance.sum())
        liked[row, at] = 1
    return sparse.csr_matrix(liked), films


def test_traits_are_genres_decades_and_how_well_known():
    _liked, films = planted([1])
    assert films.traits == (
        *(Trait("genre", name) for name in GENRES),
        *(Trait("decade", year) for year in ("1950", "1960", "1970")),
        *(Trait("fame", HEAD), Trait("fame", TAIL)),
    )
    assert films.values[0].tolist() == [1, 0, 0, 1, 0, 0, 1, 0]
    assert films.values[119].tolist() == [0, 0, 1, 0, 0, 0, 0, 1]  # nobody knows its year
    assert films.values.sum(axis=0).tolist() == [40, 40, 40, 30, 30, 30, 12, 60]


def test_planted_crowds_are_found_the_largest_first_and_named():
    liked, films = planted([40, 25, 60])
    clusters, rows = fit_clusters(liked, films)
    assert rows.tolist() == list(range(125))
    assert clusters.label.tolist() == [1] * 40 + [2] * 25 + [0] * 60
    sums = np.asarray(liked @ films.values)
    shares = np.stack([sums[clusters.label == i].mean(axis=0) / 12 for i in range(3)])
    first = [films.traits[at[0]].value for at in marks(clusters, shares)]
    assert first == ["Musical", "Crime", "Horror"]


def test_who_comes_later_belongs_to_the_nearest():
    liked, films = planted([40, 40, 40])
    clusters, _rows = fit_clusters(liked, films)
    other, _films = planted([5, 5, 5], seed=11)
    vectors = clusters.space.vectors(
        np.asarray(other @ films.values), np.asarray(other.sum(axis=1)).ravel()
    )
    expected = [clusters.label[0]] * 5 + [clusters.label[40]] * 5 + [clusters.label[80]] * 5
    assert cluster_of(clusters, vectors).tolist() == expected
    average = clusters.space.vectors(clusters.space.mean[None, :], np.ones(1))
    assert cluster_of(clusters, average).tolist() == [-1]


def test_people_of_one_kind_are_one_cluster_without_a_name():
    liked, films = planted([90], own=1.0, n_films=40)
    clusters, _rows = fit_clusters(liked, films)
    assert (len(clusters), clusters.width) == (1, 0.0)
    assert not clusters.label.any()
    shares = np.asarray(liked @ films.values).mean(axis=0, keepdims=True) / 40
    assert marks(clusters, shares) == [()]


def test_a_handful_of_odd_people_is_no_cluster():
    liked, films = planted([30, 30, MIN_MEMBERS - 1], own=1.0)
    clusters, _rows = fit_clusters(liked, films)
    assert np.bincount(clusters.label).min() >= MIN_MEMBERS
    assert len(clusters) == 2


def test_few_films_take_no_part_and_few_people_make_no_clusters():
    liked, films = planted([30, 30, 30])
    few = liked.tolil()
    few[7] = 0
    few[7, : MIN_FILMS - 1] = 1
    _clusters, rows = fit_clusters(few.tocsr(), films)
    assert 7 not in rows
    assert len(rows) == 89
    with pytest.raises(TooFewPeopleError, match=f"{MIN_PEOPLE - 1} people"):
        fit_clusters(liked[: MIN_PEOPLE - 1], films)


def test_the_same_people_give_the_same_clusters():
    liked, films = planted([30, 30, 30], own=0.5)
    first, second = fit_clusters(liked, films)[0], fit_clusters(liked, films)[0]
    assert (first.label == second.label).all()
    assert (first.centres == second.centres).all()


def test_a_departure_in_a_rare_trait_says_more_and_the_average_person_departs_nowhere():
    liked, films = planted([30, 30, 30])
    space = fit_clusters(liked, films)[0].space
    assert space.vectors(10 * space.mean[None, :], np.array([10])) == pytest.approx(0, abs=1e-5)
    rare, common = int(space.mean.argmin()), int(space.mean.argmax())
    more = space.mean[None, :] + 0.1 * np.eye(8)[[rare, common]]
    assert space.departure(more)[0, rare] > space.departure(more)[1, common] > 0


def test_names_that_would_be_alike_get_longer():
    liked, films = planted([30, 30, 30])
    clusters, _rows = fit_clusters(liked, films)
    shares = np.tile(clusters.space.mean, (3, 1))
    shares[:, 0] *= 3
    shares[:, 1] *= 2
    shares[1, 4] *= 1.5
    found = marks(clusters, shares)
    assert found[1] == (0, 1, 4)
    assert found[0] == found[2] == (0, 1)  # alike throughout: nothing to add


def test_the_silhouette_of_a_part_is_that_of_all():
    rng = np.random.default_rng(1)
    n = 3 * MAX_MEASURED
    angle = np.where(np.arange(n) % 2, 0.0, 1.5) + rng.normal(0, 0.1, n)
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    label = (np.arange(n) % 2 == 0).astype(np.intp)
    rows = rng.permutation(n)
    assert silhouette(unit[rows], label[rows]) == pytest.approx(
        silhouette(unit[:MAX_MEASURED], label[:MAX_MEASURED]), abs=0.01
    )


@pytest.mark.parametrize(
    ("per_sitting", "liked_share", "said"),
    [
        (6.0, 0.6, (MANY_AT_ONCE,)),
        (2.0, 0.7, (FEW_AT_ONCE, EASY)),
        (4.0, 0.45, (HARD,)),
        (5.9, 0.51, ()),
        (2.8, 0.69, ()),
    ],
)
def test_behaviour_is_named_where_it_is_plainly_another(per_sitting, liked_share, said):
    found = behaviour_marks(per_sitting, liked_share, usual_per_sitting=4.0, usual_liked_share=0.6)
    assert found == said
