"""What serving costs in a large world, beside the limits of the machine, in one run.

    python -m benchmarks.serving --part requests    # what people wait for: some five minutes
    python -m benchmarks.serving                    # and batches and training: an hour

The world (138,493 people, 70,470 films, 20 million ratings) is made once and kept; ``--part
stored,fresh`` measures some parts again, the others keep what the file says. Every part names its
goal and whether it was met; ``load`` is the machine's at the start: where other work shares it,
times are upper bounds. Writes docs/serving.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks import serving_world as world
from benchmarks.clients import Client
from benchmarks.serving_load import Web, latency, web
from benchmarks.serving_report import write_docs
from benchmarks.serving_requests import (
    LIST,
    SHARE,
    fresh,
    limits,
    memory,
    rating,
    sessions,
    share_of,
    stored,
    warm,
    workers,
)

ROOT = Path(__file__).resolve().parent.parent
DIRTY = 10_000
WORKERS = 2
OUT = Path("benchmarks/results/serving.json")
Part = Callable[[], dict[str, Any]]


def minute() -> dict[str, Any]:
    """The minute's inference: 10,000 people with new feedback, by two workers that are running.

    As in the product, where workers run for days: each has done a batch when the clock starts.
    """
    from django.db.models import F

    from accounts.models import User
    from recommendations.models import Recommendation
    from recommendations.services.inference import BATCH_USERS, stale_ranges

    n_dirty, n_before = share_of(DIRTY), WORKERS * BATCH_USERS
    dirty = User.objects.order_by("pk")[world.CLIENTS : world.CLIENTS + n_dirty + n_before]
    Recommendation.objects.all().delete()
    User.objects.exclude(pk__in=dirty.values("pk")).update(feedback_generation=0)
    User.objects.filter(pk__in=list(dirty.values_list("pk", flat=True))).update(
        feedback_generation=F("feedback_generation") + 1
    )
    try:
        shards = stale_ranges(size=(n_dirty + n_before) // WORKERS)
        began = time.perf_counter()
        children = [
            _child("shard", str(low), str(high), pipe=subprocess.PIPE) for low, high in shards
        ]
        used = [_until_ready(child) for child in children]
        assert Recommendation.objects.count() == n_before
        started = time.perf_counter()
        for child in children:
            _tell(child, "go")
        used = [_until_ready(child) - before for child, before in zip(children, used, strict=True)]
        seconds = time.perf_counter() - started
        for child in children:
            _tell(child, "end")
        codes = [child.wait() for child in children]
        n = Recommendation.objects.filter(source="hybrid").count() - n_before
        lists = Recommendation.objects.count() - n_before
    finally:
        User.objects.filter(feedback_generation=0).update(feedback_generation=1)
    return {
        "goal": "10,000 people within 60 s on 2 cores",
        "is_met": seconds <= 60 and n == DIRTY and not any(codes),
        "seconds": round(seconds, 1),
        "core seconds of the workers": round(sum(used), 1),
        "seconds of start and first batch, before": round(started - began, 1),
        "people": n,
        "lists stored": lists,
        "people per s": round(n / seconds, 1),
    }


def _until_ready(worker: subprocess.Popen[bytes]) -> float:
    """Waits for the worker's word; the seconds of processor it has used so far."""
    assert worker.stdout is not None
    said = worker.stdout.readline().split()
    if said[:1] != [b"ready"]:
        raise SystemExit("a worker of the minute ended early; see its log above")
    return float(said[1])


def _tell(worker: subprocess.Popen[bytes], word: str) -> None:
    assert worker.stdin is not None
    worker.stdin.write(f"{word}\n".encode())
    worker.stdin.flush()


def everybody() -> dict[str, Any]:
    """The candidates of the policy's sources for all 138,493 people of the warehouse."""
    from ml.types import Histories
    from recommendations.services.candidates_batch import candidates_for_all
    from recommendations.snapshot import current_snapshot

    snapshot = current_snapshot()
    assert snapshot is not None
    people = np.arange(share_of(world.USERS))
    histories = Histories.from_interactions(world.interactions(), users=people)
    candidates_for_all(snapshot.hybrid, histories.select(np.arange(512)), k=100)  # compiles
    wall, cpu = time.perf_counter(), time.process_time()
    found = candidates_for_all(snapshot.hybrid, histories, k=100)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "goal": "138,493 people within 60 s",
        "is_met": wall <= 60 and len(histories) == world.USERS,
        "people": len(histories),
        "seconds": round(wall, 1),
        "core seconds": round(cpu, 1),
        "people per s": round(len(histories) / wall),
        "sources": {name: round(took, 1) for name, took in found.took_s.items()},
    }


def training() -> dict[str, Any]:
    """Everything that the active policy uses, fitted on 20 million ratings beside a busy web."""
    quiet = _few_lists()
    started = time.perf_counter()
    child = _child("train")
    peak = 0
    busy: list[float] = []
    with web(workers=1) as server:
        warm(server)
        while child.poll() is None:
            peak = max(peak, _tree_rss(child.pid))
            busy.append(_one_list(server, len(busy)))
            time.sleep(0.2)
    seconds = time.perf_counter() - started
    loaded = latency(busy, clients=1, seconds=seconds, errors=0).as_dict()
    return {
        "goal": "under 30 min and 12 GB, web p95 at most doubled",
        "is_met": seconds < 1800
        and peak < 12e9
        and loaded["p95_ms"] <= 2 * quiet["p95_ms"]
        and child.returncode == 0,
        "minutes": round(seconds / 60, 1),
        "peak GB": round(peak / 1e9, 2),
        "exit status": child.returncode,
        "web, quiet": quiet,
        "web, while training": loaded,
    }


REQUESTS: dict[str, Part] = {
    "limits": limits,
    "stored": stored,
    "fresh": fresh,
    "rating": rating,
    "memory": memory,
    "workers": workers,
}
PARTS: dict[str, Part] = {
    **REQUESTS,
    "minute": minute,
    "everybody": everybody,
    "training": training,
}


# --- small steps -----------------------------------------------------------------------------


def _few_lists() -> dict[str, Any]:
    with web(workers=1) as server:
        warm(server)
        took = [_one_list(server, i) for i in range(200)]
    return latency(took, clients=1, seconds=sum(took), errors=0).as_dict()


def _one_list(server: Web, i: int) -> float:
    everyone = sessions()
    return Client(server.port, session=everyone[i % len(everyone)]).get(LIST).took_s


def _tree_rss(pid: int) -> int:
    try:
        parent = psutil.Process(pid)
        everyone = [parent, *parent.children(recursive=True)]
        return sum(process.memory_info().rss for process in everyone)
    except psutil.Error:
        return 0


def _child(*words: str, pipe: int | None = None) -> subprocess.Popen[bytes]:
    """This file again, as another process of the same world."""
    command = [sys.executable, "-m", "benchmarks.serving", "--child", *words]
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe)


def _as_child(words: list[str]) -> None:
    if words[0] == "shard":
        from recommendations.services.inference import BATCH_USERS, recommendations_refresh

        users = int(words[1]), int(words[2])
        for limit in (BATCH_USERS, None):
            recommendations_refresh(users=users, limit=limit)
            print("ready", time.process_time(), flush=True)
            sys.stdin.readline()
        return
    from recommendations.services.training import train

    train(trigger="benchmark", is_forced=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure serving in a large generated world.")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument(
        "--part",
        default=",".join(PARTS),
        help=f"comma-separated, of {', '.join(PARTS)}; requests: {', '.join(REQUESTS)}",
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the requests and people")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    # Else the servers that it started would go on without it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    world.enter()
    if given.child:
        _as_child(given.child)
        return
    SHARE[0] = given.share
    made = world.make(lambda said: print(said, flush=True))
    results = json.loads(given.out.read_text()) if given.out.exists() else {}
    results["world"] = {
        "people": world.USERS,
        "films": world.FILMS,
        "with collaborative vectors": world.COLLABORATIVE,
        "ratings": world.EVENTS,
        "seconds to make": made,
    }
    wanted = REQUESTS if given.part == "requests" else given.part.split(",")
    for name in wanted:
        load = round(os.getloadavg()[0], 1)
        print(f"{name} (load {load})", flush=True)
        results[name] = {
            **PARTS[name](),
            "date": datetime.now(tz=UTC).date().isoformat(),
            "share of the work": given.share,
            "load": load,
            "cores": os.cpu_count(),
        }
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(results, indent=1) + "\n")
        if given.out == OUT:
            write_docs(results)
        print(json.dumps(results[name], indent=1), flush=True)


if __name__ == "__main__":
    main()
