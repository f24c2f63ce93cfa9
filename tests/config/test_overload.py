"""Too much work is refused at the door, quickly, and the door opens again at once."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.overload import Gate, OverloadMiddleware


class Hall:
    """A view that holds everybody until told, behind a gate."""

    def __init__(self, settings, *, working: int, waiting: int, wait_s: int = 30) -> None:
        settings.WEB_THREADS, settings.WEB_QUEUE, settings.WEB_QUEUE_S = working, waiting, wait_s
        self.leave = threading.Event()
        self.inside = threading.Semaphore(0)
        self.middleware = OverloadMiddleware(self._view)
        self.statuses: list[int] = []
        self.threads: list[threading.Thread] = []

    def _view(self, request):
        self.inside.release()
        assert self.leave.wait(timeout=30)
        return HttpResponse("here")

    def ask(self, path="/", **headers: str) -> HttpResponse:
        answer = self.middleware(RequestFactory().get(path, headers=headers))
        self.statuses.append(answer.status_code)
        return answer

    def come(self, n: int) -> None:
        """So many people at once, in threads of their own."""
        new = [threading.Thread(target=self.ask) for _ in range(n)]
        self.threads += new
        for thread in new:
            thread.start()

    def has_waiting(self, n: int) -> None:
        """Returns once so many stand in the line."""
        deadline = time.monotonic() + 10
        while self.middleware.gate.n_waiting != n:
            assert time.monotonic() < deadline
            threading.Event().wait(0.005)

    def end(self) -> None:
        self.leave.set()
        for thread in self.threads:
            thread.join(timeout=30)


@pytest.fixture
def hall(settings):
    made: list[Hall] = []

    def make(**sizes) -> Hall:
        made.append(Hall(settings, **sizes))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_those_beyond_the_line_are_turned_away_at_once(hall):
    full = hall(working=2, waiting=1)
    full.come(2)
    assert full.inside.acquire(timeout=10)
    assert full.inside.acquire(timeout=10)
    full.come(1)
    full.has_waiting(1)
    started_at = time.monotonic()
    answer = full.ask("/browse/")
    assert time.monotonic() - started_at < 10  # those in line would wait 30 s
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer["Cache-Control"] == "no-store"
    assert "Full house" in answer.content.decode()
    full.end()
    assert sorted(full.statuses) == [200, 200, 200, 503]


def test_the_door_is_open_again_as_soon_as_somebody_leaves(hall):
    full = hall(working=1, waiting=0)
    full.come(1)
    assert full.inside.acquire(timeout=10)
    assert full.ask().status_code == 503
    full.end()
    assert full.ask().status_code == 200


def test_who_waited_too_long_is_told_so(hall):
    full = hall(working=1, waiting=5, wait_s=0)
    full.come(1)
    assert full.inside.acquire(timeout=10)
    assert full.ask().status_code == 503
    assert full.middleware.gate.n_waiting == 0


def test_who_is_turned_away_is_told_so_in_their_language(hall):
    full = hall(working=1, waiting=0)
    full.come(1)
    assert full.inside.acquire(timeout=10)
    said = full.ask("/", accept_language="de-AT,de;q=0.9").content.decode()
    assert '<html lang="de">' in said
    assert "Full house" not in said
    assert "Full house" in full.ask("/").content.decode()


def test_the_api_answers_in_its_own_shape(hall):
    full = hall(working=1, waiting=0)
    full.come(1)
    assert full.inside.acquire(timeout=10)
    answer = full.ask("/api/v1/genres/")
    assert answer["Content-Type"] == "application/json"
    assert b'"code": "overloaded"' in answer.content


def test_a_view_that_breaks_gives_its_place_back():
    def broken() -> None:
        with gate.passed() as is_in:
            assert is_in
            raise ValueError

    gate = Gate(n_working=1, n_waiting=0, wait_s=0)
    for _ in range(3):
        with pytest.raises(ValueError, match=r"^$"):
            broken()


def test_never_more_than_allowed_are_inside():
    gate = Gate(n_working=3, n_waiting=100, wait_s=30)
    seen = SimpleNamespace(inside=0, most=0, passed=0)
    lock = threading.Lock()
    together = threading.Barrier(40)

    def visit() -> None:
        together.wait(timeout=30)
        for _ in range(20):
            with gate.passed() as is_in:
                with lock:
                    seen.inside += 1
                    seen.passed += is_in
                    seen.most = max(seen.most, seen.inside)
                with lock:
                    seen.inside -= 1

    threads = [threading.Thread(target=visit) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (seen.passed, seen.inside, gate.n_waiting) == (800, 0, 0)
    assert 1 <= seen.most <= 3


@pytest.mark.django_db
def test_health_is_asked_before_the_gate(client, settings):
    middleware = settings.MIDDLEWARE
    assert middleware.index("config.middleware.HealthMiddleware") < middleware.index(
        "config.overload.OverloadMiddleware"
    )
    # And the answer at the door has the headers of every other.
    for name in (
        "django.middleware.security.SecurityMiddleware",
        "config.middleware.ContentPolicyMiddleware",
    ):
        assert middleware.index(name) < middleware.index("config.overload.OverloadMiddleware")
    assert client.get("/livez").status_code == 200


def _held(gate: Gate, leave: threading.Event) -> tuple[threading.Thread, threading.Event]:
    """Somebody who stays at the gate's other side until ``leave``, and whether they are there."""
    inside = threading.Event()

    def visit() -> None:
        with gate.passed() as is_in:
            assert is_in
            inside.set()
            assert leave.wait(timeout=30)

    thread = threading.Thread(target=visit)
    thread.start()
    return thread, inside


def test_a_turn_is_not_shared():
    gate = Gate(n_working=4, n_waiting=4, wait_s=30, n_turns=1, turn_s=30)
    leave = [threading.Event() for _ in range(2)]
    first, is_first_in = _held(gate, leave[0])
    assert is_first_in.wait(timeout=10)
    second, is_second_in = _held(gate, leave[1])
    assert not is_second_in.wait(timeout=0.3)  # though four may be inside
    assert (gate.n_inside, gate.n_waiting) == (2, 1)
    leave[0].set()
    assert is_second_in.wait(timeout=10)
    leave[1].set()
    first.join(timeout=10)
    second.join(timeout=10)
    assert gate.n_inside == 0


def test_who_takes_longer_than_a_turn_holds_nobody_up():
    gate = Gate(n_working=3, n_waiting=4, wait_s=30, n_turns=1, turn_s=0.05)
    leave = threading.Event()
    visits = [_held(gate, leave) for _ in range(4)]
    for _, is_in in visits[:3]:
        assert is_in.wait(timeout=10)  # nobody has left
    assert not visits[3][1].wait(timeout=0.3)  # and yet no more than may work
    assert (gate.n_inside, gate.n_waiting) == (4, 1)
    leave.set()
    for thread, _ in visits:
        thread.join(timeout=10)
    assert gate.n_inside == 0


def test_who_waits_looks_ahead_and_who_need_not_wait_does_not(hall, monkeypatch):
    looked: list[object] = []
    monkeypatch.setattr("catalog.search_line.read_ahead", looked.append)
    full = hall(working=1, waiting=2)
    full.come(1)
    assert full.inside.acquire(timeout=10)
    assert looked == []
    full.come(1)
    full.has_waiting(1)
    deadline = time.monotonic() + 10
    while len(looked) != 1:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_looking_ahead_may_fail(hall, monkeypatch, caplog):
    monkeypatch.setattr("catalog.search_line.read_ahead", lambda request: 1 / 0)
    full = hall(working=1, waiting=2)
    full.come(2)
    full.has_waiting(1)
    full.end()
    assert full.statuses == [200, 200]
    assert "Looking ahead failed for /" in caplog.text


def test_who_came_first_goes_first():
    gate = Gate(n_working=1, n_waiting=10, wait_s=30)
    order: list[int] = []

    def visit(number: int) -> None:
        with gate.passed() as is_in:
            assert is_in
            order.append(number)

    threads = []
    with gate.passed():
        for number in range(6):
            threads.append(threading.Thread(target=visit, args=(number,)))
            threads[-1].start()
            deadline = time.monotonic() + 10
            while gate.n_waiting != number + 1:
                assert time.monotonic() < deadline
                threading.Event().wait(0.002)
    for thread in threads:
        thread.join(timeout=30)
    assert order == list(range(6))
