"""The minute's work: lists refreshed, retraining started by itself."""

from __future__ import annotations

import zlib
from decimal import Decimal

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection

from accounts.models import User
from catalog.models import Movie
from config.celery import app
from feedback import services
from feedback.events import EventContext
from recommendations.locks import advisory_lock
from recommendations.models import ModelVersion, Recommendation, ScheduledRun, TrainingRun
from recommendations.services.inference import recommendations_refresh
from recommendations.services.training import train
from recommendations.tasks import (
    refresh_recommendations_task,
    retrain_when_due_task,
    train_hybrid_task,
)
from tests.worlds import make_world


def rate(user, movie, stars):
    services.rating_set(user=user, movie=movie, stars=Decimal(stars), event=EventContext())


def test_every_beat_entry_names_a_task_and_expires_before_the_next():
    app.loader.import_default_modules()
    for entry in django_settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["expires"] < entry["schedule"]


def test_only_people_with_new_feedback_are_refreshed(trained):
    users = [User.objects.create_user(f"p{i}@example.org", "pw-long-enough") for i in range(3)]
    for user in users[:2]:
        rate(user, trained.films[0][0], "5")
    refresh_recommendations_task()
    run = ScheduledRun.objects.get(name="refresh-recommendations")
    assert run.outcome == {"users": 2}
    assert run.finished_at >= run.started_at
    assert set(Recommendation.objects.values_list("user_id", flat=True)) == {
        users[0].pk,
        users[1].pk,
    }
    rate(users[1], trained.films[0][1], "4")
    assert recommendations_refresh() == 1


def test_a_new_model_makes_every_stored_list_stale(trained):
    user = User.objects.create_user("ada@example.org", "pw-long-enough")
    rate(user, trained.films[0][0], "5")
    assert recommendations_refresh() == 1
    train()
    assert recommendations_refresh() == 1
    stored = Recommendation.objects.get()
    assert stored.model_version.status == ModelVersion.Status.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_do_the_work_once():
    params = connection.get_connection_params()
    kept = {k: params[k] for k in ("dbname", "user", "host", "port", "password") if params.get(k)}
    key = zlib.crc32(b"refresh-recommendations")
    with psycopg.connect(**kept, autocommit=True) as other_machine:
        other_machine.execute("SELECT pg_advisory_lock(%s)", [key])
        refresh_recommendations_task()
        assert not ScheduledRun.objects.exists()
        with advisory_lock("refresh-recommendations") as is_mine:
            assert not is_mine
        other_machine.execute("SELECT pg_advisory_unlock(%s)", [key])
        refresh_recommendations_task()
    assert ScheduledRun.objects.get().outcome == {"users": 0}


def test_feedback_past_the_threshold_starts_a_training(trained, settings, monkeypatch):
    started = []
    monkeypatch.setattr(
        "recommendations.tasks.train_hybrid_task.delay", lambda trigger: started.append(trigger)
    )
    settings.RETRAIN_AFTER = 3
    user = User.objects.create_user("ada@example.org", "pw-long-enough")
    for film in trained.films[0][:2]:
        rate(user, film, "5")
    retrain_when_due_task()
    assert started == []
    rate(user, trained.films[0][2], "5")
    retrain_when_due_task()
    assert started == ["feedback"]
    assert ScheduledRun.objects.get(name="retrain-when-due").outcome == {
        "new_feedback": 3,
        "is_due": True,
    }


@pytest.mark.slow
def test_a_real_worker_trains_and_stores_lists(celery_worker_process, settings):
    """A message in real Redis, a real worker process, rows in real Postgres."""
    world = make_world()
    train_hybrid_task.delay("test")
    run = celery_worker_process.wait_for(
        lambda: TrainingRun.objects.exclude(status="running").first()
    )
    assert run.status == TrainingRun.Status.DONE, run.error
    user = User.objects.create_user("ada@example.org", "pw-long-enough")
    rate(user, world.films[1][0], "5")
    refresh_recommendations_task.delay()
    stored = celery_worker_process.wait_for(lambda: Recommendation.objects.first())
    crowd = {film.pk for film in world.films[1]}
    assert set(stored.movie_ids[:10]) <= crowd
    assert Movie.objects.filter(pk__in=stored.movie_ids).count() == len(stored.movie_ids)
