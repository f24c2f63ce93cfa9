"""Kinds of audience as parts of an evaluation's rows.

They are found among the people of the split's training part alone, and a row belongs to the kind
that its shown history is nearest to: what is to be found tells nobody where to count it.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ml.clusters import (
    MIN_FILMS,
    FilmTraits,
    TooFewPeopleError,
    cluster_key,
    cluster_of,
    film_traits,
    fit_clusters,
    marks,
)
from ml.data import liked_matrix
from ml.split import RankingSplit
from ml.types import BoolArray, ItemFeatures

PREFIX = "cluster: "
LIKED = 4.0  # stars, as where the kinds are found for the pages
BATCH_ROWS = 512
MAX_PEOPLE = 20_000  # that the kinds are found among: 5,400 people of ml-1m take 2 s


def cluster_slices(
    split: RankingSplit, features: ItemFeatures | None = None, *, liked: float = LIKED
) -> dict[str, BoolArray]:
    """Which rows belong to which kind: bool[n] by "cluster: Horror+1980", the largest kind first.

    Rows with fewer than MIN_FILMS liked films shown belong to none, nor do those that are near
    none. Empty where the films' genres are unknown, or where there is only one kind of people.
    """
    if features is None or features.genres is None:
        return {}
    n_ratings = np.bincount(split.train.item_index, minlength=split.train.n_items)
    year = features.year
    films = film_traits(
        features.genres,
        features.genre_names,
        year if year is not None else np.full(len(n_ratings), np.nan, dtype=np.float32),
        n_ratings,
    )
    likes = liked_matrix(split.train, min_rating=liked)
    if likes.shape[0] > MAX_PEOPLE:
        likes = likes[np.linspace(0, likes.shape[0] - 1, MAX_PEOPLE).astype(np.intp)]
    try:
        clusters, people = fit_clusters(likes, films)
    except TooFewPeopleError:
        return {}
    if len(clusters) < 2:
        return {}
    sums = np.asarray(likes[people] @ films.values)
    shares = sums / np.asarray(likes[people].sum(axis=1))
    by_cluster = np.stack([shares[clusters.label == i].mean(axis=0) for i in range(len(clusters))])
    keys: list[str] = []
    for number, columns in enumerate(marks(clusters, by_cluster)):
        values = [films.traits[column].value for column in columns]
        keys.append(cluster_key(values, number=number, taken=keys))
    carried, n_liked = _shown(split, films, liked=liked)
    at = np.where(
        n_liked >= MIN_FILMS, cluster_of(clusters, clusters.space.vectors(carried, n_liked)), -1
    )
    return {PREFIX + key: at == number for number, key in enumerate(keys)}


def _shown(
    split: RankingSplit, films: FilmTraits, *, liked: float
) -> tuple[np.ndarray, np.ndarray]:
    """float32[n, d]: how many liked films of each history carry each trait; int64[n]: how many."""
    sums = np.zeros((len(split), len(films.traits)), dtype=np.float32)
    counts = np.zeros(len(split), dtype=np.int64)
    for start in range(0, len(split), BATCH_ROWS):
        rows = np.arange(start, min(start + BATCH_ROWS, len(split)))
        shown = split.histories.select(rows)
        is_liked = (shown.rating >= liked) & (shown.item_index >= 0)
        row_of = np.repeat(np.arange(len(rows)), np.diff(shown.indptr))[is_liked]
        chosen = sparse.csr_matrix(
            (
                np.ones(len(row_of), dtype=np.float32),
                (row_of, shown.item_index[is_liked]),
            ),
            shape=(len(rows), split.train.n_items),
        )
        sums[rows], counts[rows] = chosen @ films.values, np.bincount(row_of, minlength=len(rows))
    return sums, counts
