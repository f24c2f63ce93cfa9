"""A crowd (locust, a process of its own) on a running site, and what the site needs meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("browse", "rate or swipe", "recommend", "search")
TURNED_AWAY = "turned away"  # as benchmarks.load_people calls it; importing that starts locust
SAMPLE_EVERY_S = 2.0
# What is warmed up in the first quarter (caches, connections, threads) is no leak.
QUARTERS = 4


@dataclass(frozen=True)
class Crowd:
    """So many people for so long; ``pause_s`` between two requests of one of them."""

    people: int
    seconds: int
    pause_s: float
    is_overload: bool = False


@dataclass(frozen=True)
class World:
    """What the people know: film ids, popular ones first; words; cookies of accounts."""

    films: Sequence[int]
    searches: Sequence[str]
    sessions: Sequence[str]


def run_crowd(url: str, world: World, crowd: Crowd) -> dict[str, Any]:
    """Lets them come; the figures per kind. Raises RuntimeError where locust itself failed."""
    with tempfile.TemporaryDirectory(prefix="marquee-load-") as folder:
        given = Path(folder, "world.json")
        given.write_text(
            json.dumps(
                {
                    "films": list(world.films),
                    "searches": list(world.searches),
                    "sessions": list(world.sessions),
                    "pause_s": crowd.pause_s,
                    "is_overload": crowd.is_overload,
                }
            )
        )
        command = [
            *(sys.executable, "-m", "locust", "--locustfile", "benchmarks/load_people.py"),
            *("--headless", "--only-summary", "--host", url, "--loglevel", "WARNING"),
            *("--users", str(crowd.people), "--spawn-rate", str(max(1, crowd.people // 4))),
            *("--run-time", f"{crowd.seconds}s", "--stop-timeout", "60"),
            *("--exit-code-on-error", "0", "--json-file", str(Path(folder, "found"))),
        ]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "MARQUEE_LOAD": str(given)},
            capture_output=True,
            text=True,
            check=False,
        )
        found = Path(folder, "found.json")
        if done.returncode != 0 or not found.exists():
            raise RuntimeError(f"locust ended with {done.returncode}:\n{done.stderr[-3000:]}")
        entries = json.loads(found.read_text(encoding="utf-8"))
    return figures(entries, seconds=crowd.seconds)


def figures(entries: list[dict[str, Any]], *, seconds: float) -> dict[str, Any]:
    """Of locust's statistics, per kind: n, n a second, p50, p95, p99 and longest (ms), errors."""
    kinds = {}
    for kind in (*KINDS, TURNED_AWAY):
        rows = [row for row in entries if row["name"] == kind]
        if not rows:
            continue
        times: dict[float, int] = {}
        for row in rows:
            for ms, n in row["response_times"].items():
                times[float(ms)] = times.get(float(ms), 0) + n
        n = sum(row["num_requests"] for row in rows)
        kinds[kind] = {
            "n": n,
            "per_s": round(n / seconds, 1),
            **{f"p{p}_ms": percentile(times, p / 100) for p in (50, 95, 99)},
            "max_ms": round(max(row["max_response_time"] for row in rows)),
            "errors": sum(row["num_failures"] for row in rows),
        }
    answered = [line for kind, line in kinds.items() if kind != TURNED_AWAY]
    return {
        "kinds": kinds,
        "answered": sum(line["n"] - line["errors"] for line in answered),
        "answered_per_s": round(sum(line["n"] - line["errors"] for line in answered) / seconds, 1),
        "turned_away": kinds.get(TURNED_AWAY, {}).get("n", 0),
        "errors": sum(line["errors"] for line in kinds.values()),
    }


def percentile(times: dict[float, int], share: float) -> int:
    """The time (ms) below or at which ``share`` of the answers stayed; counts by rounded time."""
    wanted = share * sum(times.values())
    n_seen = 0
    for ms in sorted(times):
        n_seen += times[ms]
        if n_seen >= wanted:
            return round(ms)
    raise ValueError("There is no answer to take a percentile of.")


@dataclass
class Watch:
    """Memory of processes and open connections over time; use it as a context."""

    pids: dict[str, int]
    connections: Callable[[], int]
    samples: list[tuple[dict[str, float], int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _go(self) -> None:
        while not self._stop.is_set():
            memory = {name: own_mib(pid) for name, pid in self.pids.items()}
            self.samples.append((memory, self.connections()))
            self._stop.wait(SAMPLE_EVERY_S)

    def over_time(self) -> dict[str, list[float]]:
        """Means of each quarter of the time: MiB per process group, and connections."""
        if len(self.samples) < QUARTERS:
            raise ValueError("Too short to be watched: give it more seconds.")
        parts = np.array_split(np.arange(len(self.samples)), QUARTERS)
        found = {
            f"{name} MiB": [
                round(float(np.mean([self.samples[i][0][name] for i in part])), 1) for part in parts
            ]
            for name in self.pids
        }
        found["connections"] = [
            round(float(np.mean([self.samples[i][1] for i in part])), 1) for part in parts
        ]
        return found


def own_mib(pid: int) -> float:
    """MiB that end with a process and all below it; pages shared with others are not counted."""
    total = 0
    try:
        top = psutil.Process(pid)
        everyone = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for one in everyone:
        try:
            total += one.memory_full_info().uss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20


def growth(quarters: Sequence[float]) -> float:
    """From the second quarter to the last, as a share of the second."""
    return (quarters[-1] - quarters[1]) / quarters[1] if quarters[1] else 0.0


def recovery_s(url: str, session: str, *, within_s: float, timeout_s: float = 60) -> float:
    """Seconds until a page is answered within ``within_s`` again."""
    started_at = time.monotonic()
    while time.monotonic() - started_at < timeout_s:
        asked_at = time.monotonic()
        try:
            answer = requests.get(
                f"{url}/for-you/", cookies={"sessionid": session}, timeout=timeout_s
            )
        except requests.RequestException:
            continue
        if answer.status_code == 200 and time.monotonic() - asked_at <= within_s:
            return time.monotonic() - started_at
    raise TimeoutError(f"The site did not recover within {timeout_s:.0f} s.")
