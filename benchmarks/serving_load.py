"""A web server of one's own and clients that ask it, on the same machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks.clients import Answer, Client

ROOT = Path(__file__).resolve().parent.parent
READY_TIMEOUT_S = 120
SPARE_THREADS = 4  # of the Procfile: they say no where the line is full


@dataclass(frozen=True, slots=True)
class Latency:
    """Of ``n`` answers to ``clients`` at once, in milliseconds."""

    n: int
    clients: int
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    # Processor time of the web workers: what a busy machine does not stretch as it does the rest.
    cpu_ms: float
    # The same of all processes of the embedded Postgres.
    database_cpu_ms: float
    errors: int

    def as_dict(self) -> dict[str, float]:
        """JSON-able, rounded."""
        values = asdict(self).items()
        return {name: round(value, 2) for name, value in values if np.isfinite(value)}


@dataclass(frozen=True)
class Web:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """Processor seconds of all workers so far."""
        times = [worker.cpu_times() for worker in self.workers()]
        return sum(one.user + one.system for one in times)

    def database_cpu_s(self) -> float:
        """Processor seconds of the embedded Postgres so far."""
        from django.conf import settings

        pid = Path(settings.VAR_DIR, "postgres", "postmaster.pid").read_text().splitlines()[0]
        server = psutil.Process(int(pid))
        times = [one.cpu_times() for one in (server, *server.children())]
        return sum(one.user + one.system for one in times)

    def workers(self) -> list[psutil.Process]:
        """The processes that answer: those that have the model in memory."""
        everyone = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in everyone if child.memory_info().rss > 50 << 20]


@contextmanager
def web(*, workers: int = 2, threads: int = 4) -> Iterator[Web]:
    """granian as the Procfile starts it, on a free port, ready to answer."""
    from django.conf import settings

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", str(workers)),
        *("--blocking-threads", str(threads + settings.WEB_QUEUE + SPARE_THREADS)),
        *("--workers-kill-timeout", "3", "--no-ws", "--log-level", "error"),
        "config.wsgi:application",
    ]
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "LOG_LEVEL": "WARNING"}
    env |= {"WEB_THREADS": str(threads), "DATABASE_POOL": str(threads + 4)}
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    try:
        _wait_until_ready(port, process)
        yield Web(port, process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


def _wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < ends and process.poll() is None:
        try:
            if Client(port).get("/readyz").status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The web server did not become ready.")


def hammer(
    web: Web,
    ask: Callable[[Client, int], Answer],
    *,
    sessions: Sequence[str],
    n: int,
    clients: int,
    is_right: Callable[[Answer], bool] = lambda answer: answer.status == 200,
) -> Latency:
    """``n`` requests by ``clients`` threads, each going on to the next person after an answer.

    ``ask(client, i)`` makes the i-th request; an answer that is not right counts as an error.
    """
    answers: list[Answer] = []
    numbers = iter(range(n))
    lock = threading.Lock()

    def work() -> None:
        client = Client(web.port)
        while True:
            with lock:
                i = next(numbers, None)
            if i is None:
                return
            client.session = sessions[i % len(sessions)]
            answers.append(ask(client, i))

    threads = [threading.Thread(target=work) for _ in range(clients)]
    started, cpu, database = time.perf_counter(), web.cpu_s(), web.database_cpu_s()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, cpu = time.perf_counter() - started, web.cpu_s() - cpu
    database = web.database_cpu_s() - database
    took = [answer.took_s for answer in answers]
    wrong = [answer for answer in answers if not is_right(answer)]
    if wrong:
        print(f"  wrong: {wrong[0].status} {str(wrong[0].body)[:300]}", file=sys.stderr)
    errors = len(wrong) + n - len(took)
    return latency(
        took, clients=clients, seconds=seconds, cpu_s=cpu, database_cpu_s=database, errors=errors
    )


def latency(
    took_s: Sequence[float],
    *,
    clients: int,
    seconds: float,
    errors: int,
    cpu_s: float = float("nan"),
    database_cpu_s: float = float("nan"),
) -> Latency:
    """The figures of some answers."""
    ms = 1000 * np.asarray(took_s)
    p50, p95, p99 = np.percentile(ms, [50, 95, 99])
    return Latency(
        n=len(ms),
        clients=clients,
        per_s=len(ms) / seconds,
        p50_ms=float(p50),
        p95_ms=float(p95),
        p99_ms=float(p99),
        max_ms=float(ms.max()),
        cpu_ms=1000 * cpu_s / len(ms),
        database_cpu_ms=1000 * database_cpu_s / len(ms),
        errors=errors,
    )
