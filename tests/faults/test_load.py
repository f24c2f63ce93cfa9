"""The load measurement itself, a short one: what it counts is what happened."""

from __future__ import annotations

import json

import pytest

from benchmarks.load_run import Crowd, Watch, World, figures, growth, percentile, run_crowd
from benchmarks.marked_page import write_marked

SESSIONS = """
import json
import django; django.setup()
from django.test import Client
from accounts.models import User
found = []
for person in User.objects.accounts().exclude(email__contains="demo").order_by("pk")[:6]:
    client = Client()
    client.force_login(person)
    found.append(client.cookies["sessionid"].value)
print(json.dumps(found))
"""


@pytest.fixture
def world(site) -> World:
    """The site's films and six people who are logged in."""
    with site.sql() as opened:
        films = [r[0] for r in opened.execute("SELECT id FROM catalog_movie ORDER BY id")]
    sessions = json.loads(site.script(SESSIONS).stdout.splitlines()[-1])
    return World(films=films, searches=["crime", "musical"], sessions=sessions)


def test_some_seconds_of_people_without_an_error(site, world):
    ratings = "SELECT count(*) FROM feedback_interaction WHERE kind = 'rate'"
    before = site.ask(ratings)
    with Watch({"web": site.pid("web"), "worker": site.pid("worker")}, lambda: site.ask(OPEN)) as w:
        found = run_crowd(site.url, world, Crowd(people=6, seconds=12, pause_s=0.3))
    assert (found["errors"], found["turned_away"]) == (0, 0), found
    assert {"browse", "rate or swipe"} <= set(found["kinds"]) <= KINDS
    assert found["kinds"]["browse"]["n"] > found["kinds"]["rate or swipe"]["n"] > 0
    assert site.ask(ratings) > before
    quarters = w.over_time()
    assert min(quarters["web MiB"]) > 20
    assert 1 <= min(quarters["connections"]) <= max(quarters["connections"]) < 120


OPEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'marquee'"
KINDS = {"browse", "rate or swipe", "recommend", "search"}


def test_what_goes_wrong_is_counted_as_an_error(site, world):
    nowhere = World(films=[999_999_999], searches=world.searches, sessions=world.sessions)
    found = run_crowd(site.url, nowhere, Crowd(people=4, seconds=5, pause_s=0.2))
    assert found["errors"] >= found["kinds"]["rate or swipe"]["errors"] > 0
    assert found["answered"] + found["errors"] == sum(k["n"] for k in found["kinds"].values())


def test_percentiles_of_counted_times():
    times = {10.0: 90, 200.0: 9, 3000.0: 1}
    assert [percentile(times, p) for p in (0.5, 0.9, 0.95, 0.99, 1.0)] == [10, 10, 200, 200, 3000]
    with pytest.raises(ValueError, match="no answer"):
        percentile({}, 0.5)


def test_get_and_post_of_a_kind_are_one_line_and_those_turned_away_are_no_answers():
    def row(name, n, failures, times):
        longest = max(times)
        return {
            "name": name,
            "num_requests": n,
            "num_failures": failures,
            "response_times": {str(ms): count for ms, count in times.items()},
            "max_response_time": longest,
        }

    found = figures(
        [
            row("browse", 10, 0, {20: 10}),
            row("browse", 10, 1, {400: 10}),
            row("turned away", 5, 0, {1: 5}),
        ],
        seconds=10,
    )
    browse = found["kinds"]["browse"]
    assert (browse["n"], browse["per_s"], browse["p50_ms"], browse["p95_ms"]) == (20, 2.0, 20, 400)
    assert (found["answered"], found["turned_away"], found["errors"]) == (19, 5, 1)


def test_growth_is_counted_from_the_second_quarter():
    assert growth([10, 100, 104, 110]) == pytest.approx(0.1)
    assert growth([10, 100, 90, 80]) == pytest.approx(-0.2)


def test_a_table_goes_between_its_marks_or_nowhere(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- load -->\nold\n<!-- /load -->\nafter\n")
    write_marked("load", "new\n", page=page)
    assert page.read_text() == "before\n<!-- load -->\nnew\n<!-- /load -->\nafter\n"
    with pytest.raises(ValueError, match="one pair"):
        write_marked("faults", "x", page=page)
