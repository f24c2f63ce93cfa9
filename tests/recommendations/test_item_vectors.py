"""Item vectors: beside the old ones until nobody reads these, found by the index, under filters."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from catalog.models import Movie
from feedback.events import EventContext
from feedback.services import rating_set
from ml.types import Histories
from recommendations.item_vectors import nearest_sql, prepare, retrieve, similar_by_vectors
from recommendations.models import ItemVector, ModelVersion
from recommendations.services.registry import model_promote, vectors_tidy
from recommendations.services.training import train
from recommendations.services.vectors import index_name
from recommendations.similar import similar_films
from recommendations.snapshot import current_snapshot
from recommendations.tasks import tidy_item_vectors_task

Status = ModelVersion.Status


def indexes():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes "
            "WHERE indexname LIKE 'recommendations_hnsw_version_%%'"
        )
        return {name for (name,) in cursor.fetchall()}


def long_ago(version):
    ModelVersion.objects.filter(pk=version.pk).update(
        activated_at=timezone.now() - timedelta(minutes=1)
    )


def test_a_promoted_version_has_a_vector_for_every_film_it_knows(trained):
    snapshot = current_snapshot()
    rows = ItemVector.objects.filter(model_version_id=snapshot.version_id)
    assert rows.count() == len(snapshot.items) == 48
    assert indexes() == {index_name(snapshot.version_id)}
    als = snapshot.hybrid.models["als"]
    one = rows.get(movie_id=int(snapshot.items.ids[5]))
    restored = np.asarray(one.vector) * one.length
    assert np.allclose(restored, als.item_factors[5], atol=1e-5)


def test_versions_stand_side_by_side_until_nobody_reads_the_old_one(trained):
    old = ModelVersion.objects.get()
    train(is_forced=True)
    new = ModelVersion.objects.get(status=Status.ACTIVE)
    assert ItemVector.objects.count() == 96
    assert indexes() == {index_name(old.pk), index_name(new.pk)}
    assert vectors_tidy() == 0  # promoted a moment ago
    long_ago(new)
    tidy_item_vectors_task()
    assert set(ItemVector.objects.values_list("model_version_id", flat=True)) == {new.pk}
    assert ItemVector.objects.count() == 48
    assert indexes() == {index_name(new.pk)}
    model_promote(old)  # going back brings its vectors back
    assert ItemVector.objects.filter(model_version=old).count() == 48


def test_a_refused_version_has_none_and_leaves_the_served_ones(trained, monkeypatch):
    from recommendations.services import registry

    def refuse(version, *, data=None):
        raise registry.PromotionError("no")

    before = list(ItemVector.objects.order_by("pk").values_list("pk", flat=True))
    monkeypatch.setattr("recommendations.services.training.version_admit", refuse)
    train(is_forced=True)
    assert list(ItemVector.objects.order_by("pk").values_list("pk", flat=True)) == before


def test_similar_films_are_those_of_the_same_crowd_and_as_many_as_asked_for(trained):
    found = similar_by_vectors(
        trained.films[0][0].pk, current_snapshot(), films=Movie.objects.visible(), n=10
    )
    own = {film.pk for film in trained.films[0]}
    assert len(found) == 10
    assert {pk for pk, _ in found} <= own - {trained.films[0][0].pk}
    cosines = [cosine for _, cosine in found]
    assert cosines == sorted(cosines, reverse=True)


def test_the_answer_is_the_exact_one(trained):
    snapshot = current_snapshot()
    factors = snapshot.hybrid.models["als"].item_factors
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    wanted = np.argsort(-(unit @ unit[0]), kind="stable")[1:11]
    found = similar_by_vectors(
        int(snapshot.items.ids[0]), snapshot, films=Movie.objects.visible(), n=10
    )
    assert [pk for pk, _ in found] == snapshot.items.ids[wanted].tolist()


def test_retrieval_obeys_a_filter_and_still_fills_the_list(trained):
    snapshot = current_snapshot()
    liked = [film.pk for film in trained.films[1][:4]]
    history = Histories.from_lists([snapshot.items.index(liked)])
    films = Movie.objects.visible().filter(year__gte=1960).exclude(pk__in=liked)
    found = retrieve(history, snapshot, films=films, n=8)
    allowed = set(films.values_list("pk", flat=True))
    assert len(found) == 8
    assert {pk for pk, _ in found} <= allowed
    als = snapshot.hybrid.models["als"]
    scores = als.score(history)[0]
    exact = sorted(allowed, key=lambda pk: -scores[snapshot.items.index([pk])[0]])[:8]
    assert [pk for pk, _ in found] == exact
    nobody = Histories.from_lists([[]])
    assert retrieve(nobody, snapshot, films=films, n=8) == []


def test_the_plan_uses_the_index_of_the_version(trained):
    snapshot = current_snapshot()
    vector = np.ones(64, dtype=np.float32)
    sql, params = nearest_sql(vector, snapshot.version_id, films=Movie.objects.visible(), n=10)
    with connection.cursor() as cursor:
        prepare(cursor, n=10)
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert f"Index Scan using {index_name(snapshot.version_id)}" in plan


@pytest.mark.django_db
def test_a_film_without_a_vector_has_no_neighbours(trained):
    from tests.worlds import make_film

    stranger = make_film("Rated by nobody")
    found = similar_by_vectors(stranger.pk, current_snapshot(), films=Movie.objects.visible(), n=5)
    assert found == []


def test_a_film_with_few_common_raters_is_filled_up_by_the_vectors(trained):
    """Everything that common raters would name is hidden: the row is full all the same."""
    film = trained.films[0][0]
    user = User.objects.create_user("ada@example.org", "pw-long-enough")
    common = similar_films(film, user, n=24).behaviour
    for known in common[:10]:
        rating_set(
            user=user,
            movie=Movie.objects.get(pk=known.movie_id),
            stars=Decimal(4),
            event=EventContext(),
        )
    user.refresh_from_db()
    found = similar_films(film, user, n=20).behaviour
    ids = [one.movie_id for one in found]
    assert len(ids) == len(set(ids))
    assert not set(ids) & {one.movie_id for one in common[:10]}
    by_vectors = similar_by_vectors(
        film.pk, current_snapshot(), films=Movie.objects.visible(), n=47
    )
    assert len(found) > len(common) - 10
    assert set(ids[len(common) - 10 :]) <= {pk for pk, _ in by_vectors}
