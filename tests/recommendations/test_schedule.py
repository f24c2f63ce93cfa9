"""What beat does by itself: trending, expiry, drift, shards, and when it trains."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from feedback import services
from feedback.events import EventContext
from feedback.models import Interaction, Reaction, Slate
from feedback.selectors import feedback_of
from recommendations import tasks
from recommendations.models import (
    DriftCheck,
    Recommendation,
    ScheduledRun,
    TrainingRun,
    TrendingWindow,
)
from recommendations.services.drift import stability_index
from recommendations.services.expiry import feedback_expire
from recommendations.services.inference import recommendations_refresh, stale_ranges
from recommendations.services.trending import trending_movie_ids, trending_refresh

Status = TrainingRun.Status


def rate(user, movie, stars="5"):
    services.rating_set(user=user, movie=movie, stars=Decimal(stars), event=EventContext())


def people(n):
    return [User.objects.create_user(f"p{i}@example.org", "pw-long-enough") for i in range(n)]


@pytest.fixture
def messages(monkeypatch):
    """What was sent to the workers."""
    sent = []
    monkeypatch.setattr(
        tasks.refresh_range_task,
        "apply_async",
        lambda args, expires: sent.append((*args, expires)),
    )
    monkeypatch.setattr(tasks.train_hybrid_task, "delay", sent.append)
    return sent


# --- inference ---------------------------------------------------------------------------------


def test_many_stale_people_are_split_into_ranges_of_ids(trained, monkeypatch, messages):
    users = people(5)
    for user in users:
        rate(user, trained.films[0][0])
    monkeypatch.setattr(tasks, "SHARD_PEOPLE", 2)
    tasks.refresh_recommendations_task()
    ids = [user.pk for user in users]
    wanted = [(ids[0], ids[1], 55), (ids[2], ids[3], 55), (ids[4], ids[4], 55)]
    assert messages == wanted
    assert ScheduledRun.objects.get().outcome == {"shards": 3}
    assert not Recommendation.objects.exists()
    tasks.refresh_range_task(ids[0], ids[1])
    assert set(Recommendation.objects.values_list("user_id", flat=True)) == set(ids[:2])
    assert stale_ranges(size=10) == [(ids[2], ids[4])]


def test_lists_of_several_sources_are_stored_together(trained):
    (user,) = people(1)
    rate(user, trained.films[0][0])
    assert recommendations_refresh(sources=("hybrid", "als", "item_item")) == 1
    stored = {row.source: row for row in Recommendation.objects.all()}
    assert set(stored) == {"hybrid", "als", "item_item"}
    assert all(row.movie_ids and row.feedback_generation == 1 for row in stored.values())
    assert recommendations_refresh(sources=("hybrid", "als", "item_item")) == 0


# --- training ----------------------------------------------------------------------------------


def trained_at(hours_ago):
    TrainingRun.objects.update(started_at=timezone.now() - timedelta(hours=hours_ago))


def test_a_little_feedback_is_learned_from_by_the_clock(trained, settings, messages):
    rate(people(1)[0], trained.films[0][0])
    settings.RETRAIN_EVERY_HOURS = 24
    trained_at(23)
    tasks.retrain_when_due_task()
    assert messages == []
    trained_at(25)
    tasks.retrain_when_due_task()
    assert messages == ["schedule"]


def test_without_any_feedback_the_clock_starts_nothing(trained, messages):
    trained_at(1000)
    tasks.retrain_when_due_task()
    assert messages == []


def test_a_running_or_just_failed_training_is_left_alone(trained, settings, messages):
    settings.RETRAIN_AFTER = 1
    rate(people(1)[0], trained.films[0][0])
    run = TrainingRun.objects.create(kind="hybrid")
    tasks.retrain_when_due_task()
    assert messages == []
    assert ScheduledRun.objects.get().outcome["waits"] == "Running"
    for status in (Status.FAILED, Status.CANCELLED):
        TrainingRun.objects.filter(pk=run.pk).update(status=status, finished_at=timezone.now())
        tasks.retrain_when_due_task()
        assert messages == []
    long_ago = timezone.now() - timedelta(minutes=20)
    TrainingRun.objects.filter(pk=run.pk).update(finished_at=long_ago)
    tasks.retrain_when_due_task()
    assert messages == ["feedback"]


def test_a_training_whose_process_died_is_taken_up_again(trained, settings, messages):
    settings.RETRAIN_AFTER = 1
    rate(people(1)[0], trained.films[0][0])
    dead = timezone.now() - timedelta(minutes=5)
    TrainingRun.objects.create(kind="hybrid", heartbeat_at=dead)
    tasks.retrain_when_due_task()
    assert messages == ["feedback"]


def test_work_that_fails_is_written_down_and_not_hidden(db, monkeypatch):
    def broken():
        raise ZeroDivisionError("no people")

    monkeypatch.setattr(tasks, "trending_refresh", broken)
    with pytest.raises(ZeroDivisionError):
        tasks.trending_windows_task()
    run = ScheduledRun.objects.get(name="trending-windows")
    assert run.outcome == {"error": "ZeroDivisionError: no people"}
    assert run.finished_at is not None


# --- trending ----------------------------------------------------------------------------------


def test_trending_counts_people_once_and_the_latest_most(world):
    users = people(4)
    old, new, lone, disliked = world.films[0][:4]
    for user in users[:3]:
        rate(user, old)
    Interaction.objects.update(created_at=timezone.now() - timedelta(days=6))
    for user in users[:2]:
        rate(user, new)
        rate(user, new, "4.5")
        rate(user, disliked, "1")
    rate(users[0], lone)
    tasks.trending_windows_task()
    week = TrendingWindow.objects.get(days=7)
    assert week.movie_ids == [new.pk, old.pk]
    assert week.n_events == 5
    assert week.scores[0] == pytest.approx(2.0, abs=0.01)
    assert week.scores[1] == pytest.approx(3 * 0.5 ** (6 / 3.5), abs=0.01)
    assert trending_movie_ids(days=1) == [new.pk]
    assert set(ScheduledRun.objects.get().outcome) == {"1 days", "7 days", "30 days"}


def test_a_hidden_film_does_not_trend_and_windows_are_replaced(world):
    users = people(2)
    film = world.films[0][0]
    for user in users:
        rate(user, film)
    trending_refresh()
    assert trending_movie_ids() == [film.pk]
    film.is_hidden = True
    film.save(update_fields=["is_hidden"])
    trending_refresh()
    assert trending_movie_ids() == []
    assert TrendingWindow.objects.count() == 3


# --- expiry ------------------------------------------------------------------------------------


def test_what_was_put_off_comes_back_and_the_list_is_made_anew(world):
    (user,) = people(1)
    film, other = world.films[0][:2]
    for movie in (film, other):
        services.reaction_set(
            user=user, movie=movie, kind=Reaction.Kind.NOT_TONIGHT, event=EventContext()
        )
    Reaction.objects.filter(movie=film).update(expires_at=timezone.now() - timedelta(minutes=1))
    user.refresh_from_db()
    before = user.feedback_generation
    assert feedback_expire() == {"not_tonight": 1, "slates": 0}
    user.refresh_from_db()
    assert user.feedback_generation == before + 1
    assert feedback_of(user).hidden_ids == {other.pk}


def test_old_slates_go_and_young_ones_stay(world, settings):
    settings.SLATE_KEEP_DAYS = 10
    old, young = (Slate.objects.create(surface="home", policy="hybrid") for _ in range(2))
    Slate.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=11))
    tasks.expire_feedback_task()
    assert list(Slate.objects.all()) == [young]
    assert ScheduledRun.objects.get().outcome == {"not_tonight": 0, "slates": 1}


# --- drift -------------------------------------------------------------------------------------


def test_the_stability_index_is_nothing_for_the_same_and_large_for_the_opposite():
    same = np.array([100, 300, 600])
    assert stability_index(same, same / same.sum()) == pytest.approx(0.0)
    # By hand: 2 * (0.9 - 0.1) * ln 9.
    opposite = stability_index(np.array([900, 100]), np.array([0.1, 0.9]))
    assert opposite == pytest.approx(2 * 0.8 * np.log(9), rel=1e-3)


def test_few_new_ratings_say_nothing(trained):
    rate(people(1)[0], trained.films[0][0])
    tasks.check_drift_task()
    check = DriftCheck.objects.get()
    assert not check.is_drifted
    assert check.said == "1 new ratings since the training: too few to compare."


def test_people_who_rate_differently_and_other_films_are_noticed(trained, admin_client):
    from tests.worlds import make_film

    new_films = [make_film(f"New {i}") for i in range(10)]
    for user in people(12):
        for film in (*new_films, trained.films[0][-1]):
            rate(user, film, "0.5")
    tasks.check_drift_task()
    check = DriftCheck.objects.get()
    assert check.is_drifted
    assert check.figures["n_ratings"] == 132
    assert check.figures["unknown_films"] == pytest.approx(120 / 132, abs=1e-3)
    assert check.figures["mean_stars"] == 0.5
    assert check.figures["stars_psi"] > 0.25
    assert ScheduledRun.objects.get().outcome["is_drifted"] is True
    page = admin_client.get(reverse("admin:recommendations_driftcheck_changelist"))
    assert "91% of the ratings are of films it does not know" in page.content.decode()


def test_people_who_rate_as_before_have_not_drifted(trained):
    rng = np.random.default_rng(1)
    chances = np.linspace(0.9, 0.45, 24)
    for i, user in enumerate(people(10)):
        for at in np.flatnonzero(rng.random(24) < chances):
            rate(user, trained.films[i % 2][at], str(int(rng.integers(8, 11)) / 2))
    tasks.check_drift_task()
    check = DriftCheck.objects.get()
    assert check.figures["n_ratings"] > 100
    assert (check.is_drifted, check.said) == (False, "As it was.")
