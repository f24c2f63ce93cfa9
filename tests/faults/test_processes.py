"""kill -9, one process after the other, while people rate."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
import requests

from tests.faults.site import Crowd
from tests.faults.table import Row


def said(statuses) -> str:
    """302 is a rating taken; 0 a connection that broke and was tried again."""
    names = {302: "taken", 0: "broken off", 503: "503"}
    return ", ".join(f"{n} {names.get(code, code)}" for code, n in sorted(statuses.items()))


def only(statuses, *allowed: int) -> None:
    """5xx only where the table says so."""
    assert set(statuses) <= {302, *allowed}, statuses


def test_a_web_worker_dies_in_the_middle_of_requests(site, matrix):
    with Crowd(site) as crowd:
        crowd.more(20)
        os.kill(site.children("web")[0], signal.SIGKILL)
        healed_s = site.heal()
        crowd.more(20)
    lost, duplicated = crowd.losses()
    only(crowd.statuses, 0)
    assert (lost, duplicated) == (0, 0)
    assert healed_s < 30
    matrix.add(
        Row(
            "kill -9 of a web worker while it answers",
            "jobs; the server starts another worker",
            "the request breaks off; sent again it counts once",
            healed_s,
            lost,
            duplicated,
            said(crowd.statuses),
        )
    )


def test_postgres_dies_in_the_middle_of_transactions(site, matrix):
    before = site.postgres_pid
    with Crowd(site) as crowd:
        crowd.more(20)
        os.kill(before, signal.SIGKILL)
        healed_s = site.wait(lambda: site.status("/livez") == 200, 5, "life")
        healed_s += site.heal()
        crowd.more(20)
    lost, duplicated = crowd.losses()
    only(crowd.statuses, 0, 503)
    assert (lost, duplicated) == (0, 0)
    assert site.postgres_pid != before
    assert healed_s < 40
    matrix.add(
        Row(
            "kill -9 of Postgres in the middle of transactions",
            "/livez; everything else waits for its restart",
            "a plain 503 that says to reload in a minute",
            healed_s,
            lost,
            duplicated,
            said(crowd.statuses),
        )
    )


@pytest.mark.parametrize("how", ["refused", "hung"])
def test_redis_is_gone(site, matrix, how):
    before = site.redis_pid
    with Crowd(site) as crowd:
        crowd.more(10)
        os.kill(before, {"refused": signal.SIGKILL, "hung": signal.SIGSTOP}[how])
        for path in ("/", "/browse/", "/for-you/", "/search/?q=film", "/accounts/login/"):
            started_at = time.monotonic()
            assert site.status(path) == 200, path
            assert time.monotonic() - started_at < 5
        crowd.more(10)
        if how == "hung":
            os.kill(before, signal.SIGCONT)
        site.heal()
    lost, duplicated = crowd.losses()
    only(crowd.statuses)
    assert (lost, duplicated) == (0, 0)
    matrix.add(
        Row(
            f"Redis {how}" + (" (SIGSTOP)" if how == "hung" else " (kill -9)"),
            "all pages, rating, logging in, recommending; jobs wait",
            "nothing",
            None,
            lost,
            duplicated,
            said(crowd.statuses),
        )
    )


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_worker_and_beat_die(site, matrix, name):
    with Crowd(site, n=2) as crowd:
        crowd.more(5)
        before = site.kill(name)
        healed_s = site.comes_back(name, before)
        crowd.more(5)
    # The minute's job (every two seconds here) goes on.
    ran = (
        "SELECT finished_at FROM recommendations_scheduledrun "
        "WHERE name = 'refresh-recommendations'"
    )
    finished = site.ask(ran)
    healed_s += site.wait(lambda: site.ask(ran) not in {None, finished}, 60, "the next job")
    lost, duplicated = crowd.losses()
    only(crowd.statuses)
    assert (lost, duplicated) == (0, 0)
    matrix.add(
        Row(
            f"kill -9 of {'the Celery worker' if name == 'worker' else 'beat'}",
            "all pages; lists count the newest ratings when they are asked for",
            "nothing",
            healed_s,
            lost,
            duplicated,
            said(crowd.statuses),
        )
    )


@pytest.mark.faults
def test_everything_dies_at_once(site, matrix):
    with Crowd(site) as crowd:
        crowd.more(10)
        for name in ("web", "worker", "beat"):
            site.kill(name)
        for pid in (site.postgres_pid, site.redis_pid):
            os.kill(pid, signal.SIGKILL)
        healed_s = site.heal(90)
        crowd.more(10)
    lost, duplicated = crowd.losses()
    only(crowd.statuses, 0, 503)
    assert (lost, duplicated) == (0, 0)
    matrix.add(
        Row(
            "kill -9 of web, worker, beat, Postgres and Redis together",
            "nothing, for some seconds",
            "no answer, then a 503, then the page",
            healed_s,
            lost,
            duplicated,
            said(crowd.statuses),
        )
    )


def test_more_people_than_can_be_answered(site, matrix):
    """Overload is shed with a 503 that says when to come back, and is over when they are gone."""
    statuses: dict[int, int] = {}
    lock = threading.Lock()
    stop = threading.Event()
    waits: list[str] = []

    def hammer() -> None:
        session = requests.Session()
        while not stop.is_set():
            try:
                # Longer than the line's own limit (WEB_QUEUE_S of this site) and the work after it.
                answer = session.get(f"{site.url}/for-you/", timeout=90)
            except requests.RequestException:
                with lock:
                    statuses[0] = statuses.get(0, 0) + 1
                continue
            with lock:
                statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
                if answer.status_code == 503:
                    waits.append(answer.headers.get("Retry-After", ""))

    threads = [threading.Thread(target=hammer) for _ in range(120)]
    for thread in threads:
        thread.start()
    try:
        site.wait(lambda: statuses.get(503, 0) > 20, 60, "shedding")
        assert site.status("/livez") == 200
        assert site.status("/readyz") == 200
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=120)
    healed_s = site.wait(lambda: site.status("/for-you/") == 200, 10, "room again")
    assert set(statuses) == {200, 503}
    assert set(waits) == {"2"}
    assert healed_s < 5
    matrix.add(
        Row(
            "120 people ask at once, without a pause",
            "as many answers as the machine can give, health checks",
            '503 "Full house" with Retry-After for the others',
            healed_s,
            statuses=f"{statuses[200]} pages, {statuses[503]} 503",
        )
    )
