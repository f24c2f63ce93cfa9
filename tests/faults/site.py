"""A whole Marquee of its own (``manage.py up``) that may be broken, and people who use it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests

from config.embedded.pids import read_record
from config.supervisor import MAX_QUICK_DEATHS, STABLE_AFTER_S
from tests.processes import ROOT, python

START_TIMEOUT_S = 240
# Two crowds, two versions of a model: enough to serve, to promote and to roll back.
PREPARE = """
import sys; sys.path.insert(0, {root!r})
from config.embedded import ensure_services
ensure_services()
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from recommendations.services.training import train
from tests.worlds import make_world
make_world()
print(train().status, train(is_forced=True).status)
"""

# Somebody with an account rates: the next training has something to learn.
RATE = """
import django; django.setup()
from decimal import Decimal
from accounts.models import User
from catalog.models import Movie
from feedback import services
from feedback.events import EventContext
person = User.objects.accounts().exclude(email__contains="demo").order_by("?").first()
film = Movie.objects.order_by("?").first()
services.rating_set(user=person, movie=film, stars=Decimal("{stars}"), event=EventContext())
"""
ACTIVE = "SELECT path FROM recommendations_modelversion WHERE status = 'active' AND kind = 'hybrid'"


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(is_so: Callable[[], Any], *, timeout_s: float, what: str) -> float:
    """The seconds until it was so; fails with ``what`` when the time is up."""
    started_at = time.monotonic()
    while not is_so():
        took_s = time.monotonic() - started_at
        assert took_s < timeout_s, f"{what}: not within {timeout_s:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - started_at


class Site:
    """Started once for all tests of this folder; each leaves it working."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="marquee-faults-"))
        self.var = self.folder / "var"
        self.log = self.folder / "up.log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.quick_deaths: Counter[str] = Counter()
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "REDIS_"))},
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "MARQUEE_VAR": str(self.var),
            "PORT": str(self.port),
            "WORKER_CONCURRENCY": "1",
            "BEAT_EVERY_S": "2",
            "RETRAIN_AFTER": "1000000",
            "VISITORS_PER_HOUR": "1000000",
            "TEXT_ENCODER": "hashing-64",
            "OPENBLAS_NUM_THREADS": "1",
            # Room for the test of a promotion; the one of overload brings more people than this.
            "WEB_QUEUE": "40",
            "WEB_QUEUE_S": "30",
        }

    def start(self) -> None:
        """A small world, then everything until the address is printed."""
        self.run("-c", PREPARE.format(root=str(ROOT)))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait(lambda: "Marquee is ready at" in self.output(), START_TIMEOUT_S, "the start")

    def stop(self) -> None:
        """End everything and take the folder away."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)
        shutil.rmtree(self.folder)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A Python of the site's own environment."""
        done = python(*arguments, env=self.env)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def script(self, code: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Code of one's own on the site's servers."""
        start = "from config.embedded import ensure_services\nensure_services()\n"
        return self.run("-c", start + code, check=check)

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A manage.py command there."""
        return self.run("manage.py", *arguments, check=check)

    def servers(self) -> dict[str, str]:
        """The addresses of its embedded Postgres and Redis."""
        names = ("DATABASE_URL", "REDIS_URL")
        printed = self.script(f"import os; print(*(os.environ[n] for n in {names}))").stdout
        return dict(zip(names, printed.split(), strict=True))

    def wait(self, is_so: Callable[[], Any], timeout_s: float, what: str) -> float:
        """As ``wait_until``, with the log."""
        try:
            return wait_until(is_so, timeout_s=timeout_s, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output()[-6000:]}") from error

    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def status(self, path: str, timeout_s: float = 10) -> int:
        """The status of a page; 0 where nobody answers."""
        try:
            return requests.get(f"{self.url}{path}", timeout=timeout_s).status_code
        except requests.RequestException:
            return 0

    def is_well(self) -> bool:
        """Pages, database and queue, all of them."""
        try:
            answer = requests.get(f"{self.url}/readyz", timeout=3).json()
        except (requests.RequestException, ValueError):
            return False
        return answer == {"status": "ready", "postgres": "ok", "redis": "ok"}

    def heal(self, timeout_s: float = 60) -> float:
        """Seconds until it is well by itself."""
        return self.wait(self.is_well, timeout_s, "being well again")

    def pid(self, name: str) -> int:
        """Of a line of the Procfile; 0 while there is none."""
        record = read_record(self.var / "run" / f"{name}.json")
        return record.pid if record else 0

    def kill(self, name: str) -> int:
        """SIGKILL to a line of the Procfile; the pid it had.

        What dies quickly too often in a row counts as broken and is given up (config.supervisor):
        before that, it is let live until it counts as stable.
        """
        self.wait(lambda: self.pid(name), 40, f"a running {name}")
        pid = self.pid(name)
        lived_s = time.time() - psutil.Process(pid).create_time()
        if lived_s < STABLE_AFTER_S and self.quick_deaths[name] + 2 >= MAX_QUICK_DEATHS:
            time.sleep(STABLE_AFTER_S + 0.5 - lived_s)
            lived_s = STABLE_AFTER_S
        if lived_s >= STABLE_AFTER_S:
            self.quick_deaths[name] = 0
        self.quick_deaths[name] += 1
        os.kill(pid, signal.SIGKILL)
        return pid

    def restart_web(self) -> float:
        """Kills the web server; seconds until it is well again by itself."""
        self.kill("web")
        self.wait(lambda: not self.is_well(), 20, "the end of the web server")
        return self.heal()

    def children(self, name: str) -> list[int]:
        """The processes below it: the web server's workers, Celery's pool."""
        return [child.pid for child in psutil.Process(self.pid(name)).children(recursive=True)]

    def comes_back(self, name: str, before: int, timeout_s: float = 40) -> float:
        """Seconds until another process has taken its place."""
        what = f"another {name}"
        return self.wait(lambda: self.pid(name) not in {0, before}, timeout_s, what)

    @property
    def postgres_pid(self) -> int:
        """The postmaster."""
        text = (self.var / "postgres" / "postmaster.pid").read_text()
        return int(text.splitlines()[0])

    @property
    def redis_pid(self) -> int:
        """The server."""
        return int(json.loads((self.var / "redis" / "server.json").read_text())["pid"])

    @contextmanager
    def sql(self) -> Iterator[psycopg.Connection]:
        """A connection to its database."""
        lines = (self.var / "postgres" / "postmaster.pid").read_text().splitlines()
        with psycopg.connect(
            host=lines[4].strip(), user="postgres", dbname="marquee", autocommit=True
        ) as opened:
            yield opened

    def ask(self, query: str, *values: Any) -> Any:
        """The first column of the first row."""
        with self.sql() as opened:
            row = opened.execute(query.encode(), list(values)).fetchone()
        return row[0] if row else None


@dataclass
class Person:
    """A visitor who rates, sending an event again until it is answered."""

    site: Site
    film_ids: list[int]
    session: requests.Session = field(default_factory=requests.Session)
    sent: dict[str, tuple[int, str]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0

    def begin(self) -> None:
        """The first rating makes the visitor; before anything breaks."""
        self.session.get(f"{self.site.url}/", timeout=30)
        self.session.get(f"{self.site.url}/accounts/login/", timeout=30)
        assert self.rate_once(self.film_ids[0], "4", str(uuid.uuid4())) == 302, self.statuses

    def listed(self) -> dict[str, Any]:
        """What the API recommends."""
        answer = self.session.get(f"{self.site.url}/api/v1/me/recommendations/", timeout=30)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rate_once(self, film: int, stars: str, event: str) -> int:
        """One try; 0 where the connection broke."""
        started_at = time.monotonic()
        try:
            answer = self.session.post(
                f"{self.site.url}/films/{film}/rate/",
                data={"stars": stars, "event_id": event, "next": "/about/"},
                headers={"X-CSRFToken": self.session.cookies.get("csrftoken") or ""},
                allow_redirects=False,
                timeout=30,
            )
            status = answer.status_code
        except requests.RequestException:
            status = 0
        self.statuses[status] += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - started_at)
        if status == 302:
            self.sent[event] = (film, stars)
        return status

    def rate(self, number: int, until: float) -> None:
        """One event, again and again until it is taken."""
        event = str(uuid.uuid4())
        film = self.film_ids[number % len(self.film_ids)]
        stars = f"{1 + number % 9 / 2:g}"
        while self.rate_once(film, stars, event) != 302 and time.monotonic() < until:
            time.sleep(0.1)


class Crowd:
    """Several people who rate until told to stop; then their feedback is counted."""

    def __init__(self, site: Site, *, n: int = 4) -> None:
        with site.sql() as opened:
            films = [r[0] for r in opened.execute("SELECT id FROM catalog_movie ORDER BY id")]
        self.site = site
        self.people = [Person(site, films[i * 6 : i * 6 + 6]) for i in range(n)]
        for person in self.people:
            person.begin()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._go, args=(p,)) for p in self.people]

    def _go(self, person: Person) -> None:
        number = 1
        while not self._stop.is_set():
            person.rate(number, time.monotonic() + 90)
            number += 1

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=120)

    @property
    def n_taken(self) -> int:
        """Events that were answered."""
        return sum(len(person.sent) for person in self.people)

    def more(self, n: int, *, timeout_s: float = 60) -> None:
        """Returns once so many more were taken."""
        goal = self.n_taken + n
        self.site.wait(lambda: self.n_taken >= goal, timeout_s, f"{n} more ratings")

    @property
    def statuses(self) -> Counter[int]:
        """How everything was answered; 0 is a broken connection."""
        return sum((person.statuses for person in self.people), Counter())

    @property
    def slowest_s(self) -> float:
        """The longest wait of anybody."""
        return max(person.slowest_s for person in self.people)

    def losses(self) -> tuple[int, int]:
        """(lost, duplicated): answered events without a row; rows beyond one per event, and films
        whose stars are not those of the last answered event."""
        lost = duplicated = 0
        with self.site.sql() as opened:
            for person in self.people:
                events = list(person.sent)
                rows = opened.execute(
                    "SELECT user_id, event_id::text FROM feedback_interaction "
                    "WHERE event_id = ANY(%s::uuid[])",
                    [events],
                ).fetchall()
                lost += len(events) - len({event for _user, event in rows})
                users = {user for user, _event in rows}
                count = opened.execute(
                    "SELECT count(*) FROM feedback_interaction WHERE user_id = ANY(%s)",
                    [list(users)],
                ).fetchone()
                duplicated += (count[0] if count else 0) - len(events)
                kept = opened.execute(
                    "SELECT movie_id, stars::float FROM feedback_rating WHERE user_id = ANY(%s)",
                    [list(users)],
                ).fetchall()
                last = {film: float(stars) for film, stars in person.sent.values()}
                lost += sum(1 for film, stars in last.items() if dict(kept).get(film) != stars)
        return lost, duplicated
