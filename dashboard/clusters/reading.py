"""The stored clusters, and whom they concern: for My taste and for the staff pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accounts.models import User
from catalog.models import Movie
from dashboard.clusters.words import cluster_name, mark_name
from dashboard.models import Clustering, TasteCluster
from dashboard.taste import is_liked
from feedback.selectors import feedback_of
from ml.clusters import HEAD, TAIL, Clusters, TasteSpace, Trait, cluster_of
from ml.clusters import MIN_FILMS as MIN_LIKED

N_TRAITS = 4


@dataclass(frozen=True)
class TraitShare:
    """A trait of a kind's liked films against the average person's, in whole per cents."""

    name: str
    theirs: int
    usual: int


@dataclass(frozen=True)
class Kind:
    """One kind of audience, for people. ``percent`` of all people that models learn from."""

    name: str
    percent: int
    traits: tuple[TraitShare, ...]


def newest() -> Clustering | None:
    """The clusters that stand, with nothing read of them yet."""
    return Clustering.objects.order_by("-computed_at").first()


def kind_of_person(user: User) -> Kind | None:
    """The kind that somebody is nearest to by what they like at this moment.

    None where too few are liked, where no clusters were found, or where none is near.
    """
    clustering = newest()
    if clustering is None:
        return None
    liked = [event.movie_id for event in feedback_of(user).history if is_liked(event)]
    return kind_of(Movie.objects.in_order(liked), clustering)


def kind_of(liked: Sequence[Movie], clustering: Clustering) -> Kind | None:
    """The same of somebody with these liked films."""
    if len(liked) < MIN_LIKED:
        return None
    rows = list(clustering.clusters.all())
    if len(rows) < 2:
        return None
    space = TasteSpace(
        tuple(Trait(t["kind"], t["value"]) for t in clustering.traits),
        np.array(clustering.mean, dtype=np.float32),
    )
    centres = np.array([row.centre for row in rows], dtype=np.float32)
    sums = _sums(liked, space, clustering.figures["fame_edges"])
    vectors = space.vectors(sums[None, :], np.array([len(liked)]))
    clusters = Clusters(space, np.empty(0, np.intp), centres, clustering.width)
    at = int(cluster_of(clusters, vectors)[0])
    return None if at < 0 else described(rows[at], clustering)


def described(row: TasteCluster, clustering: Clustering) -> Kind:
    """What it is called, how large it is, and what its people like more of than others."""
    away = np.array(row.shares) - np.array(clustering.mean)
    best = [i for i in np.argsort(-away, kind="stable")[:N_TRAITS] if away[i] > 0]
    return Kind(
        name=cluster_name(row.marks, key=row.key),
        percent=round(100 * row.n_people / max(1, clustering.n_people)),
        traits=tuple(
            TraitShare(
                mark_name(clustering.traits[i]),
                round(100 * row.shares[i]),
                round(100 * clustering.mean[i]),
            )
            for i in best
        ),
    )


def _sums(liked: Sequence[Movie], space: TasteSpace, fame_edges: Sequence[int]) -> np.ndarray:
    """float[d]: how many of the films carry each trait."""
    well, little = fame_edges
    carried = []
    for movie in liked:
        own = {("genre", name) for name in movie.genre_names}
        if movie.year:
            own.add(("decade", str(movie.year // 10 * 10)))
        if movie.rating_count >= well:
            own.add(("fame", HEAD))
        if movie.rating_count <= little:
            own.add(("fame", TAIL))
        carried.append([(t.kind, t.value) in own for t in space.traits])
    return np.array(carried, dtype=np.float32).sum(axis=0)
