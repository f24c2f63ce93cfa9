"""The staff pages: who may see them, what they say, and what they cost."""

from __future__ import annotations

import pytest

from accounts.models import User
from recommendations.experiments.chart import interval_chart
from recommendations.experiments.models import Experiment
from recommendations.services.experiments import experiment_read
from tests.experiment_logs import log_split, running
from tests.worlds import make_film

URL = "/staff/experiments/"


@pytest.fixture
def films(db):
    return [make_film(f"Film {i}") for i in range(4)]


@pytest.fixture
def staff(db, client):
    user = User.objects.create_superuser("staff@example.org", "a-long-password")
    client.force_login(user)
    return user


def test_only_staff_may_look_and_act(films, client):
    experiment = running("split")
    client.force_login(User.objects.create_user("ada@example.org", "a-long-password"))
    for method, path in (
        (client.get, URL),
        (client.post, URL),
        (client.get, f"{URL}{experiment.pk}/"),
        (client.post, f"{URL}{experiment.pk}/act/"),
    ):
        assert method(path, {"do": "stop"}).status_code == 302
    experiment.refresh_from_db()
    assert experiment.status == "running"


def test_the_page_says_the_answer_and_the_numbers_behind_it(
    films,
    staff,
    client,
    django_assert_num_queries,
):
    experiment = running("split")
    log_split(experiment, films, rate_a=0.2, rate_b=0.5)
    figures = experiment_read(experiment).figures
    with django_assert_num_queries(4):  # session, user, experiment, reading
        page = client.get(f"{URL}{experiment.pk}/").content.decode()
    assert "B is better." in page
    assert f"{100 * figures['estimate']:+.2f}" in page
    assert f"experiment_verdict {experiment.pk} --from-log" in page
    for i in range(3):
        Experiment.objects.create(
            name=f"More {i}", kind="split", policy_a="als", policy_b="als", window_hours=1
        )
    with django_assert_num_queries(5):  # session, user, active model, readings, experiments
        assert "B is better." in client.get(URL).content.decode()


def test_what_cannot_be_done_is_said_and_changes_nothing(films, staff, client):
    draft = Experiment.objects.create(
        name="Draft", kind="split", policy_a="als", policy_b="als", window_hours=1
    )
    for act, said in (
        ("stop", "not running"),
        ("read", "can&#x27;t be done"),
        ("start", "trained"),
    ):
        answer = client.post(f"{URL}{draft.pk}/act/", {"do": act}, follow=True)
        assert said in answer.content.decode()
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert not draft.readings.exists()
    assert client.post(URL, {"name": ""}).status_code == 422
    assert client.get(f"{URL}999999/").status_code == 404
    assert client.get(f"{URL}{draft.pk}/act/").status_code == 405


def test_the_admin_starts_and_stops_them(films, staff, client):
    experiment = running("split")
    url = "/admin/recommendations/experiment/"
    answer = client.post(url, {"action": "stop", "_selected_action": [experiment.pk]}, follow=True)
    assert "is stopped" in answer.content.decode()
    experiment.refresh_from_db()
    assert experiment.status == "stopped"
    answer = client.post(url, {"action": "start", "_selected_action": [experiment.pk]}, follow=True)
    assert "Nothing was trained yet" in answer.content.decode()


def test_a_chart_holds_zero_and_cuts_the_wild_beginning():
    assert interval_chart([]) is None
    points = [(60 + i, 0.1, 0.1 - 5 / (i + 1), 0.1 + 5 / (i + 1)) for i in range(100)]
    chart = interval_chart(points, scale=100.0)
    assert chart.top <= chart.zero <= chart.bottom
    ys = [float(pair.split(",")[1]) for pair in chart.band.split()]
    assert chart.top <= min(ys) <= max(ys) <= chart.bottom
    assert [row.n for row in chart.rows][:: len(chart.rows) - 1] == [60, 159]
    assert [tick.text for tick in chart.across] == ["60", "159"]
    one = interval_chart([(30, 0.5, 0.2, 0.8)])
    assert one.zero == chart.bottom
