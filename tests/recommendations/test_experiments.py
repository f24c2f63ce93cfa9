"""Experiments: who gets which list, what is logged, what is read from it, and what stops them."""

from __future__ import annotations

import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from feedback.models import Interaction, Slate
from ml.experiments.assignment import arm_of
from recommendations.experiments.models import Assignment, Experiment, Exposure
from recommendations.experiments.serving import trial_for
from recommendations.experiments.verdicts import Answer, Guard, Verdict, verdict_from_log
from recommendations.experiments.words import answer_said, details_said
from recommendations.replay import replay
from recommendations.services.experiments import (
    ExperimentError,
    Wanted,
    experiment_create,
    experiment_read,
    experiment_start,
    experiment_stop,
    experiments_read,
)
from tests.experiment_logs import LIKE, NO, START, log_lists, log_split, people_of, running
from tests.worlds import make_film

URL = "/api/v1/me/recommendations/?n=12"


def make(kind="split", a="popularity", b="edlae", **more) -> Experiment:
    return experiment_create(
        Wanted(name=f"{kind} {uuid.uuid4()}", kind=kind, policy_a=a, policy_b=b, **more)
    )


def shown(client, user, url=URL) -> Slate:
    client.force_login(user)
    answer = client.get(url)
    assert answer.status_code == 200
    return Slate.objects.get(pk=answer.json()["request_id"])


def films_of(slate) -> list[int]:
    return list(slate.impressions.order_by("position").values_list("movie_id", flat=True))


# --- serving -----------------------------------------------------------------------------------


def test_in_an_ab_test_each_person_keeps_an_arm_and_gets_its_policys_list(trained, client):
    people = trained.crowds[0][:14]
    usual = {p.pk: films_of(shown(client, p)) for p in people[:2]}
    alone = {
        source: films_of(shown(client, people[0], f"{URL}&source={source}"))
        for source in ("popularity", "edlae")
    }
    experiment = experiment_start(make())
    for person in people:
        slates = [shown(client, person), shown(client, person)]
        assigned = Assignment.objects.get(experiment=experiment, user=person)
        wanted = "AB"[arm_of(experiment.salt, str(person.pk), (0.5, 0.5))]
        assert assigned.arm == wanted
        source = {"A": "popularity", "B": "edlae"}[wanted]
        assert {slate.policy for slate in slates} == {source}
        assert films_of(slates[0]) == films_of(slates[1])
        exposures = Exposure.objects.filter(user=person)
        assert {e.request_id for e in exposures} == {slate.pk for slate in slates}
        assert {e.arm for e in exposures} == {wanted}
        if person == people[0]:
            assert films_of(slates[0]) == alone[source]
        assert all(replay(slate).is_same for slate in slates)
    assert {a.arm for a in Assignment.objects.all()} == {"A", "B"}
    # Another source by name, and a list under filters, are what was asked for.
    n = Exposure.objects.count()
    assert shown(client, people[0], f"{URL}&source=als").policy == "als"
    client.get("/for-you/?genre=crime")
    assert Exposure.objects.count() == n
    experiment_stop(experiment, reason="enough")
    assert films_of(shown(client, people[0])) == usual[people[0].pk]
    assert Exposure.objects.count() == n


def test_an_interleaved_list_names_the_team_of_each_film_and_is_made_again(trained, client):
    person = trained.crowds[0][0]
    ranked = {
        source: films_of(shown(client, person, f"{URL}&source={source}"))
        for source in ("popularity", "edlae")
    }
    experiment = experiment_start(make("interleaved"))
    slates = [shown(client, person) for _ in range(14)]  # all one coin's side: once in 8,192 times
    for slate in slates:
        teams = list(slate.impressions.order_by("position").values_list("team", flat=True))
        assert sorted(teams) == ["A"] * 6 + ["B"] * 6
        for team, source in (("A", "popularity"), ("B", "edlae")):
            mine = list(
                slate.impressions.filter(team=team)
                .order_by("position")
                .values_list("movie_id", flat=True)
            )
            assert mine == sorted(mine, key=ranked[source].index)
        assert set(slate.impressions.values_list("propensity", flat=True)) == {None}
        assert slate.policy == "interleaved"
        found = replay(slate)
        assert found.is_same
        assert len(found.places) == 12
    assert len({s.impressions.get(position=0).team for s in slates}) == 2
    assert Assignment.objects.get(experiment=experiment).arm == "AB"
    # A page that fetches its list again is one list of one draft.
    page = client.get("/for-you/")
    slate = Slate.objects.filter(surface="for_you").get()
    before = films_of(slate)
    client.get(f"/for-you/?slate={slate.pk}", headers={"HX-Request": "true"})
    assert films_of(slate) == before
    assert Exposure.objects.filter(request_id=slate.pk).count() == 1
    assert page.context["source"] == "hybrid"
    call_command("replay", "--sample", "20")


def test_a_shuffled_tail_is_logged_with_its_odds(trained, client):
    experiment = make(a="edlae", b="edlae", epsilon=1.0)
    experiment_start(experiment)
    person = trained.crowds[0][0]
    slates = [shown(client, person) for _ in range(5)]
    for slate in slates:
        odds = list(slate.impressions.order_by("position").values_list("propensity", flat=True))
        assert odds[:3] == [1.0, 1.0, 1.0]
        assert odds[3:] == pytest.approx([1 / 21] * 9)  # nine places and twelve films behind
        assert replay(slate).is_same
    assert len({tuple(films_of(slate)) for slate in slates}) == 5
    assert len({tuple(films_of(slate)[:3]) for slate in slates}) == 1


def test_who_is_not_in_it(trained, client, django_assert_num_queries):
    visitor = User.objects.create_visitor()
    person = trained.crowds[0][0]
    with django_assert_num_queries(1):
        assert trial_for(person, uuid.uuid4()) is None  # nothing runs
    experiment_start(make(share=0.2))
    assert trial_for(visitor, uuid.uuid4()) is None
    people = [*trained.crowds[0], *trained.crowds[1]]
    inside = [trial_for(p, uuid.uuid4()) is not None for p in people]
    assert 0.08 < np.mean(inside) < 0.35


def test_one_runs_at_a_time_and_none_twice(trained):
    first, second = make(), make()
    experiment_start(first)
    with pytest.raises(ExperimentError, match="Another experiment is running"):
        experiment_start(second)
    with pytest.raises(ExperimentError, match="Only a draft"):
        experiment_stop(first, reason="") and experiment_start(first)
    with pytest.raises(ExperimentError, match="not running"):
        experiment_stop(first, reason="")
    second.refresh_from_db()
    assert second.status == "draft"
    experiment_start(second)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "x"}, "kind must be"),
        ({"name": " "}, "name"),
        ({"share": 0.0}, "share of people"),
        ({"epsilon": 1.5}, "shuffled lists"),
        ({"kind": "interleaved", "epsilon": 0.1}, "chance enough"),
        ({"window_hours": 0.0}, "window"),
        ({"min_effect": 0.0}, "smallest effect"),
        ({"policy_b": "magic"}, "magic"),
    ],
)
def test_what_makes_no_experiment_is_said(db, change, said):
    wanted = {"name": "x", "kind": "split", "policy_a": "hybrid", "policy_b": "hybrid"}
    with pytest.raises(ExperimentError, match=said):
        experiment_create(Wanted(**(wanted | change)))
    assert not Experiment.objects.exists()


def test_without_a_model_nothing_starts(db):
    experiment = make(a="hybrid", b="hybrid")
    with pytest.raises(ExperimentError, match="Nothing was trained"):
        experiment_start(experiment)


# --- reading -----------------------------------------------------------------------------------


@pytest.fixture
def films(db):
    return [make_film(f"Film {i}") for i in range(4)]


def test_an_ab_test_finds_the_better_policy_and_says_so(films):
    experiment = running("split", min_effect=0.1)
    log_split(experiment, films, rate_a=0.2, rate_b=0.5)
    now = timezone.now()
    verdict = verdict_from_log(experiment, upto=now)
    assert verdict.answer == Answer.BETTER
    assert (verdict.n, verdict.n_lists, verdict.n_waiting) == (300, 600, 0)
    assert verdict.mean_a == pytest.approx(0.6, abs=0.15)
    assert verdict.mean_b == pytest.approx(1.5, abs=0.15)
    assert verdict.lo < verdict.estimate == pytest.approx(verdict.mean_b - verdict.mean_a)
    assert answer_said(experiment, verdict) == "B is better."
    details = " ".join(details_said(experiment, verdict))
    assert f"{100 * verdict.estimate / verdict.mean_a:+.0f} %" in details
    assert "by chance" in details
    assert not verdict.tripped
    assert Verdict.of_json(verdict.to_json()).to_json() == verdict.to_json()
    assert verdict.points[-1][0] == 300
    # Earlier there was less to know, and it is the same whenever it is looked at.
    early = verdict_from_log(experiment, upto=START + timedelta(hours=20 + 24))
    assert early.answer == Answer.TOO_FEW
    assert early.n < 30 < early.n + early.n_waiting


def test_only_the_last_word_of_the_person_who_was_shown_the_list_counts(films):
    experiment = running("split")
    ada, eve = people_of(2)
    at = START
    log_lists(
        experiment, [(ada, "A", at, {0: LIKE, 1: LIKE, 2: ("rate", "4.5"), 3: NO}, "")], films
    )
    request_id = Exposure.objects.get().request_id

    def event(user, film, kind, value, minutes):
        Interaction.objects.create(
            event_id=uuid.uuid4(), user=user, movie=films[film], kind=kind, value=value,
            request_id=request_id, created_at=at + timedelta(minutes=minutes),
        )  # fmt: skip

    event(ada, 0, "unreact", "like", 5)  # taken back
    event(ada, 1, "open", "", 5)  # says nothing
    event(eve, 0, "react", "like", 6)  # somebody else's
    event(ada, 2, "rate", "1.0", 60 * 25)  # after the window
    found = verdict_from_log(experiment, upto=timezone.now())
    assert (found.mean_a, found.n_people) == (2.0, 1)
    event(ada, 2, "rate", "1.0", 30)
    assert verdict_from_log(experiment, upto=timezone.now()).mean_a == 1.0


def test_interleaving_credits_the_team_and_finds_the_better_one(films):
    experiment = running("interleaved", window_hours=0.5)
    rng = np.random.default_rng(3)
    people, rows = people_of(20), []
    for i in range(400):
        teams = "ABAB" if rng.random() < 0.5 else "BABA"
        said = {p: LIKE for p in range(4) if rng.random() < (0.3 if teams[p] == "B" else 0.12)}
        rows.append((people[i % 20], "AB", START + timedelta(minutes=i), said, teams))
    log_lists(experiment, rows, films)
    verdict = verdict_from_log(experiment, upto=timezone.now())
    assert verdict.answer == Answer.BETTER
    likes = Interaction.objects.filter(value="like").count()
    assert verdict.n_a + verdict.n_b == likes
    assert (verdict.n, verdict.n_people) == (400, 20)
    said = " ".join(details_said(experiment, verdict))
    assert f"B's films got {verdict.n_b} and A's {verdict.n_a}" in said
    waiting = verdict_from_log(experiment, upto=START + timedelta(minutes=100))
    assert (waiting.n, waiting.n_waiting) == (71, 30)


def test_what_cannot_be_told_yet_says_how_much_more_it_takes(films):
    experiment = running("split")
    log_split(experiment, films, rate_a=0.3, rate_b=0.32, n=120)
    verdict = verdict_from_log(experiment, upto=timezone.now())
    assert verdict.answer == Answer.UNKNOWN
    assert verdict.more > 100
    assert f"about {verdict.more:,} more people" in " ".join(details_said(experiment, verdict))


def test_guards_stop_what_harms(films):
    experiment = running("split")
    log_split(experiment, films, rate_a=0.5, rate_b=0.15)
    reading = experiment_read(experiment)
    experiment.refresh_from_db()
    assert reading.figures["answer"] == Answer.WORSE
    assert reading.figures["tripped"] == [Guard.HARM]
    assert experiment.status == "stopped"
    assert experiment.is_stopped_by_guard
    assert "like less" in experiment.stop_reason


def test_a_policy_that_is_liked_more_and_refused_more_is_stopped_too(films):
    experiment = running("split")
    log_split(experiment, films, rate_a=0.3, rate_b=0.35, no_b=0.5)
    assert Guard.NOES in experiment_read(experiment).figures["tripped"]
    experiment.refresh_from_db()
    assert "say no" in experiment.stop_reason


def test_a_broken_split_is_stopped_and_nothing_of_it_is_believed(films):
    experiment = running("split")
    log_split(experiment, films, rate_a=0.2, rate_b=0.5)
    lost = Assignment.objects.filter(experiment=experiment, arm="B").order_by("pk")[:75]
    users = [a.user_id for a in lost]
    Exposure.objects.filter(user_id__in=users).delete()
    Assignment.objects.filter(user_id__in=users).delete()
    reading = experiment_read(experiment)
    assert reading.figures["answer"] == Answer.BROKEN
    experiment.refresh_from_db()
    assert "sizes cannot come" in experiment.stop_reason
    verdict = Verdict.of_json(reading.figures)
    assert "nothing here can be trusted" in answer_said(experiment, verdict)


def test_the_beat_reads_what_runs_and_what_still_waits(films):
    experiment = running("split", window_hours=24)
    log_split(experiment, films, rate_a=0.3, rate_b=0.3, n=60)
    Experiment.objects.create(
        name="draft", kind="split", policy_a="als", policy_b="als", window_hours=1
    )
    now = START + timedelta(hours=50)
    assert experiments_read(now=now) == {"read": [experiment.pk]}
    experiment_stop(experiment, reason="done")
    assert experiments_read(now=now) == {"read": [experiment.pk]}  # people's time is not over
    assert experiments_read(now=timezone.now()) == {"read": [experiment.pk]}
    assert experiments_read(now=timezone.now()) == {"read": []}
    assert experiment.readings.count() == 3


def test_the_command_makes_the_pages_answer_again_from_the_log(films, capsys):
    experiment = running("split")
    log_split(experiment, films, rate_a=0.3, rate_b=0.45)
    with pytest.raises(CommandError, match="no reading yet"):
        call_command("experiment_verdict", str(experiment.pk), "--from-log")
    experiment_read(experiment)
    call_command("experiment_verdict", str(experiment.pk), "--from-log")
    assert "equals the log" in capsys.readouterr().out
    Interaction.objects.filter(value="like").order_by("pk")[0].delete()
    with pytest.raises(CommandError, match="something else of: .*estimate"):
        call_command("experiment_verdict", str(experiment.pk), "--from-log")
    call_command("experiment_verdict", str(experiment.pk))
    with pytest.raises(CommandError, match=rf"no experiment 9.* Known: {experiment.pk} \(split\)"):
        call_command("experiment_verdict", "987654")


# --- the API -----------------------------------------------------------------------------------


def test_staff_make_start_and_stop_experiments_by_api(trained, client):
    url = "/api/v1/experiments/"
    body = {"name": "Ease?", "kind": "split", "policy_a": "hybrid", "policy_b": "edlae"}
    client.force_login(trained.crowds[0][0])
    assert client.get(url).status_code == 403
    assert client.post(url, body, content_type="application/json").status_code == 403
    assert not Experiment.objects.exists()
    client.force_login(User.objects.create_superuser("staff@example.org", "a-long-password"))
    made = client.post(url, body, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["window_hours"] == 168
    again = client.post(url, body, content_type="application/json")
    assert again.status_code == 400
    assert "choose another" in again.content.decode()
    one = f"{url}{made.json()['id']}/"
    assert client.get(one).json()["verdict"] is None
    assert client.post(f"{one}start/").json()["status"] == "running"
    refused = client.post(f"{one}start/")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "refused")
    stopped = client.post(f"{one}stop/", {"reason": "enough"}, content_type="application/json")
    assert stopped.json()["status"] == "stopped"
    assert stopped.json()["verdict"]["figures"]["answer"] == "too_few"
    stop_again = client.post(f"{one}stop/", {}, content_type="application/json")
    assert stop_again.status_code == 409
    assert [e["name"] for e in client.get(url).json()["results"]] == ["Ease?"]
    assert client.get(f"{url}999999/").status_code == 404
