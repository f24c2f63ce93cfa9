"""Policies judged from the log of another, held against what they would have earned."""

from __future__ import annotations

import uuid

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from feedback.events import EventContext
from feedback.models import Reaction, Slate
from feedback.services import reaction_set
from recommendations.experiments.forecast import MIN_LISTS, ForecastError, forecast
from recommendations.services.experiments import Wanted, experiment_create, experiment_start
from recommendations.snapshot import current_snapshot

URL = "/api/v1/me/recommendations/?n=10"


def test_the_log_of_one_policy_tells_what_another_would_have_earned(trained, client, capsys):
    """People of the crime crowd like films with an even number: the judged policies place those
    differently, and the log must say by how much. The liking must not change the lists, so it is
    given for one list per person."""
    people = [*trained.crowds[0], *trained.crowds[1]]
    experiment = experiment_create(
        Wanted(name="x", kind="split", policy_a="edlae", policy_b="edlae", epsilon=1.0)
    )
    with pytest.raises(ForecastError, match="0 lists have a shuffled tail"):
        forecast("popularity", current_snapshot())
    with pytest.raises(CommandError, match="shuffled tail"):
        call_command("forecast", "popularity")
    experiment_start(experiment)
    rng = np.random.default_rng(0)
    good = {film.pk for film in trained.all_films[::2]}
    for person in people:
        client.force_login(person)
        body = client.get(URL).json()
        for position, item in enumerate(body["results"]):
            liked = rng.random() < (0.8 if item["movie_id"] in good else 0.1)
            if liked and position >= 3:
                event = EventContext(request_id=uuid.UUID(body["request_id"]), position=position)
                film = next(f for f in trained.all_films if f.pk == item["movie_id"])
                reaction_set(user=person, movie=film, kind=Reaction.Kind.LIKE, event=event)
    n_lists = Slate.objects.filter(context__trial__epsilon__gt=0).count()
    assert n_lists == len(people) >= MIN_LISTS
    found = forecast("popularity", current_snapshot())
    assert found.n_lists == n_lists
    assert not found.left_out
    assert 0 < found.support <= 1
    value = found.value
    for estimate in (value.ips, value.snips, value.dr):
        # Half of the films are good: (.8 + .1) / 2. Six standard errors: every run draws anew.
        assert abs(estimate.mean - 0.45) < 3 * (estimate.hi - estimate.lo) / 2
    same = forecast("edlae", current_snapshot())
    assert same.support > 0.9
    call_command("forecast", "--experiment", str(experiment.pk))
    assert "Likes per place" in capsys.readouterr().out
    experiment.refresh_from_db()
    assert experiment.forecast["n_lists"] == n_lists
    with pytest.raises(CommandError, match="magic"):
        call_command("forecast", "magic")
    with pytest.raises(CommandError, match="no experiment 999"):
        call_command("forecast", "--experiment", "999")
    with pytest.raises(CommandError, match="Name a source"):
        call_command("forecast")
