"""Simulated people on a running server: what they do is what anybody's client does."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from catalog.models import Movie
from feedback import services
from feedback.events import EventContext
from feedback.models import Interaction, Slate
from ml.simulation import people_of
from recommendations.models import ModelVersion, TrainingRun
from recommendations.services.due import training_due
from recommendations.services.training import train
from recommendations.snapshot import current_snapshot
from recommendations.traffic.client import TrafficError, loopback_url
from recommendations.traffic.month import DOMAIN
from recommendations.traffic.trainings import trainings_wait
from recommendations.traffic.world import real_leanings, world_of
from tests.worlds import make_world

Status = TrainingRun.Status
OPTIONS = ["--people", "12", "--rounds", "2", "--visits", "0.9", "--threads", "2"]


@pytest.mark.parametrize(
    "url", ["http://example.org", "http://10.0.0.7:8000", "ftp://127.0.0.1", "http://", "x"]
)
def test_only_a_server_of_ones_own_is_used(url):
    with pytest.raises(TrafficError, match="not on this machine"):
        loopback_url(url)


def test_loopback_has_three_names():
    assert loopback_url("http://127.0.0.1:8000/") == "http://127.0.0.1:8000"
    assert loopback_url("http://[::1]:80")
    assert loopback_url("http://localhost:1")


@pytest.mark.django_db(transaction=True)
def test_people_come_answer_and_are_forgotten(live_server, tmp_path, capsys):
    make_world()
    train()
    n_before = User.objects.count()
    file = tmp_path / "month.json"
    call_command("simulate_traffic", "--url", live_server.url, *OPTIONS, "--json", str(file))
    content = json.loads(file.read_text())
    days = content["days"]
    assert [day["number"] for day in days] == [1, 2]
    n_lists = sum(day["n_lists"] for day in days)
    assert Slate.objects.filter(surface="api", user__email__endswith=DOMAIN).count() == n_lists > 0
    assert content["first_ratings"] == Interaction.objects.filter(kind="rate").count() == 120
    liked = Interaction.objects.filter(kind="react", value="like")
    shown = sum(slate.impressions.count() for slate in Slate.objects.filter(surface="api"))
    wanted = sum(day["positive_rate"] * day["n_lists"] * 10 for day in days)
    assert liked.count() == pytest.approx(wanted)
    assert shown == 10 * n_lists
    for event in liked:
        slate = Slate.objects.get(pk=event.request_id)
        assert slate.user_id == event.user_id
        assert slate.impressions.get(position=event.position).movie_id == event.movie_id
    # Each person's visits one after the other: together all lists, and their leads the days' leads.
    leads = content["leads"]
    assert [lead["nth"] for lead in leads] == [1, 2]
    assert sum(lead["n"] for lead in leads) == n_lists
    gained = sum((day["positive_rate"] - day["frozen_rate"]) * day["n_lists"] for day in days)
    assert sum(lead["mean"] * lead["n"] for lead in leads) == pytest.approx(gained)
    assert all(lead["sem"] > 0 for lead in leads)
    assert content["tastes_of"] == 0  # nobody's ratings were imported here
    assert "frozen popularity" in capsys.readouterr().out
    call_command("simulate_traffic", "--forget")
    assert "Deleted 12 simulated people" in capsys.readouterr().out
    assert User.objects.count() == n_before
    assert not Interaction.objects.exists()


@pytest.mark.django_db
def test_tastes_are_spread_as_those_of_the_people_who_were_imported(tmp_path):
    """Two crowds, a film in ten of the other's: what sets people apart is Crime or Musical."""
    genres = ("Crime", "Musical")
    films = [(i, genres[i % 2]) for i in range(1, 41)]
    lines = [f'{i},"Film {i} ({1950 + i})",{genre}' for i, genre in films]
    (tmp_path / "movies.csv").write_text("\n".join(["movieId,title,genres", *lines]))
    rng = np.random.default_rng(0)
    ratings = [
        f"{person},{film},{5 if film % 2 == person % 2 else 1}.0,{1_500_000_000 + film}"
        for person in range(1, 121)
        for film, _ in films
        if rng.random() < (0.6 if film % 2 == person % 2 else 0.1)
    ]
    (tmp_path / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *ratings]))
    call_command("import_movielens", str(tmp_path), verbosity=0)
    assert train().status == Status.DONE
    snapshot = current_snapshot()
    directions, n_real = real_leanings(snapshot)
    assert n_real == 120
    world, ids = world_of(snapshot)
    people = people_of(world, 500, np.random.default_rng(1), directions=directions)
    is_crime = np.isin(ids, Movie.objects.filter(genres__name="Crime").values_list("pk", flat=True))
    leans = (people.taste @ world.factors.T)[:, is_crime].mean(axis=1)
    against = (people.taste @ world.factors.T)[:, ~is_crime].mean(axis=1)
    assert np.corrcoef(leans, against)[0, 1] < -0.8


@pytest.mark.django_db(transaction=True)
class TestWaitingForTrainings:
    """A real training in another thread takes the worker's part."""

    def test_the_next_day_begins_with_what_the_last_one_led_to(
        self, live_server, tmp_path, settings
    ):
        settings.RETRAIN_AFTER = 120  # the first ratings of twelve people
        make_world()
        train()
        file = tmp_path / "month.json"
        with ThreadPoolExecutor(1) as worker:
            working = worker.submit(_train_when_due)
            words = [*OPTIONS, "--wait-training", "120", "--json", str(file)]
            call_command("simulate_traffic", "--url", live_server.url, *words)
            assert working.result(60) == Status.DONE
        content = json.loads(file.read_text())
        assert content["retrain_after"] == 120
        [training] = content["trainings"]
        newest = ModelVersion.objects.order_by("-created_at")[0]
        assert (training["after_day"], training["status"]) == (0, "done")
        assert training["version"] == newest.version
        assert [day["model_versions"] for day in content["days"]] == [[newest.version]] * 2

    def test_without_a_worker_it_says_so_and_ends(self, settings):
        settings.RETRAIN_AFTER = 1
        world = make_world()
        train()
        rate(world.crowds[0][0], world.films[1][0])
        with pytest.raises(TrafficError, match="are worker and beat of the server running"):
            trainings_wait(after_day=3, limit_s=0.1)

    def test_a_failed_training_is_not_waited_for(self, settings):
        settings.RETRAIN_AFTER = 1
        world = make_world()
        train()
        rate(world.crowds[0][0], world.films[1][0])
        TrainingRun.objects.create(kind="hybrid", status=Status.FAILED, error="The disk is full.")
        with pytest.raises(TrafficError, match="ended as failed: The disk is full"):
            trainings_wait(after_day=3, limit_s=60)

    def test_nothing_due_is_no_wait(self):
        make_world()
        train()
        started = time.monotonic()
        assert trainings_wait(after_day=1, limit_s=60) == []
        assert time.monotonic() - started < 5


def rate(user, movie):
    services.rating_set(user=user, movie=movie, stars=Decimal(4), event=EventContext())


def _train_when_due():
    """What beat and worker do, once: how the training ended."""
    try:
        for _look in range(600):
            if training_due(now=timezone.now()).is_due:
                return train(trigger="feedback").status
            time.sleep(0.1)
        return None
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_what_cannot_work_is_said_before_anything_is_made(tmp_path, live_server):
    def refused(*words, match):
        with pytest.raises(CommandError, match=match):
            call_command("simulate_traffic", *words)

    refused(match="Nothing was trained")
    refused("--people", "0", match="--people must be")
    refused("--visits", "0", match="--visits must be")
    refused("--threads", "99", match="--threads must be")
    refused("--wait-training", "-1", match="--wait-training must be")
    refused("--json", str(tmp_path / "no" / "x.json"), match="does not exist")
    make_world(n_people=20)
    train()
    refused("--url", "http://example.org", match="not on this machine")
    assert not User.objects.filter(email__endswith=DOMAIN).exists()
    refused("--url", "http://127.0.0.1:9", "--people", "3", match="does not answer")
