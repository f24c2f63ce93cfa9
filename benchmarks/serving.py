"""What serving costs in a large world, beside the limits of the machine, in one run.

    python -m benchmarks.serving --out benchmarks/results/serving.json

The world (138,493 people, 70,470 films, 20 million ratings) is made once and kept; ``--part
stored,fresh`` measures some parts again, the others keep what the file says. Every part names its
goal and whether it was met; ``load`` is the machine's at the start: where other work shares it,
times are upper bounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks import serving_world as world
from benchmarks.serving_load import Answer, Client, Web, hammer, latency, web

ROOT = Path(__file__).resolve().parent.parent
LIST = "/api/v1/me/recommendations/?n=20"
DIRTY = 10_000
Part = Callable[[], dict[str, Any]]


def _sessions() -> list[str]:
    return [row["session"] for row in json.loads((world.WORK / "sessions.json").read_text())]


def _is_list(answer: Answer, *, is_stored: bool) -> bool:
    return (
        answer.status == 200
        and answer.body["is_stored"] is is_stored
        and len(answer.body["results"]) == 20
        and not answer.body["fallback"]
    )


def limits() -> dict[str, Any]:
    """What no list can be faster than: the bare product, and the frame around an empty view."""
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(0)
    items = rng.standard_normal((world.COLLABORATIVE, 64), dtype=np.float32)
    users = rng.standard_normal((200, 1, 64), dtype=np.float32)
    took = []
    with threadpool_limits(1):
        for user in users:
            started = time.perf_counter()
            user @ items.T
            took.append(time.perf_counter() - started)
    product_ms = 1000 * statistics.median(took)
    with web() as server:
        empty = {
            clients: hammer(
                server,
                lambda client, _: client.get("/bench/empty/"),
                sessions=_sessions(),
                n=_n(1500),
                clients=clients,
            ).as_dict()
            for clients in (1, 8)
        }
    return {
        "bare product, one person, 26,744 x 64, median ms": round(product_ms, 3),
        "empty DRF view, 1 client": empty[1],
        "empty DRF view, 8 clients": empty[8],
    }


def stored() -> dict[str, Any]:
    """Lists of the last batch inference."""
    from recommendations.models import Recommendation
    from recommendations.services.inference import recommendations_refresh

    Recommendation.objects.all().delete()
    recommendations_refresh(limit=_n(world.CLIENTS))
    with web() as server:
        _warm(server)
        found = {
            clients: hammer(
                server,
                lambda client, _: client.get(LIST),
                sessions=_sessions()[: _n(world.CLIENTS)],
                n=_n(1200),
                clients=clients,
                is_right=lambda answer: _is_list(answer, is_stored=True),
            ).as_dict()
            for clients in (1, 2, 8)
        }
    met = found[1]["p95_ms"] <= 25 and not any(f["errors"] for f in found.values())
    return {
        "goal": "p95 <= 25 ms, one client",
        "is_met": met,
        **{f"{n} clients": f for n, f in found.items()},
    }


def fresh() -> dict[str, Any]:
    """Lists computed anew: fold-in, every source of the policy, ranking, evidence."""
    from recommendations.models import Recommendation

    Recommendation.objects.all().delete()
    with web() as server:
        _warm(server)
        found = {
            clients: hammer(
                server,
                lambda client, _: client.get(LIST),
                sessions=_sessions(),
                n=_n(1200),
                clients=clients,
                is_right=lambda answer: _is_list(answer, is_stored=False),
            ).as_dict()
            for clients in (1, 8)
        }
        memory = _memory(server)
    met = found[8]["p95_ms"] <= 120 and found[8]["errors"] == 0
    return {
        "goal": "p95 <= 120 ms at 8 clients",
        "is_met": met,
        **{f"{n} clients": f for n, f in found.items()},
        "memory": memory,
    }


def rating() -> dict[str, Any]:
    """Stars for the first film of one's list, and the list that has learned from them."""
    took: list[float] = []
    errors = 0
    with web() as server:
        _warm(server)
        started = time.perf_counter()
        for session in _sessions()[: _n(300)]:
            client = Client(server.port, session=session)
            before = client.get(LIST).body["results"]
            film = before[0]["movie_id"]
            wrote = client.put(f"/api/v1/me/ratings/{film}/", {"stars": 5})
            after = client.get(LIST)
            took.append(wrote.took_s + after.took_s)
            ids = [row["movie_id"] for row in after.body["results"]]
            scores = [row["score"] for row in after.body["results"]]
            learned = any(
                part["movie_id"] == film
                for row in after.body["results"]
                for part in row["evidence"]
            )
            is_new = scores[:19] != [row["score"] for row in before[1:]]
            errors += wrote.status >= 300 or film in ids or not (learned or is_new)
        seconds = time.perf_counter() - started
    found = latency(took, clients=1, seconds=seconds, errors=errors).as_dict()
    return {
        "goal": "rating -> changed list p95 <= 150 ms",
        "is_met": found["p95_ms"] <= 150 and not errors,
        "both requests together": found,
    }


def memory() -> dict[str, Any]:
    """Of web workers that have answered from every source."""
    with web() as server:
        _warm(server, n=400)
        found = _memory(server)
    worst = max(worker["rss_mib"] for worker in found["workers"])
    return {"goal": "rss <= 1,229 MiB a worker", "is_met": worst <= 1.2 * 1024, **found}


def minute() -> dict[str, Any]:
    """The minute's inference: 10,000 people with new feedback, by two workers."""
    from django.db.models import F

    from accounts.models import User
    from recommendations.models import Recommendation
    from recommendations.services.inference import stale_ranges

    n_dirty = _n(DIRTY)
    dirty = User.objects.order_by("pk")[world.CLIENTS : world.CLIENTS + n_dirty]
    Recommendation.objects.all().delete()
    User.objects.exclude(pk__in=dirty.values("pk")).update(feedback_generation=0)
    User.objects.filter(pk__in=list(dirty.values_list("pk", flat=True))).update(
        feedback_generation=F("feedback_generation") + 1
    )
    try:
        started = time.perf_counter()
        shards = stale_ranges(size=n_dirty // 2)
        workers = [_child("shard", str(low), str(high)) for low, high in shards]
        before = os.times()
        codes = [worker.wait() for worker in workers]
        seconds, after = time.perf_counter() - started, os.times()
        cpu = after.children_user + after.children_system
        cpu -= before.children_user + before.children_system
        n = Recommendation.objects.filter(source="hybrid").count()
        lists = Recommendation.objects.count()
    finally:
        User.objects.filter(feedback_generation=0).update(feedback_generation=1)
    return {
        "goal": "10,000 people within 60 s on 2 cores",
        "is_met": seconds <= 60 and n == DIRTY and not any(codes),
        "seconds": round(seconds, 1),
        "core seconds of the workers": round(cpu, 1),
        "people": n,
        "lists stored": lists,
        "people per s": round(n / seconds, 1),
    }


def everybody() -> dict[str, Any]:
    """The candidates of the policy's sources for all 138,493 people of the warehouse."""
    from ml.types import Histories
    from recommendations.services.candidates_batch import candidates_for_all
    from recommendations.snapshot import current_snapshot

    snapshot = current_snapshot()
    assert snapshot is not None
    people = np.arange(_n(world.USERS))
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
        _warm(server)
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


PARTS: dict[str, Part] = {
    "limits": limits,
    "stored": stored,
    "fresh": fresh,
    "rating": rating,
    "memory": memory,
    "minute": minute,
    "everybody": everybody,
    "training": training,
}


SHARE = [1.0]  # of each part's work, by the command line


def _n(wanted: int) -> int:
    """So much of the work as ``--share`` says; a part of the work never meets a goal of all."""
    return max(1, round(SHARE[0] * wanted))


# --- small steps -----------------------------------------------------------------------------


def _warm(server: Web, *, n: int = 60) -> None:
    """Every thread of every worker has its connection and has touched the tables."""
    hammer(server, lambda client, _: client.get(LIST), sessions=_sessions(), n=n, clients=8)


def _memory(server: Web) -> dict[str, Any]:
    """Resident, own and shared memory of each worker, in MiB."""
    rows = []
    for worker in server.workers():
        full = worker.memory_full_info()
        rows.append(
            {
                "rss_mib": round(full.rss / 2**20),
                "pss_mib": round(full.pss / 2**20),
                "own_mib": round(full.uss / 2**20),
            }
        )
    return {"workers": rows, "artifact_mib": round(_artifact_bytes() / 2**20)}


def _artifact_bytes() -> int:
    from django.conf import settings

    from recommendations.models import ModelVersion

    version = ModelVersion.objects.get(kind="hybrid", status="active")
    folder = Path(settings.MODELS_DIR) / version.path
    return sum(path.stat().st_size for path in folder.iterdir())


def _few_lists() -> dict[str, Any]:
    with web(workers=1) as server:
        _warm(server)
        took = [_one_list(server, i) for i in range(200)]
    return latency(took, clients=1, seconds=sum(took), errors=0).as_dict()


def _one_list(server: Web, i: int) -> float:
    sessions = _sessions()
    return Client(server.port, session=sessions[i % len(sessions)]).get(LIST).took_s


def _tree_rss(pid: int) -> int:
    try:
        parent = psutil.Process(pid)
        everyone = [parent, *parent.children(recursive=True)]
        return sum(process.memory_info().rss for process in everyone)
    except psutil.Error:
        return 0


def _child(*words: str) -> subprocess.Popen[bytes]:
    """This file again, as another process of the same world."""
    command = [sys.executable, "-m", "benchmarks.serving", "--child", *words]
    return subprocess.Popen(command, cwd=ROOT)


def _as_child(words: list[str]) -> None:
    if words[0] == "shard":
        from recommendations.services.inference import recommendations_refresh

        recommendations_refresh(users=(int(words[1]), int(words[2])))
        return
    from recommendations.services.training import train

    train(trigger="benchmark", is_forced=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure serving in a large generated world.")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/serving.json"))
    parser.add_argument("--part", help=f"comma-separated, of {', '.join(PARTS)}")
    parser.add_argument("--share", type=float, default=1.0, help="of the requests and people")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
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
    for name in given.part.split(",") if given.part else PARTS:
        load = round(os.getloadavg()[0], 1)
        print(f"{name} (load {load})", flush=True)
        results[name] = {
            **PARTS[name](),
            "share of the work": given.share,
            "load": load,
            "cores": os.cpu_count(),
        }
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(results, indent=1) + "\n")
        print(json.dumps(results[name], indent=1), flush=True)


if __name__ == "__main__":
    main()
