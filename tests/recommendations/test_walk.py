"""A person's way with Marquee while nobody looks after it: real worker, real beat, real Redis."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import User
from catalog.models import Movie
from feedback.models import Rating
from recommendations.models import ModelVersion, Recommendation, ScheduledRun, TrainingRun
from recommendations.snapshot import forget_snapshot
from tests.worker import CeleryBeat, CeleryWorker
from tests.worlds import make_world

EVERY_S = 2
PATIENCE_S = 150.0
Status = ModelVersion.Status


@pytest.fixture
def machine(transactional_db, settings, tmp_path, monkeypatch):
    """Worker and beat as processes, on the test's database, Redis and folders."""
    monkeypatch.setenv("MARQUEE_VAR", str(tmp_path))  # where own_folders points this process
    settings.RETRAIN_AFTER = 20
    worker = CeleryWorker()
    worker.start()
    beat = CeleryBeat(every_s=EVERY_S, folder=tmp_path)
    yield worker
    beat.stop()
    worker.stop()


@pytest.fixture
def person(client, transactional_db):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    client.force_login(user)
    return user


def listed(client):
    answer = client.get("/api/v1/me/recommendations/?n=10")
    assert answer.status_code == 200
    return answer.json()


def ids_of(body):
    return [film["movie_id"] for film in body["results"]]


def swipe(client, movie, kind):
    answer = client.post(
        f"/films/{movie.pk}/react/", {"kind": kind, "on": "1", "event_id": str(uuid.uuid4())}
    )
    assert answer.status_code in (200, 302), answer.content


@pytest.mark.slow
def test_quiz_list_swipes_feedback_training_gate_promotion_new_list(machine, client, person):
    """Nobody starts anything: what happens between the person's requests, beat has started."""
    world = make_world()
    musicals, crime = world.films[1], world.films[0]

    # There is no model yet: the first one is trained and promoted because there is none.
    first = machine.wait_for(
        lambda: ModelVersion.objects.filter(kind="hybrid", status=Status.ACTIVE).first(),
        timeout_s=PATIENCE_S,
    )
    # That training's end is written after its promotion.
    machine.wait_for(
        lambda: TrainingRun.objects.filter(kind="hybrid", status="done").first(),
        timeout_s=PATIENCE_S,
    )
    forget_snapshot()

    # The quiz gives a list at once.
    quiz = client.post("/api/v1/quiz/", {"mood": "happy", "n": 10}, content_type="application/json")
    assert quiz.status_code == 200
    assert len(ids_of(quiz.json())) == 10

    # Three swipes change the list, and no training was needed for it.
    before = listed(client)
    for film in musicals[:3]:
        swipe(client, film, "like")
    after = listed(client)
    assert ids_of(after) != ids_of(before)
    assert set(ids_of(after)[:5]) <= {film.pk for film in musicals[3:]}
    assert after["model_version"] == first.version
    assert not after["fallback"]

    # Within a minute of beat the list is stored; the page serves it.
    machine.wait_for(
        lambda: Recommendation.objects.filter(user=person, feedback_generation=3).exists(),
        timeout_s=PATIENCE_S,
    )
    stored = listed(client)
    assert stored["is_stored"]
    assert ids_of(stored) == ids_of(after)

    # Twenty feedbacks in all: training starts by itself, passes the gate and is promoted.
    for film in (*musicals[3:15], *crime[:5]):
        stars = 5 if film in musicals else 1
        answer = client.put(
            f"/api/v1/me/ratings/{film.pk}/", {"stars": stars}, content_type="application/json"
        )
        assert answer.status_code in (200, 201), answer.content
    assert Rating.objects.filter(user=person).count() == 17
    second = machine.wait_for(
        lambda: (
            ModelVersion.objects.filter(kind="hybrid", status=Status.ACTIVE)
            .exclude(pk=first.pk)
            .first()
        ),
        timeout_s=PATIENCE_S,
    )
    run = TrainingRun.objects.get(model_version=second)
    assert run.trigger == "feedback"
    assert second.metrics["gate"]["is_passed"]
    assert "champion" in second.metrics["gate"]["gains"]
    first.refresh_from_db()
    assert first.status == Status.RETIRED

    # The new list is the new model's, and knows all of it.
    new = listed(client)
    assert new["model_version"] == second.version
    rated = set(Rating.objects.filter(user=person).values_list("movie_id", flat=True))
    assert not rated & set(ids_of(new))
    assert len(set(ids_of(new))) == 10
    assert Movie.objects.filter(pk__in=ids_of(new)).count() == 10
    assert {"refresh-recommendations", "retrain-when-due"} <= set(
        ScheduledRun.objects.values_list("name", flat=True)
    )
