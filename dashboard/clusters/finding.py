"""Finds the kinds of audience in what the models learn from, and stores them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from accounts.models import User
from catalog.models import Movie
from dashboard.models import Clustering, ClusterMember, TasteCluster
from dashboard.taste import LIKED_STARS
from ml.clusters import (
    Clusters,
    FilmTraits,
    TooFewPeopleError,
    behaviour_marks,
    cluster_key,
    fame_edges,
    film_traits,
    fit_clusters,
    marks,
)
from ml.data import liked_matrix
from ml.sessions import GAP_S, sitting_numbers, sitting_sizes, size_shares
from recommendations.locks import advisory_lock
from recommendations.training_data import LIVE_USER_OFFSET, TrainingData, training_data

NAME = "taste-clusters"
SIZE_EDGES = (1, 2, 5, 10, 20, 50)
BATCH = 5000


class ClustersBusyError(Exception):
    """Another process is looking for clusters right now."""


def clusters_find(*, now: datetime, is_forced: bool = False) -> Clustering:
    """Computes and stores the clusters; what stands already where no rating changed since.

    Raises NoTrainingDataError, TooFewPeopleError (then none are stored any more) and
    ClustersBusyError.
    """
    with advisory_lock(NAME) as is_mine:
        if not is_mine:
            raise ClustersBusyError("Another process is at it right now: try again in a minute.")
        data = training_data()
        known = Clustering.objects.filter(fingerprint=data.fingerprint).first()
        if known is not None and not is_forced:
            return known
        try:
            found = _Found(data)
        except TooFewPeopleError:
            Clustering.objects.all().delete()
            raise
        return _store(found, now=now)


class _Found:
    """One run's arrays, by people (rows of ``clusters.label``) or by cluster."""

    def __init__(self, data: TrainingData) -> None:
        events = data.dataset.interactions
        self.data = data
        liked, films = liked_matrix(events, min_rating=LIKED_STARS), traits_of(data)
        self.clusters, self.rows = fit_clusters(liked, films)
        self.fame_edges = fame_edges(rating_counts(data.items.ids))
        self.n_liked = np.asarray(liked.sum(axis=1)).ravel()[self.rows]
        sums = np.asarray(liked[self.rows] @ films.values)
        self.shares = self._by_cluster(sums / self.n_liked[:, None], np.mean)
        numbers = sitting_numbers(events.user_index, events.timestamp)
        sizes = sitting_sizes(numbers)
        self.sizes = sizes
        first = np.unique(numbers, return_index=True)[1]
        n_sittings = np.bincount(events.user_index[first], minlength=events.n_users)[self.rows]
        n_events = np.bincount(events.user_index, minlength=events.n_users)[self.rows]
        self.n_sittings = n_sittings
        self.per_sitting = n_events / np.maximum(n_sittings, 1)
        self.liked_share = self.n_liked / np.maximum(n_events, 1)

    def _by_cluster(self, values: NDArray[Any], of: Callable[..., Any]) -> NDArray[np.floating]:
        label = self.clusters.label
        return np.stack([of(values[label == i], axis=0) for i in range(len(self.clusters))])

    def rows_of_clusters(self, clustering: Clustering) -> list[TasteCluster]:
        """As they are stored."""
        label, k = self.clusters.label, len(self.clusters)
        medians = {
            name: self._by_cluster(values, np.median)
            for name, values in (
                ("liked", self.n_liked),
                ("per_sitting", self.per_sitting),
                ("sittings", self.n_sittings),
                ("liked_share", self.liked_share),
            )
        }
        named = marks(self.clusters, self.shares)
        rows: list[TasteCluster] = []
        for i in range(k):
            said = [_trait(self.clusters, column) for column in named[i]]
            said += [
                {"kind": "behaviour", "value": value}
                for value in behaviour_marks(
                    float(medians["per_sitting"][i]),
                    float(medians["liked_share"][i]),
                    usual_per_sitting=float(np.median(self.per_sitting)),
                    usual_liked_share=float(np.median(self.liked_share)),
                )
                if k > 1
            ]
            rows.append(
                TasteCluster(
                    clustering=clustering,
                    number=i,
                    key=cluster_key(
                        [mark["value"] for mark in said],
                        number=i,
                        taken=[row.key for row in rows],
                    ),
                    marks=said,
                    centre=self.clusters.centres[i].tolist(),
                    shares=self.shares[i].tolist(),
                    n_people=int((label == i).sum()),
                    figures={name: round(float(of[i]), 3) for name, of in medians.items()},
                )
            )
        return rows

    def live(self) -> list[tuple[int, int]]:
        """(user id, number of the cluster) of the accounts among the people."""
        keys = self.data.dataset.users.ids[self.rows]
        is_live = keys >= LIVE_USER_OFFSET
        ids = (keys[is_live] - LIVE_USER_OFFSET).tolist()
        return list(zip(ids, self.clusters.label[is_live].tolist(), strict=True))


def traits_of(data: TrainingData) -> FilmTraits:
    """Of the films that models learn from."""
    features, n = data.features, len(data.items)
    year = features.year if features.year is not None else np.full(n, np.nan, np.float32)
    genres = features.genres if features.genres is not None else np.zeros((n, 0), np.float32)
    return film_traits(genres, features.genre_names, year, rating_counts(data.items.ids))


def rating_counts(movie_ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64[n]: as the catalogue tells them; 0 for a film that is gone."""
    known = dict(Movie.objects.values_list("pk", "rating_count"))
    return np.array([known.get(pk, 0) for pk in movie_ids.tolist()], dtype=np.int64)


def _trait(clusters: Clusters, column: int) -> dict[str, str]:
    trait = clusters.space.traits[column]
    return {"kind": trait.kind, "value": trait.value}


@transaction.atomic
def _store(found: _Found, *, now: datetime) -> Clustering:
    """In place of what stood before. Accounts that went meanwhile are left out."""
    Clustering.objects.all().delete()
    space = found.clusters.space
    clustering = Clustering.objects.create(
        fingerprint=found.data.fingerprint,
        traits=[{"kind": t.kind, "value": t.value} for t in space.traits],
        mean=space.mean.tolist(),
        n_people=len(found.rows),
        width=found.clusters.width,
        figures={
            "fame_edges": found.fame_edges,
            "gap_s": GAP_S,
            "n_sittings": len(found.sizes),
            "edges": list(SIZE_EDGES),
            "sizes": size_shares(found.sizes, SIZE_EDGES),
        },
        computed_at=now,
    )
    clusters = TasteCluster.objects.bulk_create(found.rows_of_clusters(clustering))
    live = found.live()
    here = set(_locked_users([pk for pk, _number in live]))
    ClusterMember.objects.bulk_create(
        [ClusterMember(user_id=pk, cluster=clusters[at]) for pk, at in live if pk in here],
        batch_size=BATCH,
    )
    return clustering


def _locked_users(ids: list[int]) -> list[int]:
    """Those of ``ids`` that are still there, and stay until the transaction ends."""
    users = User.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids)
    return list(users.order_by("pk").values_list("pk", flat=True))
