"""Kinds of audience: people whose liked films depart from the average in the same direction.

A person is the mean of what is known of the films they like (genres, decades, how well known).
What counts is the direction of their departure from the average person, each trait scaled as in
correspondence analysis (Benzécri 1973): a tenth more Westerns says more than a tenth more Drama.
Spherical k-means groups the directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.kmeans import by_size, nearest, silhouette, spherical_kmeans
from ml.text import unit_rows
from ml.types import FloatArray

MIN_FILMS = 5  # liked films of a person who takes part
MIN_PEOPLE = 20  # nobody is to be recognised in a cluster, and fewer are chance
MIN_SHARE, MIN_MEMBERS = 0.02, 5  # in each cluster; fewer could be told by name
MAX_CLUSTERS = 8
MIN_WIDTH = 0.05  # silhouette below which a cut is as good as any other
# Of cuts that are as clear within so much, the finest: it tells more. On ml-latest-small 2 to 8
# clusters are between 0.245 and 0.288, the best of them 3, and 6 at 0.276.
SLACK = 0.05
HEAD, TAIL = "well known", "little known"
MANY_AT_ONCE, FEW_AT_ONCE = "many at once", "few at once"
EASY, HARD = "easy to please", "hard to please"
OFTEN, PLEASED = 1.5, 0.1  # times the usual sitting; above or below the usual share of likes
HEAD_SHARE, KNOWN_SHARE = 0.1, 0.5  # the best known tenth; the less known half


@dataclass(frozen=True, slots=True)
class Trait:
    """``kind`` is genre, decade or fame; ``value`` the genre, the first year, HEAD or TAIL."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class FilmTraits:
    """``values`` float32[n_items, d], 0 or 1."""

    traits: tuple[Trait, ...]
    values: FloatArray


@dataclass(frozen=True, slots=True)
class TasteSpace:
    """What the average person likes: ``mean`` float32[d], the share of their films by trait."""

    traits: tuple[Trait, ...]
    mean: FloatArray

    def vectors(self, sums: NDArray[np.floating], n_films: NDArray[np.floating]) -> FloatArray:
        """Unit rows [n, d] from the traits' counts [n, d] over ``n_films`` [n] liked films."""
        away = self.departure(sums / np.maximum(n_films, 1)[:, None])
        return unit_rows(np.where(np.abs(away) < 1e-6, 0.0, away))  # rounding is no direction

    def departure(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """[n, d]: by how much ``shares`` [n, d] are above the average, in scaled units."""
        return np.asarray((shares - self.mean) / np.sqrt(np.maximum(self.mean, 1e-3)))


@dataclass(frozen=True, slots=True)
class Clusters:
    """``label`` int[n] (0 the largest), ``centres`` float32[k, d]; ``width`` is the silhouette.

    One cluster where no cut is better than none.
    """

    space: TasteSpace
    label: NDArray[np.intp]
    centres: FloatArray
    width: float

    def __len__(self) -> int:
        return len(self.centres)


class TooFewPeopleError(Exception):
    """Fewer than MIN_PEOPLE people with MIN_FILMS liked films; the message says how many."""


def fame_edges(n_ratings: NDArray[np.integer]) -> tuple[int, int]:
    """From so many ratings on a film is well known, up to so many little known."""
    if not len(n_ratings):
        return 0, -1
    counts = np.sort(n_ratings)[::-1]
    return (
        int(counts[int(np.ceil(HEAD_SHARE * len(counts))) - 1]),
        int(counts[int(KNOWN_SHARE * len(counts))]),
    )


def film_traits(
    genres: NDArray[np.floating],
    genre_names: Sequence[str],
    year: NDArray[np.floating],
    n_ratings: NDArray[np.integer],
) -> FilmTraits:
    """From genres [n, g], years [n] (NaN unknown) and rating counts [n]; decades with any film."""
    decade = np.where(np.isfinite(year), np.floor(np.nan_to_num(year) / 10) * 10, -1).astype(int)
    decades = [int(d) for d in np.unique(decade) if d > 0]
    well, little = fame_edges(n_ratings)
    columns = [
        np.asarray(genres, dtype=np.float32),
        np.stack([decade == d for d in decades], axis=1) if decades else np.empty((len(year), 0)),
        np.stack([n_ratings >= well, n_ratings <= little], axis=1),
    ]
    traits = [Trait("genre", name) for name in genre_names]
    traits += [Trait("decade", str(d)) for d in decades]
    traits += [Trait("fame", HEAD), Trait("fame", TAIL)]
    return FilmTraits(tuple(traits), np.concatenate(columns, axis=1).astype(np.float32))


def fit_clusters(
    liked: sparse.csr_matrix, films: FilmTraits, *, seed: int = 0
) -> tuple[Clusters, NDArray[np.intp]]:
    """The clusters of the people of ``liked`` [users, items] (1 where liked), and their rows.

    People with fewer than MIN_FILMS liked films are left out. The number of clusters is the largest
    one whose silhouette is within SLACK of the widest, if every cluster holds MIN_SHARE of the
    people and MIN_MEMBERS, and the widest is above MIN_WIDTH. The same input and seed give the same
    clusters. Raises TooFewPeopleError.
    """
    n_films = np.asarray(liked.sum(axis=1)).ravel()
    rows = np.flatnonzero(n_films >= MIN_FILMS)
    if len(rows) < MIN_PEOPLE:
        raise TooFewPeopleError(
            f"{len(rows)} people with {MIN_FILMS} liked films: {MIN_PEOPLE} are needed."
        )
    sums = np.asarray(liked[rows] @ films.values, dtype=np.float32)
    shares = sums / n_films[rows, None]
    space = TasteSpace(films.traits, shares.mean(axis=0).astype(np.float32))
    unit = space.vectors(sums, n_films[rows])
    label, centres, width = _best_cut(unit, seed=seed)
    order = by_size(label, len(centres))
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return Clusters(space, rank[label], centres[order], width), rows


def _best_cut(unit: FloatArray, *, seed: int) -> tuple[NDArray[np.intp], FloatArray, float]:
    """Labels, centres and silhouette; one cluster and 0 where no cut is clear enough."""
    smallest = max(MIN_MEMBERS, MIN_SHARE * len(unit))
    cuts = []
    for k in range(2, min(MAX_CLUSTERS, len(unit) // MIN_MEMBERS) + 1):
        label, centres = spherical_kmeans(unit, k, np.random.default_rng([seed, k]))
        if np.bincount(label, minlength=k).min() >= smallest:
            cuts.append((label, centres, silhouette(unit, label)))
    widest = max((width for *_, width in cuts), default=0.0)
    if widest <= MIN_WIDTH:
        one = unit_rows(unit.mean(axis=0, keepdims=True))
        return np.zeros(len(unit), dtype=np.intp), one, 0.0
    return next(cut for cut in reversed(cuts) if cut[2] >= (1.0 - SLACK) * widest)


def cluster_of(clusters: Clusters, vectors: FloatArray) -> NDArray[np.intp]:
    """int[n]: the nearest cluster of each unit row of ``clusters.space``; -1 where none is near.

    Near is a cosine above 0: whoever departs from the average as no cluster does belongs to none.
    """
    if not len(vectors):
        return np.empty(0, dtype=np.intp)
    at = nearest(vectors, clusters.centres)
    cosine = np.take_along_axis(vectors @ clusters.centres.T, at[:, None], axis=1)[:, 0]
    return np.where(cosine > 1e-6, at, -1)


def marks(clusters: Clusters, shares: NDArray[np.floating], *, n: int = 2) -> list[tuple[int, ...]]:
    """The traits that name each cluster: the first departure, then the next of another trait.

    ``shares`` [k, d] are the clusters' mean shares. A trait marks a cluster where it is a fifth
    commoner than on average, by the scaled departure, the largest first; the average cluster has
    none. Clusters that ``n`` marks do not tell apart get more.
    """
    mean = clusters.space.mean
    gain = clusters.space.departure(shares)
    ordered = [
        [int(i) for i in np.argsort(-row, kind="stable") if shares[at, i] > 1.2 * mean[i]]
        for at, row in enumerate(gain)
    ]
    found = [tuple(some[:n]) for some in ordered]
    while len(set(found)) < len(found):
        longer = [
            tuple(ordered[i][: len(name) + 1]) if found.count(name) > 1 else name
            for i, name in enumerate(found)
        ]
        if longer == found:  # alike to the last trait: the page numbers them
            break
        found = longer
    return found


def cluster_key(values: Sequence[str], *, number: int, taken: Sequence[str]) -> str:
    """The marks as one word, "Horror+1980"; with a number where they name nothing of its own."""
    key = "+".join(values) or "everybody"
    return f"{key}+{number + 1}" if key in taken else key


def behaviour_marks(
    per_sitting: float, liked_share: float, *, usual_per_sitting: float, usual_liked_share: float
) -> tuple[str, ...]:
    """How a cluster's people go about it, where that is plainly not as everybody does."""
    found = []
    if per_sitting >= OFTEN * usual_per_sitting:
        found.append(MANY_AT_ONCE)
    elif per_sitting * OFTEN <= usual_per_sitting:
        found.append(FEW_AT_ONCE)
    if liked_share >= usual_liked_share + PLEASED:
        found.append(EASY)
    elif liked_share <= usual_liked_share - PLEASED:
        found.append(HARD)
    return tuple(found)
