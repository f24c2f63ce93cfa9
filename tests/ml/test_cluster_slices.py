"""Kinds of audience as slices: told by what is shown, never by what is to be found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ml.cluster_slices import cluster_slices
from ml.clusters import MIN_FILMS
from ml.evaluation import evaluate, measure
from ml.models.registry import create
from ml.split import RankingSplit, ranking_task
from ml.types import Interactions, ItemFeatures
from tests.ml.data import dataset, interactions

GENRES = ("Crime", "Horror", "Musical")
N_FILMS, N_EACH = 90, 30
FEATURES = ItemFeatures(
    n_items=N_FILMS,
    genres=np.eye(3, dtype=np.float32)[np.repeat(np.arange(3), N_EACH)],
    genre_names=GENRES,
    year=np.tile([1955.0, 1965.0, np.nan], 30).astype(np.float32),
)


def events(people: list[list[tuple[int, float]]]) -> Interactions:
    """From (film, stars) lists, one per person."""
    rows = [(user, film, stars, 0) for user, films in enumerate(people) for film, stars in films]
    return interactions(rows, n_users=len(people), n_items=N_FILMS)


def films_of(genre: int, n: int, *, skip: int = 0, stars: float = 5.0) -> list[tuple[int, float]]:
    """``n`` films of a genre, after the first ``skip``."""
    return [(genre * N_EACH + skip + i, stars) for i in range(n)]


def crowd() -> Interactions:
    """25 people who like crime, 40 horror, 30 musicals; nine films each."""
    rng = np.random.default_rng(3)
    sizes = ((0, 25), (1, 40), (2, 30))
    return events(
        [
            [(int(film), 5.0) for film in genre * N_EACH + rng.choice(N_EACH, 9, replace=False)]
            for genre, size in sizes
            for _person in range(size)
        ]
    )


def task(
    shown: list[list[tuple[int, float]]], hidden: list[list[tuple[int, float]]]
) -> RankingSplit:
    """People of whom the training knows nothing."""
    train = crowd()
    return ranking_task(
        dataset(train),
        "made",
        seed=0,
        train=train,
        shown=events(shown),
        hidden=events(hidden),
        held_out=True,
    )


def test_a_row_is_of_the_kind_of_its_history_and_not_of_its_truth() -> None:
    split = task(
        [films_of(0, 6), films_of(2, 6), films_of(1, 6)],
        [films_of(1, 3), films_of(2, 3, skip=10), films_of(0, 3)],
    )
    found = cluster_slices(split, FEATURES)
    # The largest first, each named by its genre.
    assert [name.split("+")[0] for name in found] == [
        *("cluster: Horror", "cluster: Musical", "cluster: Crime"),
    ]
    horror, musical, crime = found.values()
    assert crime.tolist() == [True, False, False]
    assert musical.tolist() == [False, True, False]
    assert horror.tolist() == [False, False, True]


def test_who_liked_too_little_belongs_to_no_kind() -> None:
    few, disliked = films_of(0, MIN_FILMS - 1), films_of(0, MIN_FILMS, stars=2.0)
    split = task([few, few + disliked[-1:], []], [films_of(2, 3)] * 3)
    assert not np.any(list(cluster_slices(split, FEATURES).values()))


def test_no_slices_without_genres_or_kinds() -> None:
    split = task([films_of(0, 6)], [films_of(1, 3)])
    assert cluster_slices(split, None) == {}
    assert cluster_slices(split, ItemFeatures(n_items=N_FILMS)) == {}
    few = replace(split, train=split.train.select(split.train.user_index < 10))
    assert cluster_slices(few, FEATURES) == {}
    alike = replace(FEATURES, genres=np.ones((N_FILMS, 3), dtype=np.float32), year=None)
    popular = events([films_of(0, 9)] * 40)
    assert cluster_slices(replace(split, train=popular), alike) == {}


def test_the_figures_of_a_kind_are_those_of_its_rows_alone() -> None:
    """Popularity finds the best known horror films: all for who waits for them, none for others."""
    best_known = int(np.bincount(crowd().item_index).argmax())
    shown = [[(film, s) for film, s in films_of(1, 7) if film != best_known][:6]] * 4
    shown += [films_of(0, 6, skip=20)] * 4
    unknown = [(29, 5.0)]
    split = task(shown, [[(best_known, 5.0)]] * 4 + [unknown] * 4)
    parts = cluster_slices(split, FEATURES)
    model = create("popularity").fit(split.train)
    result = measure(lambda: model, split, label="popularity", features=FEATURES, parts=parts)
    by_kind = {name.split("+")[0]: values for name, values in result.slices.items()}
    horror, crime = by_kind["cluster: Horror"], by_kind["cluster: Crime"]
    assert (horror["n"].mean, crime["n"].mean) == (4, 4)
    assert (horror["people"].mean, crime["people"].mean) == (4, 4)
    assert horror["hit@10"].mean == 1.0
    assert crime["mrr"].mean < 0.1
    assert "cluster: Musical" not in by_kind  # nobody's: no figure of nothing
    plain = evaluate(create("popularity"), split, features=FEATURES)
    assert not any(name.startswith("cluster: ") for name in plain.slices)
