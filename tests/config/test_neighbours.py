"""Web processes know how busy the others are, and hand connections over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config import overload
from config.neighbours import PLACES, Neighbours, neighbours_at
from config.overload import OverloadMiddleware

ROOT = Path(__file__).resolve().parent.parent.parent
# Another process: takes a place, says how busy it is and what it sees, until its input ends.
OTHER = """
import sys
from pathlib import Path
from config.neighbours import Neighbours
own = Neighbours(Path(sys.argv[1]))
for line in sys.stdin:
    own.tell(int(line))
    print(own.least(), flush=True)
"""


class Other:
    """A process beside this one."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER, str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def has(self, n: int) -> str:
        """It has ``n`` requests inside; what it sees of the others."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{n}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        """At once, as a crash does."""
        self.process.kill()
        self.process.wait(timeout=20)


@pytest.fixture
def beside(tmp_path):
    others: list[Other] = []

    def start() -> Other:
        others.append(Other(tmp_path / "web-load"))
        return others[-1]

    yield start
    for other in others:
        other.end()
        other.process.stdin.close()
        other.process.stdout.close()


def test_each_process_sees_the_least_busy_of_the_others(beside, tmp_path):
    first = beside()
    assert first.has(3) == "None"  # alone
    second = beside()
    assert second.has(7) == "3"
    assert first.has(9) == "7"
    own = Neighbours(tmp_path / "web-load")
    own.tell(2)
    assert own.least() == 7
    assert first.has(300) == "2"  # a byte holds no more than 254, and says so to nobody
    assert own.least() == 7


def test_who_died_is_forgotten_when_the_next_one_starts(beside):
    first = beside()
    assert first.has(5) == "None"
    second = beside()
    assert second.has(0) == "5"
    third = beside()
    assert third.has(6) == "0"
    second.end()
    first.end()
    assert beside().has(1) == "6"  # it took the first one's place, and cleared the second's
    assert third.has(4) == "1"


def test_beyond_the_places_nobody_is_compared(tmp_path, monkeypatch):
    monkeypatch.setattr("config.neighbours.PLACES", 1)
    other = Other(tmp_path / "web-load")
    assert other.has(4) == "None"
    late = Neighbours(tmp_path / "web-load")
    late.tell(9)  # has no place to say so
    assert late.least() is None
    other.end()
    other.process.stdin.close()
    other.process.stdout.close()
    assert PLACES > 1


def test_where_no_file_can_be_had_the_site_serves_all_the_same(tmp_path, caplog):
    (tmp_path / "taken").write_text("no folder")
    neighbours_at.cache_clear()
    assert neighbours_at(tmp_path / "taken" / "web-load") is None
    assert "do not know of each other" in caplog.text
    neighbours_at.cache_clear()


@pytest.mark.parametrize(
    ("server", "others", "expected"),
    [
        ("Granian", 0, "close"),
        ("Granian", 1, None),
        ("Granian", None, None),
        ("WSGIServer", 0, None),
    ],
)
def test_the_busier_process_closes_a_connection(monkeypatch, server, others, expected):
    """Two requests inside: one that asks, and one from within its view."""

    class Known:
        def tell(self, n: int) -> None:
            pass

        def least(self) -> int | None:
            return others

    monkeypatch.setattr(overload, "neighbours_at", lambda path: Known())
    answers: list[HttpResponse] = []

    def view(request):
        if not answers:
            answers.append(HttpResponse())
            answers.append(middleware(request))
        return HttpResponse()

    middleware = OverloadMiddleware(view)
    alone = middleware(RequestFactory().get("/", SERVER_SOFTWARE=server))
    assert answers[1].get("Connection") == expected
    assert alone.get("Connection") is None  # one request is not two more than none
