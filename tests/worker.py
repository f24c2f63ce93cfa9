"""A Celery worker as it runs in earnest: a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import redis
from django.db import connection

from config.celery import app

ROOT = Path(__file__).resolve().parent.parent
READY_TIMEOUT_S = 60
T = TypeVar("T")


def database_url_of_test() -> str:
    """``DATABASE_URL`` with the name of the test's database."""
    name = connection.settings_dict["NAME"]
    base, _, query = os.environ["DATABASE_URL"].partition("?")
    head, _, _ = base.rpartition("/")
    return f"{head}/{quote(name)}" + (f"?{query}" if query else "")


class CeleryBeat:
    """``celery -A config beat`` on the test's database, its periods shortened to ``every_s``."""

    def __init__(self, *, every_s: int, folder: Path) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "config", "beat", "--pidfile="),
                *("--schedule", str(folder / "beat-schedule"), "--loglevel", "INFO"),
            ],
            cwd=ROOT,
            env={**_environment(), "BEAT_EVERY_S": str(every_s)},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop(self) -> None:
        """End it."""
        _signal_group(self._process.pid, signal.SIGTERM)
        self._process.wait(timeout=20)
        self._log.close()


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url_of_test(),
        "CELERY_SOCKET_TIMEOUT_S": "30",
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
    }


class CeleryWorker:
    """``celery -A config worker`` on the test's database."""

    def __init__(self, **environment: str) -> None:
        self._environment = environment
        self.name = f"test-{uuid.uuid4().hex[:8]}@localhost"
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()

    @property
    def pid(self) -> int:
        """The main process; its pool has one child."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers pings."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "config", "worker"),
                *("--queues", "default,enrich,train", "--concurrency", "1"),
                *("--hostname", self.name, "--loglevel", "INFO"),
                *("--without-gossip", "--without-mingle"),
            ],
            cwd=ROOT,
            env=_environment() | self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        inspect = app.control.inspect(destination=[self.name], timeout=1.0)
        for _ in range(READY_TIMEOUT_S):
            if self._process.poll() is not None:
                break
            if inspect.ping():
                return
        msg = f"The Celery worker did not become ready:\n{self.output()}"
        self.stop()
        raise AssertionError(msg)

    def wait_for(self, condition: Callable[[], T | None], *, timeout_s: float = 90.0) -> T:
        """The first truthy answer of ``condition``, asked again until the time is up."""
        ends = time.monotonic() + timeout_s
        while time.monotonic() < ends:
            found = condition()
            if found:
                return found
            time.sleep(0.1)
        msg = f"It did not happen within {timeout_s:.0f} s. The worker said:\n{self.output()}"
        raise AssertionError(msg)

    def output(self) -> str:
        """What the worker printed so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def stop(self) -> None:
        """End the worker and its pool, by process group; then empty the queues it read."""
        process, self._process = self._process, None
        if process is not None:
            _signal_group(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                _signal_group(process.pid, signal.SIGKILL)
                process.wait(timeout=10)
        # What the test left behind is not for the next test's worker.
        with redis.from_url(os.environ["REDIS_URL"]) as client:
            client.flushdb()
        self._log.close()


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
