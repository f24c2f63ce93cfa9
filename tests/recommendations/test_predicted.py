"""Predicted stars: trained beside the policy, gated by their own honesty, silent for strangers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from feedback import services
from feedback.events import EventContext
from feedback.selectors import feedback_of
from recommendations import predicted
from recommendations.models import ModelVersion, TrainingRun
from recommendations.predicted import predictions_for
from recommendations.selectors import recommendations_for
from recommendations.services import rating_training
from recommendations.services.rating_training import is_due, train_ratings

SMALL = {"dim": 4, "sweeps": 30, "burn_in": 10, "thin": 2, "rank": 8}


@pytest.fixture(autouse=True)
def small_and_fresh(monkeypatch):
    monkeypatch.setattr(rating_training, "SAMPLER", SMALL)
    monkeypatch.setattr(predicted, "_current", None)
    monkeypatch.setattr(predicted, "_broken", set())


@pytest.fixture
def ada(world):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    for film in world.films[0][:4]:
        services.rating_set(user=user, movie=film, stars=Decimal("5"), event=EventContext())
    for film in world.films[1][:2]:
        services.rating_set(user=user, movie=film, stars=Decimal("1"), event=EventContext())
    return User.objects.get(pk=user.pk)


def active():
    return ModelVersion.objects.filter(kind="rating", status="active").first()


def test_it_is_trained_measured_and_says_what_somebody_would_give(ada, world, client):
    run = train_ratings()
    assert run.status == TrainingRun.Status.DONE, run.error
    version = active()
    assert version == run.model_version
    assert version.metrics["n_people"] == 12
    assert 0.0 <= version.metrics["coverage80"] <= 1.0
    crime, musical = world.films[0][10].pk, world.films[1][10].pk
    found = predictions_for(feedback_of(ada), [crime, musical, 999_999])
    assert set(found) == {crime, musical}
    assert found[crime].stars > found[musical].stars
    for guess in found.values():
        assert 0.5 <= guess.low <= guess.high <= 5.0
    client.force_login(ada)
    said = client.get(f"/films/{crime}/guess/").content.decode()
    assert found[crime].full in said
    assert train_ratings().status == TrainingRun.Status.SKIPPED


def test_strangers_are_told_that_we_do_not_know_them(world, client, db):
    train_ratings()
    bob = User.objects.create_user("bob@example.org", "a-long-password")
    services.rating_set(user=bob, movie=world.films[0][0], stars=Decimal("5"), event=EventContext())
    film = world.films[0][10].pk
    assert predictions_for(feedback_of(bob), [film]) == {}
    client.force_login(bob)
    page = client.get(f"/films/{film}/guess/", headers={"hx-request": "true"}).content.decode()
    assert "We don’t know you yet: 2 more films" in page
    assert "<html" not in page


def test_intervals_that_are_not_honest_are_refused_and_what_is_served_stays(
    ada, world, monkeypatch
):
    train_ratings()
    before = active()
    monkeypatch.setattr(rating_training, "MAX_OFF", -1.0)
    monkeypatch.setattr(rating_training, "FEW_TRUTHS", 1)
    run = train_ratings(is_forced=True)
    assert run.status == TrainingRun.Status.REFUSED
    assert "80 % intervals hold" in run.error
    assert active() == before


def test_a_damaged_file_costs_the_guesses_only(ada, world, settings):
    train_ratings()
    film = world.films[0][10].pk
    assert predictions_for(feedback_of(ada), [film])
    for path in (settings.MODELS_DIR / active().path).glob("*.npy"):
        path.write_bytes(b"not an array")
    predicted._current = None
    assert predictions_for(feedback_of(ada), [film]) == {}


def test_stars_never_rank(trained):
    user = trained.crowds[0][0]
    before = recommendations_for(user, n=20)
    train_ratings()
    after = recommendations_for(user, n=20)
    assert [f.movie_id for f in after.films] == [f.movie_id for f in before.films]
    assert active().kind == "rating"


def test_it_is_due_once_the_policy_is_served_and_then_daily(trained):
    now = timezone.now()
    assert is_due(now=now)
    train_ratings()
    assert not is_due(now=now)
    assert is_due(now=now + rating_training.EVERY * 2)


def test_it_is_not_due_without_a_policy(world):
    assert not is_due(now=timezone.now())
