"""``manage.py up`` in earnest: from an empty folder to a page, and everything gone at the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from accounts.models import User
from catalog.models import Movie
from catalog.services.embeddings import changed_films_embed
from config import bootstrap, demo
from config.embedded.pids import read_record
from config.management.commands.up import processes, refuse_busy_port

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT_S = 240
NAMES = ["beat", "web", "worker"]

# A catalogue of one film and a model row: what is tested here is the life of the processes.
PREPARE = """
import django; django.setup()
from django.core.management import call_command
from catalog.models import Movie
from recommendations.models import ModelVersion
call_command("migrate", verbosity=0)
Movie.objects.create(title="One film")
ModelVersion.objects.create(
    version="none", path="none", manifest_sha256="", data_fingerprint="", status="active"
)
"""


class Up:
    """A ``manage.py up`` of one's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.var = folder / "var"
        self.log = folder / "up.log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        """The environment of a person who has set nothing else."""
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "MARQUEE_VAR": str(self.var),
            "PORT": str(self.port),
            "WORKER_CONCURRENCY": "1",
        }
        for name in ("DATABASE_URL", "REDIS_URL", "MOVIELENS_DIR"):
            env.pop(name, None)
        return env

    def prepare(self) -> None:
        """Tables and the least that the bootstrap looks for."""
        code = f"from config.embedded import ensure_services\nensure_services()\n{PREPARE}"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=self.env, check=True)

    def send(self, task: str, *arguments: str) -> None:
        """A message for the worker."""
        code = (
            "from config.embedded import ensure_services; ensure_services();"
            f"from config.celery import app; app.send_task({task!r}, {arguments!r})"
        )
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=self.env, check=True)

    def start(self) -> None:
        """Start, and wait until the box with the address is printed."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait_for(lambda: "Marquee is ready at" in self.output())

    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, is_so: Callable[[], bool], timeout_s: float = START_TIMEOUT_S) -> None:
        """Poll until it is so; fail with the log."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.1)

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page."""
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
                return answer.status, answer.read().decode()
        except (urllib.error.URLError, OSError) as error:
            return 0, str(error)

    def pid(self, name: str) -> int:
        """The recorded pid of a process of the Procfile; 0 where there is none."""
        record = read_record(self.var / "run" / f"{name}.json")
        return record.pid if record else 0

    def all_pids(self) -> list[int]:
        """Everything that runs because of this ``up``."""
        assert self.process is not None
        family = psutil.Process(self.process.pid).children(recursive=True)
        servers = [
            int((self.var / "postgres" / "postmaster.pid").read_text().splitlines()[0]),
            json.loads((self.var / "redis" / "server.json").read_text())["pid"],
        ]
        return [self.process.pid, *(child.pid for child in family), *servers]

    def stop(self, number: signal.Signals = signal.SIGINT, timeout_s: float = 20) -> int:
        """End it as a person would; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=timeout_s)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_gone(pid: int) -> bool:
    """Ended, or a zombie that its parent (a container's init) never asks about."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """A prepared folder with a space in its path, shared by this module; nothing runs in it yet."""
    folder = Path(tempfile.mkdtemp(prefix="marquee up "))
    started = Up(folder)
    started.prepare()
    yield started
    if started.process is not None and started.process.poll() is None:
        started.stop()
    shutil.rmtree(folder)


@pytest.mark.slow
def test_it_starts_serves_survives_kills_and_leaves_nothing_behind(up):
    up.start()
    assert up.get("/readyz")[0] == 200
    assert up.get("/about/")[0] == 200
    password = (up.var / "demo_login").read_text().strip()
    assert password in up.output()
    # Nobody who starts it for the first time should wonder whether something is wrong.
    assert "[WARNING]" not in up.output()
    assert (up.var / "demo_login").stat().st_mode & 0o777 == 0o600

    # A second one says where the first is.
    second = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env={**up.env, "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode == 1
    assert f"already running at http://localhost:{up.port}" in second.stderr
    assert "Traceback" not in second.stderr

    # Any process of it may be killed.
    for name in NAMES:
        before = up.pid(name)
        os.kill(before, signal.SIGKILL)
        up.wait_for(lambda name=name, before=before: up.pid(name) not in {0, before}, 30)
    up.wait_for(lambda: up.get("/readyz")[0] == 200, 30)
    up.wait_for(lambda: len(re.findall(r"worker .*\bready\.", up.output())) == 2, 60)
    assert "Traceback" not in up.output()
    postmaster = int((up.var / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    os.kill(json.loads((up.var / "redis" / "server.json").read_text())["pid"], signal.SIGKILL)
    healthy = '{"status": "ready", "postgres": "ok", "redis": "ok"}'
    up.wait_for(lambda: up.get("/readyz")[1] == healthy, 40)

    pids = up.all_pids()
    assert up.stop() == 0
    up.wait_for(lambda: all(is_gone(pid) for pid in pids), 5)
    assert "Marquee has stopped." in up.output()
    # Celery itself may log one when the broker goes under its feet.
    ours = [line for line in up.output().splitlines() if " worker |" not in line]
    assert "Traceback" not in "\n".join(ours), "\n".join(ours)


@pytest.mark.slow
def test_killed_itself_it_takes_its_processes_along_and_starts_again(up):
    up.start()
    children = [up.pid(name) for name in NAMES]
    up.stop(signal.SIGKILL)
    up.wait_for(lambda: all(is_gone(pid) for pid in children), 15)
    up.start()
    assert up.get("/about/")[0] == 200
    # Stopped over its work (here one that waits for a table) it ends without a fright for anybody.
    socket = (up.var / "postgres" / "postmaster.pid").read_text().splitlines()[4].strip()
    with closing(psycopg.connect(host=socket, user="postgres", dbname="marquee")) as held:
        held.execute("LOCK TABLE recommendations_trainingrun")
        up.send("recommendations.tasks.train_hybrid_task", "command")
        up.wait_for(lambda: re.search(r"train_hybrid_task\[\S+\] received", up.output()), 60)
        assert up.stop(signal.SIGTERM) == 0
    assert "Traceback" not in up.output()
    assert "WorkerLostError" not in up.output()


def test_a_busy_port_is_one_sentence():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"Port {port} on 127.0.0.1 cannot be used .*PORT="):
            refuse_busy_port("127.0.0.1", port)
    refuse_busy_port("127.0.0.1", free_port())


def test_a_host_that_is_none_is_one_sentence():
    with pytest.raises(CommandError, match="no address of this machine"):
        refuse_busy_port("no.such.host.invalid", 8000)


def test_the_procfile_names_web_worker_and_beat():
    lines = processes()
    assert sorted(lines) == NAMES
    assert "granian --interface wsgi" in lines["web"]
    assert "OPENBLAS_NUM_THREADS=1" in lines["web"]
    assert "default,enrich,train" in lines["worker"]
    # Threads of a training that wait for each other leave the cores to those who answer.
    assert "GOMP_SPINCOUNT=" in lines["worker"]


@pytest.mark.django_db
def test_the_demo_login_is_kept_and_replaced_where_it_no_longer_works(tmp_path, settings):
    with pytest.raises(ImproperlyConfigured):
        demo.ensure_demo_login(tmp_path)
    assert not User.objects.exists()
    settings.DEMO_LOGIN = True
    first = demo.ensure_demo_login(tmp_path)
    assert demo.ensure_demo_login(tmp_path) == first
    user = User.objects.get()
    assert (user.email, user.is_demo, user.is_staff) == (demo.EMAIL, True, False)
    assert user.check_password(first.password)
    (tmp_path / "demo_login").unlink()
    second = demo.ensure_demo_login(tmp_path)
    assert second.password != first.password
    assert User.objects.get().check_password(second.password)


@pytest.mark.django_db
def test_the_catalogue_comes_from_the_named_folder_else_the_bundle(monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr(bootstrap, "_manage", lambda *arguments, what: ran.append(arguments))
    monkeypatch.setenv("MARQUEE_OFFLINE", "1")
    monkeypatch.setenv("MOVIELENS_DIR", str(tmp_path))
    bootstrap.load_catalogue(print)
    monkeypatch.setenv("MOVIELENS_DIR", str(tmp_path / "missing"))
    with pytest.raises(bootstrap.StepFailed, match="MOVIELENS_DIR names .*missing"):
        bootstrap.load_catalogue(print)
    monkeypatch.delenv("MOVIELENS_DIR")
    bootstrap.load_catalogue(print)
    assert ran == [("import_movielens", str(tmp_path)), ("load_starter",), ("load_starter",)]


@pytest.mark.django_db
def test_a_download_shows_the_licence_and_falls_back_to_the_bundle(monkeypatch):
    ran, said = [], []

    def manage(*arguments, what):
        ran.append(arguments)
        if arguments[0] == "import_movielens":
            raise bootstrap.StepFailed("The download did not succeed.")

    monkeypatch.setattr(bootstrap, "_manage", manage)
    monkeypatch.setattr(bootstrap, "_is_reachable", lambda url: True)
    monkeypatch.delenv("MOVIELENS_DIR", raising=False)
    bootstrap.load_catalogue(said.append)
    assert ran == [("import_movielens", bootstrap.MOVIELENS_URL), ("load_starter",)]
    assert any("not for commercial purposes" in line for line in said)
    assert any("The download did not succeed." in line for line in said)


@pytest.mark.django_db
def test_a_first_start_asks_the_worker_to_embed_and_does_not_wait(monkeypatch, settings):
    asked = []
    monkeypatch.setattr("catalog.tasks.embed_changed_films_task.delay", lambda: asked.append(1))
    settings.TEXT_ENCODER = "hashing-64"
    Movie.objects.create(title="Heat", title_normalized="heat")
    assert "in the background: 1" in bootstrap.prepare_search(print)
    assert asked == [1]
    changed_films_embed()  # as the worker does
    assert bootstrap.prepare_search(print) is None
    assert asked == [1]
